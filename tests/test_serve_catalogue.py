"""What clients learn of the tables, from the mirror as from the server it was read from."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import ibl
import pymysql
import pytest
import server as mariadb
from pymysql.constants import FIELD_TYPE

from mirror.serve.answers import Refusal, Type
from mirror.serve.catalogue import type_of
from mirror.serve.engine import Engine
from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import Options, sync

# every way to declare that DataJoint has, and some that it has not; then the schemas of nma_ibl
# that are missing here
ODD = (
    """
    create table ibl_reference.odd (
        lab_name varchar(255) not null,
        number int unsigned not null auto_increment,
        zoo_name char(16) default 'it''s \\\\ "x"' comment 'a ''quoted'' \\\\ remark\nin two lines',
        empty varchar(20) not null default '',
        nothing varchar(20) default null,
        small smallint(5) unsigned default 7,
        wide bigint not null default -1,
        flag tinyint(1) not null default 0,
        money decimal(10,2) default 1.50,
        share float default 0.25,
        rounded float(7,4) default null,
        precise double not null,
        choice enum('CCW','it''s','No Go') not null default 'No Go',
        colours set('red','green') default 'red',
        born date default '2019-01-31',
        made timestamp(3) null default null,
        changed timestamp not null default current_timestamp() on update current_timestamp(),
        started datetime default current_timestamp(),
        lasted time default '01:30:00',
        note text default null,
        story longtext not null,
        picture longblob default null,
        token binary(16) not null comment ':uuid:',
        digest varbinary(20) default null,
        other_lab varchar(255) default null,
        primary key (number, lab_name),
        foreign key (lab_name) references ibl_reference.`#lab` (lab_name)
            on delete restrict on update cascade,
        foreign key (other_lab) references ibl_reference.`#lab` (lab_name)
            on delete restrict on update cascade,
        unique key (token),
        key (born)
    ) comment 'what nobody''s pipeline has'
    """,
    """
    create table ibl_reference.odder (
        number int unsigned not null,
        lab_name varchar(255) not null,
        second int unsigned not null,
        primary key (number, lab_name, second),
        foreign key (number, lab_name) references ibl_reference.odd (number, lab_name)
            on delete restrict on update cascade
    )
    """,
    "create database ibl_action",
    "create database ibl_data",
)


# of what the server only guesses, or counts in pages of its own
ITS_OWN = {
    *("Cardinality", "Rows", "Avg_row_length", "Data_length", "Index_length", "Data_free"),
    *("Create_time", "Update_time", "Check_time", "Auto_increment"),
}


@pytest.fixture(scope="module")
def sides(
    server: mariadb.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimpleNamespace]:
    """A server, and a session of the mirror of all it has."""
    ibl.drop(server)
    ibl.declare(ibl.connect(server))
    server.run(*ODD)
    user, password = mariadb.READER
    source = DataJointSource(Login("127.0.0.1", server.port, user, Secret(password), None, ""))
    folder = tmp_path_factory.mktemp("catalogue")
    sync(source, folder / "whole.duckdb", Options(include_private=True))
    sync(source, folder / "public.duckdb", Options(table=("reference.lab*",)))
    source.close()
    there = pymysql.connect(
        host="127.0.0.1", port=server.port, user=user, password=password, charset="utf8mb4"
    )
    engine = Engine(folder / "whole.duckdb")
    yield SimpleNamespace(
        there=there,
        here=engine.session(),
        catalogue=engine.catalogue,
        public=folder / "public.duckdb",
    )
    engine.close()
    there.close()
    ibl.drop(server)


@pytest.fixture
def public(sides: SimpleNamespace) -> Iterator[Engine]:
    """The mirror that leaves private columns out."""
    engine = Engine(sides.public)
    yield engine
    engine.close()


def there(sides: SimpleNamespace, statement: str) -> tuple[list[str], list[tuple]]:
    with sides.there.cursor() as cursor:
        cursor.execute(statement)
        return [column[0] for column in cursor.description], list(cursor.fetchall())


def here(sides: SimpleNamespace, statement: str) -> tuple[list[str], list[tuple]]:
    answer = sides.here.ask(statement)
    return [field.name for field in answer.fields], answer.rows()


def comparable(answer: tuple[list[str], list[tuple]]) -> list[tuple]:
    """An answer without what is the server's own, and without DataJoint's hidden tables."""
    names, rows = answer
    kept = [place for place, name in enumerate(names) if name not in ITS_OWN]
    return [
        tuple(row[place] for place in kept)
        for row in [tuple(names), *rows]
        if not any(str(value).startswith("~") for value in row)
    ]


def test_every_table_has_its_place_and_its_columns(sides: SimpleNamespace) -> None:
    trials = sides.catalogue.table("ibl_behavior", "_trial_set__trial")

    assert trials.location == '"mirror"."behavior"."trial_set__trial"'
    assert trials.primary_key == ("subject_uuid", "session_start_time", "trial_id")
    assert trials.column("TRIAL_ID") is trials.columns[2]
    assert trials.columns[2].type == Type("integer", 11, 0, name="int")
    assert trials.column("trial_included").type == Type("integer", 1, 0, name="tinyint")
    assert trials.column("subject_uuid").type.kind == "uuid"
    results = sides.catalogue.table("ibl_analyses_behavior", "__psych_results")
    assert results.column("n_trials_stim").type == Type("blob", 2**16 - 1, name="blob")
    assert sides.catalogue.table("ibl_reference", "odd").primary_key == ("number", "lab_name")


def test_names_of_tables_are_told_apart_by_case_and_unknown_ones_refused(
    sides: SimpleNamespace,
) -> None:
    known = sides.catalogue
    for names, number in {
        ("ibl_subject", "Subject"): 1146,
        ("IBL_subject", "subject"): 1049,
        ("_mirror", "tables"): 1049,
        ("information_schema", "nothing"): 1109,
    }.items():
        with pytest.raises(Refusal) as refusal:
            known.table(*names)
        assert refusal.value.number == number
    assert known.table("Information_Schema", "tables").name == "TABLES"


def test_what_is_left_out_of_the_file_does_not_exist(public: Engine) -> None:
    session, known = public.session(), public.catalogue

    assert [c.name for c in known.table("ibl_reference", "lab_member").columns] == ["user_name"]
    assert session.ask("describe ibl_reference.lab_member").rows() == [
        ("user_name", "varchar(255)", "NO", "PRI", None, "")
    ]
    numbers = session.ask(
        "select column_name, ordinal_position from information_schema.columns"
        " where table_name = '#lab' order by ordinal_position"
    ).rows()
    assert [number for _, number in numbers] == list(range(1, len(numbers) + 1))
    assert "address" not in dict(numbers)
    # nma_ibl cannot be imported without the schema
    assert known.schema("ibl_data").tables == {}


def test_references_to_what_is_not_in_the_file_are_not_shown(
    sides: SimpleNamespace, server: mariadb.Server, login: Login, tmp_path: Path
) -> None:
    source = DataJointSource(login)
    sync(source, tmp_path / "some.duckdb", Options(table=("subject.subject_lab",)))
    source.close()
    engine = Engine(tmp_path / "some.duckdb")
    answers = [
        engine.session().ask(statement).rows()
        for statement in (
            "show tables from ibl_subject",
            "select * from information_schema.key_column_usage"
            " where referenced_table_name is not null",
            "select index_name from information_schema.statistics where table_name = 'subject_lab'",
        )
    ]
    engine.close()

    assert answers == [[("subject_lab",)], [], [("PRIMARY",), ("lab_name",)]]


@pytest.mark.parametrize(
    ("declared", "held", "meant"),
    [
        # MySQL 8 leaves display widths out
        ("int", "INTEGER", Type("integer", 11, 0, name="int")),
        ("int unsigned", "UINTEGER", Type("integer", 10, 0, unsigned=True, name="int")),
        (
            "bigint(20) unsigned zerofill",
            "UBIGINT",
            Type("integer", 20, 0, unsigned=True, name="bigint"),
        ),
        ("tinyint(1)", "BOOLEAN", Type("integer", 1, 0, name="tinyint")),
        (
            "decimal(5,0) unsigned",
            "DECIMAL(5,0)",
            Type("decimal", 5, 0, unsigned=True, name="decimal"),
        ),
        ("double(8,3)", "DOUBLE", Type("double", 8, 3, name="double")),
        ("datetime(6)", "TIMESTAMP", Type("datetime", 26, 6, name="datetime")),
        ("year(4)", "SMALLINT", Type("integer", 4, 0, unsigned=True, name="year")),
        (
            "enum('a','it''s, so')",
            "ENUM('a', 'it''s, so')",
            Type("enum", 8, members=("a", "it's, so"), name="enum"),
        ),
        ("binary(16)", "UUID", Type("uuid", 16, name="binary")),
        ("binary(16)", "BLOB", Type("binary", 16, name="binary")),
        ("longblob", "DOUBLE[]", Type("blob", 2**32 - 1, name="longblob")),
        ("json", "JSON", Type("json", 2**32 - 1, name="json")),
        ("inet6", "VARCHAR", Type("string", 2**32 - 1, name="longtext")),
    ],
)
def test_declared_types_are_mysqls_types(declared: str, held: str, meant: Type) -> None:
    assert type_of(declared, held) == meant


def test_lengths_of_types_are_those_of_the_servers_metadata(sides: SimpleNamespace) -> None:
    odd = sides.catalogue.table("ibl_reference", "odd")
    with sides.there.cursor() as cursor:
        cursor.execute("select * from ibl_reference.odd")
        told = {name: (size, scale) for name, _, _, size, _, scale, _ in cursor.description}
        texts = {
            field.name
            for field in cursor._result.fields
            if field.charsetnr != 63 and field.type_code != FIELD_TYPE.NEWDECIMAL
        }
    for column in odd.columns:
        size, scale = told[column.name]
        # MySQL counts four bytes to a character, within what its number can hold
        bytes_each = 4 if column.name in texts else 1
        assert min(column.type.length * bytes_each, 2**32 - 1) == size, column.name
        if column.type.decimals is not None:
            assert column.type.decimals == scale, column.name


SCHEMAS = "('ibl_reference', 'ibl_subject', 'ibl_acquisition', 'ibl_behavior')"
# as DataJoint 0.14 sends them, then as other clients do
SAME = f"""
show databases
show databases like 'ibl\\_s%'
show tables in `ibl_reference`
show tables in `ibl_reference` like "#lab"
show tables from ibl_subject like '_u%'
show full tables from ibl_subject where Table_type != 'VIEW' and tables_in_ibl_subject like 's%'
show full columns from `odd` in `ibl_reference`
show tables in `ibl_reference` like "#Lab"
show full columns from `__psych_results` in `ibl_analyses_behavior`
show columns from ibl_reference.odd where `Null` = 'NO' and (Field like '%name' or `Key` = 'UNI')
show fields from ibl_reference.odd like 'lab%'
describe ibl_behavior._trial_set
desc ibl_reference.odd number
explain ibl_reference.odd 'c%';
show keys from `ibl_reference`.`odd`
show keys from `ibl_reference`.`odder`
show keys from `ibl_behavior`.`_trial_set__trial`
show index from session from ibl_acquisition where Seq_in_index = 2
show table status from `ibl_reference` where name="odd"
show table status from `ibl_reference` like 'od%'
show create table `ibl_reference`.`odd`
show create table `ibl_reference`.`odder`
show create table `ibl_acquisition`.`session`
show create database if not exists ibl_subject
show create schema ibl_subject
show variables like 'lower_case_table_names'
show session variables where variable_name in ('sql_mode', 'tx_isolation')
show warnings
show errors limit 1
show count(*) warnings
show character set like 'utf8mb4'
show collation where Charset = 'utf8mb4' and `Default` = 'Yes'
show triggers from ibl_subject
show procedure status
show function status where db = 'ibl_subject'
select schema_name from information_schema.schemata where schema_name = 'ibl_behavior'
select concat('`', table_schema, '`.`', table_name, '`') as tab, column_name
 from information_schema.key_column_usage where table_name not like "~%"
 and table_schema in {SCHEMAS} and constraint_name="PRIMARY"
select constraint_name, concat('`', table_schema, '`.`', table_name, '`') as referencing_table,
 concat('`', referenced_table_schema, '`.`',  referenced_table_name, '`') as referenced_table,
 column_name, referenced_column_name from information_schema.key_column_usage
 where referenced_table_name not like "~%" and (referenced_table_schema in {SCHEMAS}
 or referenced_table_schema is not null and table_schema in {SCHEMAS})
select * from information_schema.schemata
select * from information_schema.columns where table_schema in {SCHEMAS}
select * from information_schema.key_column_usage where table_schema in {SCHEMAS}
"""
STATEMENTS = [line.replace("\0", "\n") for line in SAME.replace("\n ", "\0 ").strip().split("\n")]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_mirror_answers_as_the_server(sides: SimpleNamespace, statement: str) -> None:
    expected, answered = comparable(there(sides, statement)), comparable(here(sides, statement))

    assert answered[0] == expected[0]
    if statement.startswith("select"):
        expected, answered = sorted(expected, key=str), sorted(answered, key=str)
    assert answered == expected


@pytest.mark.parametrize(
    "statement",
    [
        "show tables",
        "show columns from subject",
        "describe ibl_subject.Subject",
        "show keys from ibl_subject.nothing",
        "show create table ibl_subject.nothing",
        "show columns from information_schema.nothing",
        "show create view ibl_subject.subject",
        "show create procedure ibl_subject.nothing",
        "show tables from ibl_subject like",
        "show tables from ibl_subject where",
        "show tables from ibl_subject where 1) or (1",
        "show tables from ibl_subject where 1; select 1",
        "show databases limit 1",
        "show master status",
        "show engine innodb status",
    ],
)
def test_the_mirror_refuses_as_the_server(sides: SimpleNamespace, statement: str) -> None:
    with pytest.raises(pymysql.MySQLError) as error:
        there(sides, statement)
    with pytest.raises(Refusal) as refusal:
        here(sides, statement)

    assert refusal.value.number == error.value.args[0]


def test_a_database_that_is_not_there_is_unknown(sides: SimpleNamespace) -> None:
    # a server says so to those only who may see every database
    for statement in ("show tables from nothing", "show create database nothing"):
        with pytest.raises(Refusal, match="Unknown database 'nothing'") as refusal:
            here(sides, statement)
        assert refusal.value.number == 1049


def test_names_and_patterns_stay_names_and_patterns(sides: SimpleNamespace) -> None:
    for statement in (
        r"show tables from ibl_subject like '\' union select 1 -- '",
        r"""show columns from ibl_subject.subject like '%\\'' or ''="'""",
        "show variables like 'a'' or 1 or ''b'",
        r"show variables like '\\'' or 1 -- '",
    ):
        assert here(sides, statement)[1] == []
    with pytest.raises(Refusal) as refusal:
        here(sides, "describe `ibl_subject`.`subject``; select 1; --`")
    assert refusal.value.number == 1146


def test_a_session_sees_its_own_database_process_and_variables(public: Engine) -> None:
    session, other = public.session("ann@127.0.0.1"), public.session()
    session.ask("use ibl_reference")
    session.ask("set autocommit = 0, sql_mode = 'STRICT_ALL_TABLES', character_set_results = null")

    assert session.ask("show tables like 'lab%'").rows() == [("lab_member",)]
    assert len(session.ask("describe lab_member").rows()) == 1
    assert session.ask("show processlist").rows()[0][1:4] == ("ann", "127.0.0.1", "ibl_reference")
    assert session.ask("show grants").fields[0].name == "Grants for ann@127.0.0.1"
    asked = "show variables where variable_name in ('autocommit', 'sql_mode')"
    assert session.ask(asked).rows() == [("autocommit", "OFF"), ("sql_mode", "STRICT_ALL_TABLES")]
    assert other.ask(asked).rows()[0] == ("autocommit", "ON")
    with pytest.raises(Refusal, match="No database selected"):
        other.ask("show tables")
