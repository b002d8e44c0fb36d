"""How the views of `sql/` get into the file: order, what is skipped, and defining them anew."""

import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import duckdb
import ibl
import pytest
import server as mariadb

from mirror import connect, derive, views
from mirror.errors import MirrorError, UsageError
from mirror.output import write
from mirror.renamed import RENAMED
from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import Options, sync

TABLES = "select sql from duckdb_tables() where schema_name <> 'main' order by all"
READER = (
    "import mirror, sys; c = mirror.connect(sys.argv[1]); count = lambda:"
    " print(c.execute('select count(*) from trials').fetchone()[0], flush=True);"
    "count(); sys.stdin.readline(); count()"
)


@pytest.fixture(scope="module")
def synced_once(server: mariadb.Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("views") / "ibl.duckdb"
    ibl.drop(server)
    ibl.declare(ibl.connect(server))
    user, password = mariadb.READER
    source = DataJointSource(Login("127.0.0.1", server.port, user, Secret(password), None, ""))
    sync(source, file)
    source.close()
    ibl.drop(server)
    return file


@pytest.fixture
def synced(synced_once: Path, tmp_path: Path) -> Path:
    """A mirror of one's own."""
    return Path(shutil.copy(synced_once, tmp_path))


def written(folder: Path, **queries: str) -> Path:
    """Write each view to a file of its name."""
    folder.mkdir(exist_ok=True)
    for name, query in queries.items():
        (folder / f"{name}.sql").write_text(f"create or replace view {name} as {query};")
    return folder


def define(file: Path, folder: Path) -> views.Applied:
    """Put the views of a folder into a mirror in the place of those it has."""
    with views.store.held(file) as target, views.store.staging(target, "views") as work:
        applied = views.define(work.connection, views.read(folder))
        work.swap()
    return applied


def recorded(file: Path) -> dict[str, str | None]:
    with connect(file) as mirror:
        return dict(mirror.execute("select view_name, skipped from _mirror.views").fetchall())


def held(file: Path) -> set[str]:
    with connect(file) as mirror:
        return {
            name
            for (name,) in mirror.execute(
                "select view_name from duckdb_views() where not internal union all"
                " select table_name from duckdb_tables() where schema_name = 'main'"
            ).fetchall()
        }


# order


def test_a_view_comes_after_those_it_needs(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "sql",
        a="with c as (select * from b) select * from c",
        b="select * from main.d where exists (from e)",
        d="select lab_name from reference.lab",
        e="select 1 as one",
    )

    read = views.read(folder)
    order = [view.name for view in views.in_order(read)]

    assert {view.name: view.needs for view in read} == {
        "a": {"main.b"},
        "b": {"main.d", "main.e"},
        "d": {"reference.lab"},
        "e": frozenset(),
    }
    assert order.index("a") > order.index("b") > max(order.index("d"), order.index("e"))


def test_views_that_need_each_other_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "sql", a="from b", b="from c", c="from a", d="select 1 as one")

    with pytest.raises(MirrorError, match=r"circle: main\.a, main\.b, main\.c$"):
        views.in_order(views.read(folder))


@pytest.mark.parametrize(
    "text",
    [
        "create view other as select 1 as one",
        "create view mine as select 1 as one; create view other as select 1 as one",
        "create table mine as select 1 as one",
        "-- nothing",
    ],
)
def test_a_file_must_define_the_one_view_of_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.sql").write_text(text)

    with pytest.raises(MirrorError, match=r"mine\.sql must define the one view 'mine'"):
        views.read(tmp_path)


def test_a_file_that_is_not_sql_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.sql").write_text("create view mine as select from where (")

    with pytest.raises(MirrorError, match=r"mine\.sql is not SQL that DuckDB reads"):
        views.read(tmp_path)


# what is skipped


def test_a_view_without_its_table_is_skipped_and_so_are_those_that_need_it(
    synced: Path, tmp_path: Path
) -> None:
    folder = written(
        tmp_path / "sql",
        cullings="from action.cull",
        counts="select count(*) as n from cullings",
        labs="select lab_name from reference.lab",
    )

    applied = define(synced, folder)

    assert applied.views == ("labs",)
    assert applied.skipped == {"cullings": "needs action.cull", "counts": "needs cullings"}
    assert recorded(synced) == {"labs": None, **applied.skipped}
    assert held(synced) == {"labs"}


def test_a_narrowed_sync_skips_the_views_that_it_has_no_tables_for(
    source: DataJointSource, tmp_path: Path
) -> None:
    file = tmp_path / "ibl.duckdb"
    report = sync(source, file, Options(schema=("reference", "subject")))

    assert {"subjects", "tutorial_subjects"} <= set(report.views.views)
    assert {"sessions", "trials", "days"} <= set(report.views.skipped)
    assert report.views.skipped["trials"].startswith(
        "needs behavior.trial_set__trial, session_labels"
    )
    assert held(file) == set(report.views.views)


def test_a_view_that_needs_a_column_that_an_older_server_lacks_is_skipped(
    source: DataJointSource, server: mariadb.Server, tmp_path: Path
) -> None:
    server.run("alter table ibl_reference.`#lab` drop column institution_short")
    file = tmp_path / "ibl.duckdb"

    report = sync(source, file)

    assert 'does not have a column named "institution_short"' in report.views.skipped["subjects"]
    assert report.views.skipped["session_labels"] == "needs subjects"
    assert {name: why for name, why in recorded(file).items() if why} == report.views.skipped
    assert held(file) == set(report.views.views)
    assert not held(file) & {"subjects", "sessions", "trials"}
    with connect(file) as mirror:
        assert mirror.execute("select count(*) from reference.lab").fetchall() == [(2,)]


# views on an existing file


def test_views_are_replaced_and_those_no_longer_defined_go(synced: Path, tmp_path: Path) -> None:
    with connect(synced) as mirror:
        tables = mirror.execute(TABLES).fetchall()
        trials = mirror.execute("from behavior.trial_set__trial").fetchall()
    define(synced, written(tmp_path / "old", labs="select 1 as one", extra="select 2 as two"))
    define(synced, written(tmp_path / "new", labs="select lab_name from reference.lab"))

    assert held(synced) == {"labs"}
    with connect(synced) as mirror:
        assert mirror.execute("from labs order by all").fetchall() == [
            ("cortexlab",),
            ("zadorlab",),
        ]
        assert mirror.execute(TABLES).fetchall() == tables
        assert mirror.execute("from behavior.trial_set__trial").fetchall() == trials
        assert mirror.execute("select count(*), max(run) from _mirror.runs").fetchall() == [(1, 1)]


def test_the_command_views_brings_the_shipped_views_back(synced: Path, tmp_path: Path) -> None:
    before = held(synced)
    define(synced, written(tmp_path / "old", trials="select 1 as one", extra="select 2 as two"))

    applied = views.apply(synced)

    assert {"subjects", "sessions", "trials"} <= set(applied.views)
    assert held(synced) == set(applied.views) == before
    assert [f.name for f in tmp_path.iterdir() if f.is_file()] == ["ibl.duckdb"]


def test_views_are_defined_anew_while_a_reader_has_the_file_open(
    synced: Path, tmp_path: Path
) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, synced],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin and reader.stdout
    before = reader.stdout.readline()
    define(synced, written(tmp_path / "sql", trials="select 1 as one"))
    after, _ = reader.communicate("again\n", timeout=60)

    assert (before, after) == ("24\n", "24\n")
    with connect(synced) as mirror:
        assert mirror.execute("from trials").fetchall() == [(1,)]


def test_a_column_that_is_passed_on_has_the_comment_of_where_it_comes_from(
    synced: Path, tmp_path: Path
) -> None:
    zones = """
    with zone as (select lab_name, time_zone, upper(lab_name) as upper_name from reference.lab)
    select zone.lab_name, zone.time_zone as zone, zone.upper_name, lab.institution
    from zone join reference.lab as lab on lab.lab_name = zone.lab_name;
    comment on column zones.zone is 'IANA'"""
    define(synced, written(tmp_path / "sql", zones=zones, names="select lab_name, zone from zones"))
    with connect(synced) as mirror:
        comments = mirror.execute(
            "select table_name, column_name, comment from duckdb_columns() where"
            " table_name in ('zones', 'names') order by table_name, column_index"
        ).fetchall()

    assert comments == [
        ("names", "lab_name", "name of lab"),
        ("names", "zone", "IANA"),
        ("zones", "lab_name", "name of lab"),
        ("zones", "zone", "IANA"),
        ("zones", "upper_name", None),
        ("zones", "institution", None),
    ]


# stored views

LABS = "select lab_name, time_zone from reference.lab"
BY_NAME = "-- Stored: in the order of time_zone, lab_name.\n"


def store_labs(file: Path, folder: Path, head: str = BY_NAME, query: str = LABS) -> views.Applied:
    written(folder, labs=query, names="select lab_name from labs")
    sql = (folder / "labs.sql").read_text()
    comments = "comment on view labs is 'a''b'; comment on column labs.time_zone is 'IANA';"
    (folder / "labs.sql").write_text(f"-- Grain: a lab.\n{head}{sql}\n{comments}")
    return define(file, folder)


def test_a_stored_view_is_a_table_of_its_name_in_order_with_its_comments(
    synced: Path, tmp_path: Path
) -> None:
    store_labs(synced, tmp_path / "sql")
    with connect(synced) as mirror:
        assert mirror.execute(
            "select table_name, comment from duckdb_tables() where schema_name = 'main'"
        ).fetchall() == [("labs", "a'b")]
        assert mirror.execute(
            "select view_name from duckdb_views() where not internal"
        ).fetchall() == [("names",)]
        assert mirror.execute(
            "select column_name, comment from duckdb_columns() where"
            " table_name = 'labs' and schema_name = 'main' order by column_index"
        ).fetchall() == [("lab_name", "name of lab"), ("time_zone", "IANA")]
        found = mirror.execute("from labs").fetchall()
        assert found == mirror.execute(f"{LABS} order by time_zone, lab_name").fetchall()
        assert mirror.execute("select count(*) from names").fetchall() == [(len(found),)]
        assert mirror.execute(
            "select view_name, is_stored, inputs is not null from _mirror.views order by 1"
        ).fetchall() == [("labs", True, True), ("names", False, True)]


def test_adding_or_removing_the_line_is_all_it_takes(synced: Path, tmp_path: Path) -> None:
    kinds = (
        "select table_type from information_schema.tables"
        " where table_schema = 'main' and table_name = 'labs'"
    )
    for head, kind in (("", "VIEW"), (BY_NAME, "BASE TABLE"), ("", "VIEW")):
        store_labs(synced, tmp_path / "sql", head)
        with connect(synced) as mirror:
            assert mirror.execute(kinds).fetchall() == [(kind,)]
            assert mirror.execute("select count(*) from names").fetchall() == [(2,)]


def test_a_stored_view_is_made_again_only_when_what_it_is_made_from_has_changed(
    synced: Path, tmp_path: Path
) -> None:
    def n_labs() -> int:
        with connect(synced) as mirror:
            [(n,)] = mirror.execute("select count(*) from labs").fetchall()
            return n

    store_labs(synced, tmp_path / "sql")
    with duckdb.connect(str(synced)) as file:
        file.execute("insert into labs values ('by hand', 'UTC')")
    store_labs(synced, tmp_path / "sql")
    assert n_labs() == 3
    store_labs(synced, tmp_path / "sql", query=f"{LABS} where true")
    assert n_labs() == 2
    with duckdb.connect(str(synced)) as file:
        file.execute("insert into labs values ('by hand', 'UTC')")
        file.execute("update _mirror.tables set read_at = now() where table_name = 'lab'")
    store_labs(synced, tmp_path / "sql", query=f"{LABS} where true")
    assert n_labs() == 2


def test_a_value_that_no_view_can_read_costs_that_view_alone(synced: Path, tmp_path: Path) -> None:
    store_labs(synced, tmp_path / "sql")
    applied = store_labs(
        synced,
        tmp_path / "sql",
        query="select lab_name, lab_name::date as time_zone from reference.lab",
    )
    assert "Conversion Error" in applied.skipped["labs"]
    assert applied.skipped["names"] == "needs labs"
    assert held(synced) == set()


@pytest.mark.parametrize(
    "line",
    [
        "-- Stored: in the order of lab_name",
        "-- stored: in the order of lab_name.",
        "-- Stored: in the order of Lab_Name.",
        '-- Stored: in the order of "lab_name".',
        "-- Stored: in the order of lab_name desc.",
        "-- Stored: in the order of lab_name,.",
        "-- Stored.",
    ],
)
def test_a_line_that_means_to_store_is_understood_or_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(MirrorError, match=re.escape(f"labs.sql says {line!r}: write")):
        views.parsed(tmp_path / "labs.sql", f"{line}\ncreate view labs as select 1 as lab_name;")


def test_blanks_at_its_end_do_no_harm(tmp_path: Path) -> None:
    by_lab = "-- Stored: in the order of lab_name."
    text = f"{by_lab}  \ncreate view labs as select 1 as lab_name;"
    assert views.parsed(tmp_path / "labs.sql", text).stored_by == ("lab_name",)


def test_a_view_is_not_stored_by_a_column_that_it_does_not_have(
    synced: Path, tmp_path: Path
) -> None:
    with pytest.raises(MirrorError, match=r"labs\.sql is to be stored by lab, which is no column"):
        store_labs(synced, tmp_path / "sql", "-- Stored: in the order of lab.\n")


def test_a_stored_view_has_each_row_once_whatever_it_makes_of_its_first_column(
    synced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PORTION", 1)
    folder = written(tmp_path / "sql")
    (folder / "numbered.sql").write_text(
        "-- Stored: in the order of trial_id, subject_uuid.\ncreate or replace view numbered as"
        " select trial_id::varchar as trial_id, subject_uuid from behavior.trial_set__trial;"
    )
    define(synced, folder)
    with connect(synced) as mirror:
        assert mirror.execute(
            "select count(*) = (select count(*) from behavior.trial_set__trial) from numbered"
        ).fetchall() == [(True,)]


def test_a_stored_view_of_cohorts_is_renewed_with_them(synced: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "sql")
    (folder / "listed.sql").write_text(
        "-- Stored: in the order of cohort.\ncreate or replace view listed as"
        " select cohort from _mirror.cohort_mice;"
    )
    define(synced, folder)
    with duckdb.connect(str(synced)) as file:
        columns = file.execute("describe _mirror.cohort_mice").fetchall()
        values = ", ".join("'mine'" if name == "cohort" else "null" for name, *_ in columns)
        for name, *_ in columns:
            file.execute(f"alter table _mirror.cohort_mice alter {name} drop not null")
        file.execute(f"insert into _mirror.cohort_mice values ({values})")
    define(synced, folder)
    with connect(synced) as mirror:
        assert mirror.execute("select cohort from listed").fetchall() == [("mine",)]


def test_a_mirror_of_an_earlier_version_is_brought_up(synced: Path) -> None:
    with duckdb.connect(str(synced)) as file:
        trials = file.execute("from trials order by all").fetchall()
        for name in ("trials", "sessions", "session_labels"):
            kind = "table" if name == "trials" else "view"
            file.execute(f"drop {kind} {name}")
        file.execute("create view trials as select 1 as one")
        file.execute("create view sessions as select 1 as training_status")
        file.execute("alter table _mirror.views drop column is_stored")
        file.execute("alter table _mirror.views drop column inputs")
        file.execute("alter table _mirror.tables drop column read_at")
        file.execute("alter table derived.criterion_windows drop column standard_error")
        file.execute("update _mirror.derived set inputs = 'of an earlier version'")
    applied = views.apply(synced)
    assert not {"trials", "sessions", "criterion_report"} & set(applied.skipped)
    with connect(synced) as mirror:
        assert mirror.execute("from trials order by all").fetchall() == trials
        assert mirror.execute("select count(stored_training_status) from sessions").fetchall()


def test_an_upgrade_that_is_interrupted_is_made_good_by_the_next_one(
    synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = "select table_name, estimated_size from duckdb_tables() where schema_name = 'derived'"
    with duckdb.connect(str(synced)) as file:
        before = file.execute(f"{counts} order by all").fetchall()
        file.execute("update _mirror.derived set inputs = 'of an earlier version'")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(derive, "_make", interrupted)
        views.apply(synced)
    views.apply(synced)
    with connect(synced) as mirror:
        assert mirror.execute(f"{counts} order by all").fetchall() == before
        assert mirror.execute("select count(*) > 0 from sessions where has_trials").fetchall() == [
            (True,)
        ]


def test_a_status_that_was_uncertain_stays_so(synced: Path) -> None:
    certain = "select distinct is_certain from derived.session_status"
    with duckdb.connect(str(synced)) as file:
        # as IBL's public files are, which lack sessions, in a mirror of an earlier version
        file.execute("update _mirror.runs set source = 'one'")
        file.execute("alter table _mirror.runs drop column is_whole")
    views.apply(synced)
    views.apply(synced)
    with connect(synced) as mirror:
        assert mirror.execute(certain).fetchall() == [(False,)]


# names of earlier versions


def test_every_name_that_is_gone_is_told_and_listed() -> None:
    listed = (views.folder() / "README.md").read_text()
    for name, now in RENAMED.items():
        assert f"`{name}`" in listed and f"`{now.split()[0]}`" in listed


@pytest.mark.parametrize(
    ("query", "now"),
    [
        ("select trial_response_time from trials", "trial_response_time of the view trial_times"),
        ("select next_contrast from trials", "abs(next_signed_contrast)"),
        ("select s.has_reaction_time from sessions as s", "has_stored_reaction_time"),
        ("from session_status where is_certain", "is_status_certain"),
        ("select * exclude (trial_start_time) from trials", "trial_start_time of the view"),
        ("select * replace (1 as unit) from choice_history", "grain"),
        ("from trials join sessions using (is_certain)", "is_status_certain"),
    ],
)
def test_a_query_with_an_old_name_is_told_the_new_one(synced: Path, query: str, now: str) -> None:
    with (
        connect(synced) as mirror,
        pytest.raises(UsageError, match=rf"\. It is now {re.escape(now)} "),
    ):
        write(mirror, query, "csv", StringIO(), None)


def test_a_name_that_never_was_gets_no_hint(synced: Path) -> None:
    with connect(synced) as mirror, pytest.raises(UsageError) as error:
        write(mirror, "select reaction_tim from trials", "csv", StringIO(), None)
    assert "It is now" not in str(error.value)


# the views that are shipped


def test_the_shipped_views_hold_the_rows_of_the_database(synced: Path) -> None:
    with connect(synced) as mirror:

        def rows(query: str) -> list[tuple]:
            return mirror.execute(query).fetchall()

        assert rows("select subject_nickname, lab_name, is_alive from subjects order by 1") == [
            ("CSHL_001", "zadorlab", False),
            ("KS014", "cortexlab", True),
        ]
        assert rows(
            "select subject_nickname, session_start_time, task, training_day, n_trials"
            " from sessions order by 1 desc, 2"
        ) == [
            ("KS014", ibl.SESSIONS[0][1], "training", 1, 6),
            ("KS014", ibl.SESSIONS[1][1], "training", 2, 6),
            ("KS014", ibl.SESSIONS[2][1], "unknown", 2, 6),
            ("CSHL_001", ibl.SESSIONS[3][1], "biased", 1, 6),
        ]
        assert rows("select count(*), count(reaction_time) from trials") == [(24, 24)]
        assert rows(
            "select signed_contrast, choice from trials where subject_nickname = 'CSHL_001'"
            " order by trial_id limit 2"
        ) == [(-100, -1), (50, 1)]
