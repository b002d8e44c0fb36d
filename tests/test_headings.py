"""Headings as other servers than the tests' own write them."""

from collections.abc import Sequence

from mirror.sources import headings
from mirror.types import conversion

# what MySQL 8.0 and 5.7 answer where MariaDB 10.11 answers otherwise: no display widths but
# for tinyint(1) in 8.0, bare defaults, bytes for the longer texts
MYSQL_8 = (
    ("lab_name", b"varchar(255)", "NO", None, "PRI", "", b"name of lab"),
    ("n_mice", b"int", "YES", b"7", "", "", b""),
    ("is_open", b"tinyint(1)", "NO", b"1", "", "", b""),
    ("lab_ts", b"timestamp", "NO", b"CURRENT_TIMESTAMP", "", "DEFAULT_GENERATED", b""),
)
MYSQL_5_7 = (
    ("lab_name", "varchar(255)", "NO", None, "PRI", "", "name of lab"),
    ("n_mice", "int(11)", "YES", "7", "", "", ""),
    ("is_open", "tinyint(1)", "NO", "1", "", "", ""),
    ("lab_ts", "timestamp", "NO", "CURRENT_TIMESTAMP", "", "", ""),
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

    [table], [] = headings.read(ask, {"reference": "ibl_reference"})
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
