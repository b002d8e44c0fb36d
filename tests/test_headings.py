"""Headings as the tests' servers write them, and as older ones do."""

from collections.abc import Sequence

import pytest
from server import Server

from mirror.sources.datajoint import DataJointSource, headings
from mirror.types import conversion

# what MySQL 8.0 and 5.7 answer where MariaDB 10.11 answers otherwise: no display widths but
# for tinyint(1) in 8.0, another word for the time of day, bytes for the longer texts
MYSQL_8 = (
    ("lab_name", b"varchar(255)", "NO", "NULL", "PRI", "", b"name of lab"),
    ("n_mice", b"int", "YES", b"'7'", "", "", b""),
    ("is_open", b"tinyint(1)", "NO", b"'1'", "", "", b""),
    ("lab_ts", b"timestamp", "NO", b"'CURRENT_TIMESTAMP'", "", "DEFAULT_GENERATED", b""),
)
MYSQL_5_7 = (
    ("lab_name", "varchar(255)", "NO", "NULL", "PRI", "", "name of lab"),
    ("n_mice", "int(11)", "YES", "'7'", "", "", ""),
    ("is_open", "tinyint(1)", "NO", "'1'", "", "", ""),
    ("lab_ts", "timestamp", "NO", "'CURRENT_TIMESTAMP'", "", "", ""),
)
MARIADB = (
    ("lab_name", "varchar(255)", "NO", "'it''s'", "PRI", "", "name of lab"),
    ("n_mice", "int(11)", "YES", "NULL", "", "", ""),
)


def read(columns: Sequence[tuple]) -> headings.Table:
    """The one table that a server describes with these columns."""

    def ask(query: str) -> Sequence[tuple]:
        if "schemata" in query:
            return [("ibl_reference",)]
        if "information_schema.columns" in query:
            return [("ibl_reference", "#lab", *column) for column in columns]
        if "statistics" in query:
            return [("ibl_reference", "#lab", "lab_name")]
        if "key_column_usage" in query:
            return []
        return [("ibl_reference", "#lab", "BASE TABLE", "")]

    def ask_all(*queries: str) -> Sequence[Sequence[tuple]]:
        return [ask(query) for query in queries]

    [table], [] = headings.read(ask_all, {"reference": "ibl_reference"})
    return table


def test_mysql_5_7_and_8_and_mariadb_declare_the_same_types() -> None:
    types = [
        [conversion(column).duckdb_type for column in read(server).columns]
        for server in (MYSQL_8, MYSQL_5_7)
    ]

    assert types[0] == types[1] == ["VARCHAR", "INTEGER", "BOOLEAN", "TIMESTAMP"]


def test_defaults_are_values_whatever_way_the_server_writes_them() -> None:
    eight, five, maria = (
        [c.default for c in read(s).columns] for s in (MYSQL_8, MYSQL_5_7, MARIADB)
    )

    assert eight == five == [None, "7", "1", "CURRENT_TIMESTAMP"]
    assert maria == ["it's", None]


def test_comments_and_keys_survive() -> None:
    table = read(MYSQL_8)

    assert table.columns[0].description == "name of lab"
    assert (str(table), table.tier, table.primary_key) == ("reference.lab", "Lookup", ("lab_name",))


@pytest.mark.both_servers
def test_mysql_and_mariadb_describe_a_table_alike(source: DataJointSource, server: Server) -> None:
    server.run(
        r"""
        create table ibl_behavior.__odd__part (
            subject_uuid binary(16) comment ':uuid:',
            id smallint unsigned auto_increment,
            a varchar(9) not null default 'NULL' comment 'it''s \\ "so"',
            b varchar(9) default '''q''',
            c varchar(9) default 'a''b\\c\nd',
            d int default 7,
            e enum('x', 'Ü''') default 'Ü''',
            f tinyint(1) not null,
            g decimal(10,2) default 1,
            h varchar(9) default '',
            at timestamp not null default current_timestamp,
            primary key (subject_uuid, id), unique (id), unique (a),
            foreign key (subject_uuid) references ibl_subject.subject (subject_uuid)
        ) comment 'Ünpaired'
        """
    )

    [table] = [table for table in source.tables()[0] if table.mysql_table == "__odd__part"]

    assert (str(table), table.comment) == ("behavior.odd__part", "Ünpaired")
    assert table.primary_key == ("subject_uuid", "id")
    [key] = table.foreign_keys
    assert key.columns == key.references == ("subject_uuid",)
    assert (key.mysql_schema, key.mysql_table) == ("ibl_subject", "subject")
    *columns, at = table.columns
    assert [
        (c.name, conversion(c).duckdb_type, c.nullable, c.default, c.key, c.description)
        for c in columns
    ] == [
        ("subject_uuid", "UUID", False, None, "PRI", ""),
        ("id", "USMALLINT", False, None, "PRI", ""),
        ("a", "VARCHAR", False, "NULL", "UNI", 'it\'s \\ "so"'),
        ("b", "VARCHAR", True, "'q'", "", ""),
        ("c", "VARCHAR", True, "a'b\\c\nd", "", ""),
        ("d", "INTEGER", True, "7", "", ""),
        ("e", "ENUM('x', 'Ü''')", True, "Ü'", "", ""),
        ("f", "BOOLEAN", False, None, "", ""),
        ("g", "DECIMAL(10,2)", True, "1.00", "", ""),
        ("h", "VARCHAR", True, "", "", ""),
    ]
    # MariaDB writes current_timestamp()
    assert (at.default or "").upper().startswith("CURRENT_TIMESTAMP")
