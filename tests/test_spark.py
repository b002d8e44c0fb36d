"""The views on Spark say what they say in the file: two exports in one folder, one session.

The session is in another time zone, and without ANSI's rules: neither may change a result.
"""

import datetime
import decimal
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot

from mirror import connect, parquet, store, views
from mirror.errors import MirrorError, UsageError
from mirror.parquet import Manifest
from mirror.sources.demo import DemoSource
from mirror.spark import Defined, define, session
from mirror.spark.definition import settings
from mirror.spark.refusals import query_of, refused
from mirror.spark.rules import rewritten
from mirror.spark.translation import Names, translate
from mirror.syncing import Options, sync

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FIXTURES = Path(__file__).parent / "fixtures" / "spark"
ZONE = "America/Los_Angeles"
# the compiler and the garbage collector for programs that do not run for long
JAVA = "-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=256m", "-XX:+UseSerialGC"
# what asks about the file itself
NOT_HERE = {"mirror_health"}
VIEWS = sorted({view.name for view in views.read()} - NOT_HERE - {"movement_times"})
# as tables, which they are in the file
STORED = {view.name for view in views.read() if view.stored_by}
# how many of them are in a folder of several exports
PROVENANCE = {"data_health"}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """One small session for all tests."""
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    running = session(
        "local[2]",
        spark_ui_enabled="false",
        spark_ui_showConsoleProgress="false",
        spark_driver_memory="2g",
        spark_driver_extraJavaOptions=" ".join(JAVA),
        spark_sql_shuffle_partitions="2",
        # to compile the code of a query costs more than to answer it, of a few mice
        spark_sql_codegen_wholeStage="false",
        spark_sql_codegen_factoryMode="NO_CODEGEN",
        spark_sql_adaptive_enabled="false",
        spark_sql_session_timeZone=ZONE,
        spark_sql_ansi_enabled="false",
        spark_sql_warehouse_dir=str(tmp_path_factory.mktemp("warehouse")),
    )
    running.sparkContext.setLogLevel("OFF")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of five simulated mice."""
    return synced(tmp_path_factory.mktemp("mirrors") / "all.duckdb")


def synced(file: Path, *mice: str) -> Path:
    source = DemoSource(5)
    sync(source, file, Options(subject=mice))
    source.close()
    return file


@pytest.fixture(scope="module")
def folder(file: Path) -> Path:
    """Two exports of different mice of that mirror."""
    target = file.parent / "parquet"
    with connect(file) as mirror:
        mice = [str(m) for (m,) in mirror.sql("select subject_uuid from subjects").fetchall()]
    for name, some in (("one", mice[:2]), ("other", mice[2:])):
        with connect(synced(file.with_name(f"{name}.duckdb"), *some)) as mirror:
            parquet.export(mirror, target)
    return target


@pytest.fixture(scope="module")
def defined(spark: "SparkSession", folder: Path) -> Defined:
    return define(spark, folder)


# the views


def differences(here: pa.Table, there: pa.Table) -> list[object]:
    """How the columns, types and rows of two tables differ; floats from the ninth digit on."""
    found: list[object] = []
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        con.register("here", here)
        con.register("there", there)
        columns = con.sql("describe here").fetchall()
        if columns != (others := con.sql("describe there").fetchall()):
            found.append([pair for pair in zip(columns, others, strict=False) if len({*pair}) > 1])
        listed = ", ".join(comparable(name, kind) for name, kind, *_ in columns)
        for one, other in (("here", "there"), ("there", "here")):
            rows = con.sql(
                f"(select {listed} from {one}) except all (select {listed} from {other})"
                " order by all limit 3"
            ).fetchall()
            found += [(one, row) for row in rows]
    return found


def comparable(name: str, kind: str) -> str:
    column = f'"{name}"'
    if kind == "DOUBLE":
        # + 0: a zero has no sign
        return f"printf('%.9g', {column} + 0) as {column}"
    if kind == "DOUBLE[]":
        return f"list_transform({column}, lambda x: printf('%.9g', x + 0)) as {column}"
    return f"{column}::varchar as {column}"


def there(spark: "SparkSession", query: str) -> pa.Table:
    return spark.sql(query).toArrow()


def test_every_view_is_defined_but_what_asks_about_the_file(defined: Defined) -> None:
    assert set(defined.refused) == NOT_HERE
    assert sorted({*defined.views, *STORED}) == VIEWS


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_the_same_of_two_exports_in_one_folder(
    name: str, spark: "SparkSession", defined: Defined, file: Path
) -> None:
    with connect(file) as mirror:
        expected = mirror.sql(f"from {name}").to_arrow_table()
    answer = there(spark, f"select * from {name}")

    if name in PROVENANCE:
        # one of both was narrowed, the whole was not
        assert [n for n, *_ in rows_of(answer)] == [n for n, *_ in rows_of(expected)]
    else:
        assert differences(expected, answer) == []


@pytest.mark.parametrize("name", sorted(STORED))
def test_a_stored_view_is_what_its_sql_says_on_spark(
    name: str, spark: "SparkSession", defined: Defined, folder: Path
) -> None:
    by_sql = made_by_sql(spark, folder, name)

    assert differences(there(spark, f"select * from {name}"), there(spark, by_sql)) == []


def made_by_sql(spark: "SparkSession", folder: Path, name: str) -> str:
    """Define a view beside the table that it is stored as; returns the query of its rows."""
    manifest = Manifest.read((folder / "export.json").read_text("utf-8"), "")
    statement = translate(manifest, Names()).views[name]
    with settings(spark):
        spark.sql(statement.replace(f"view `{name}`", f"view `{name}_by_sql`", 1))
    return f"select * from {name}_by_sql"


def test_the_session_keeps_its_settings(spark: "SparkSession", defined: Defined) -> None:
    assert spark.conf.get("spark.sql.session.timeZone") == ZONE
    assert spark.conf.get("spark.sql.ansi.enabled") == "false"


def test_comments_come_along(spark: "SparkSession", defined: Defined) -> None:
    told = {row.col_name: row.comment for row in spark.sql("describe trials").collect()}
    raw = spark.sql("describe `behavior.trial_set__trial`").collect()

    assert told["signed_contrast"]
    assert any(row.comment for row in raw)


# constructs


def battery() -> dict[str, list[str]]:
    """The constructs by section."""
    found: dict[str, list[str]] = {}
    for line in (FIXTURES / "battery.sql").read_text("utf-8").splitlines():
        if line.startswith("-- "):
            section = found.setdefault(line[3:].partition(":")[0], [])
        elif line:
            section.append(line)
    return found


BATTERY = battery()


@pytest.fixture(scope="module")
def engines(
    spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[duckdb.DuckDBPyConnection, "SparkSession"]]:
    """Both engines with the table t, under the settings that views have."""
    parquet_file = tmp_path_factory.mktemp("battery") / "t.parquet"
    with duckdb.connect() as con, settings(spark):
        con.execute("set timezone = 'UTC'")
        con.execute(f"create table t as {(FIXTURES / 'table.sql').read_text('utf-8')}")
        con.execute(f"copy t to '{parquet_file}'")
        spark.read.parquet(str(parquet_file)).createOrReplaceTempView("t")
        yield con, spark


def query(section: str, *constructs: str) -> str:
    """Constructs of a section in one query."""
    [first, *_] = constructs
    if first.startswith(("select ", "with ", "from ")):
        return first
    key, group = ("g", " group by g") if section == "groups" else ("id", "")
    listed = ", ".join(f"{construct} as c{i}" for i, construct in enumerate(constructs))
    return f"select {key} as key, {listed} from t{group}"


def plain(value: Any) -> Any:
    """A value that can be compared between engines, floats to twelve digits."""
    match value:
        case bool() | None | str():
            return value
        case int() | float() | decimal.Decimal():
            number = float(value)
            return "nan" if math.isnan(number) else float(f"{number:.12g}") + 0.0
        case datetime.datetime() if value.tzinfo:
            return value.astimezone(datetime.UTC).replace(tzinfo=None)
        case pa.MonthDayNano():
            return datetime.timedelta(days=value.days, microseconds=value.nanoseconds // 1000)
        case list() | tuple():
            return [plain(part) for part in value]
        case dict():
            return {key: plain(part) for key, part in value.items()}
    return value


def rows_of(table: pa.Table) -> list[list[Any]]:
    return sorted((plain(list(row.values())) for row in table.to_pylist()), key=repr)


def on_both(engines: Any, sql: str) -> tuple[list[list[Any]], list[list[Any]]]:
    con, spark = engines
    translated = rewritten(query_of(f"create view v as {sql}")).sql(dialect="spark")
    return rows_of(con.sql(sql).to_arrow_table()), rows_of(there(spark, translated))


@pytest.mark.parametrize("section", ["values", "groups", "windows", "queries"])
def test_what_is_let_through_is_the_same_on_both_engines(section: str, engines: Any) -> None:
    constructs = BATTERY[section]
    # a query that has many of them costs as much as one
    together = [constructs] if section != "queries" else [[one] for one in constructs]
    for some in together:
        ours, theirs = on_both(engines, query(section, *some))
        columns = zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True)
        other = [place for place, (one, two) in enumerate(columns) if one != two]

        assert len(ours) == len(theirs), some
        assert [(some[max(place - 1, 0)], ours, theirs) for place in other] == []


def test_what_is_let_through_is_not_refused(engines: Any) -> None:
    con, _ = engines
    columns = {name: str(kind) for name, kind, *_ in con.sql("describe t").fetchall()}
    schema = sqlglot.MappingSchema({"main": {"t": columns}}, dialect="duckdb")
    for section in ("values", "groups", "windows", "queries"):
        for construct in BATTERY[section]:
            sql = f"create view v as {query(section, construct)}"

            assert refused(sql, schema) == [], construct
    for line in BATTERY["refused"]:
        assert refused(f"create view v as {refused_query(line)}", schema), line


def refused_query(line: str) -> str:
    """The query of a construct that is refused, which may be an aggregate or a window."""
    for kind in ("group", "window"):
        if line.startswith(f"{kind}: "):
            return query(f"{kind}s", line.removeprefix(f"{kind}: "))
    return query("values", line)


@pytest.mark.parametrize("construct", BATTERY["refused"])
def test_what_is_refused_is_another_on_spark(construct: str, engines: Any) -> None:
    """Without the rules, so that a refusal that is no longer needed is found."""
    from pyspark.errors import PySparkException

    con, spark = engines
    sql = refused_query(construct)
    ours = rows_of(con.sql(sql).to_arrow_table())
    try:
        theirs = rows_of(there(spark, sqlglot.transpile(sql, "duckdb", "spark")[0]))
    except (PySparkException, sqlglot.ParseError):
        return

    assert ours != theirs


# bad input


def test_a_folder_that_is_no_export_is_a_sentence(spark: "SparkSession", tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no export of a mirror, or half of one"):
        define(spark, tmp_path)


def test_an_export_of_another_version_is_a_sentence(spark: "SparkSession", tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text('{"format": 99, "mirror": "9.9"}', "utf-8")

    with pytest.raises(MirrorError, match=r"was exported by mirror 9\.9.*--full"):
        define(spark, tmp_path)


def test_a_copy_that_lacks_a_file_is_a_sentence(
    spark: "SparkSession", folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    next(copy.glob("behavior/trial_set__trial/*/*.parquet")).unlink()

    with pytest.raises(MirrorError, match=r"files of behavior\.trial_set__trial, and the export"):
        define(spark, copy)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """An export of few tables and of views that somebody added, with quotes in every name."""
    file = tmp_path / 'o\'dd "x".duckdb'
    with duckdb.connect(str(file)) as con:
        store.prepare(con)
        con.execute('create schema "it\'s"')
        con.execute('create table "it\'s"."a`b" ("c\'d" integer, "e`f" time)')
        con.execute("comment on column \"it's\".\"a`b\".\"c'd\" is 'it''s \\ `so`'")
        con.execute('insert into "it\'s"."a`b" values (1, \'10:00:00\'), (2, null)')
        con.execute('create view "q\'v" as select "c\'d" as "g`h" from "it\'s"."a`b"')
        con.execute('create view hashed as select hash("c\'d") as h from "it\'s"."a`b"')
        con.execute("create view on_hashed as select h from hashed")
    with connect(file) as mirror:
        parquet.export(mirror, tmp_path / "o'dd out")
    return tmp_path / "o'dd out"


def test_names_with_quotes_arrive_and_refused_views_leave_the_rest(
    spark: "SparkSession", odd: Path
) -> None:
    found = define(spark, odd)

    assert found.views == ("q'v",)
    assert [list(row) for row in spark.sql("select * from `q'v` order by 1").collect()] == [
        [1],
        [2],
    ]
    assert "line 1, hash()" in found.refused["hashed"]
    assert found.refused["on_hashed"] == "needs hashed"


def test_a_database_of_the_catalogue_keeps_what_is_defined(
    spark: "SparkSession", odd: Path, tmp_path: Path
) -> None:
    plain_names = tmp_path / "plain"
    with duckdb.connect(str(tmp_path / "plain.duckdb")) as con:
        store.prepare(con)
        con.execute("create schema subject; create table subject.mice (name varchar)")
        con.execute("insert into subject.mice values ('a')")
        con.execute("create view names as select name from subject.mice")
    with connect(tmp_path / "plain.duckdb") as mirror:
        parquet.export(mirror, plain_names)
    for _ in range(2):
        define(spark, plain_names, "pool")

    assert spark.sql("select name from pool.names").collect() == [("a",)]
    assert spark.sql("select name from pool.subject__mice").collect() == [("a",)]

    spark.sql("drop view pool.names")
    spark.sql("create view pool.names as select 1 as mine")
    with pytest.raises(UsageError, match=r"has a names that is not the mirror's"):
        define(spark, plain_names, "pool")


def test_a_catalogue_without_rights_is_a_sentence(
    spark: "SparkSession", odd: Path, folder: Path
) -> None:
    # a file where the catalogue would make the database's folder
    warehouse = Path(spark.conf.get("spark.sql.warehouse.dir").removeprefix("file:"))
    warehouse.mkdir(exist_ok=True)
    (warehouse / "locked.db").touch()

    with pytest.raises(MirrorError, match=r"The catalogue lets nothing be made in .* locked"):
        define(spark, folder, "locked")
