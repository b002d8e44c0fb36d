"""The packaged declarations say what a server says that DataJoint has made them on."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import declared_server
import ibl
import pytest
import server as mariadb

from mirror.sources import declarations
from mirror.sources.datajoint import headings
from mirror.sources.declarations import Definition
from mirror.sources.library import nma_ibl_schemas
from mirror.tables import BOOKKEEPING, Table
from mirror.types import conversion


@pytest.fixture(scope="module")
def declared(server: mariadb.Server) -> Iterator[tuple[Table, ...]]:
    """The tables as a server describes them after DataJoint has declared all of them."""
    ibl.drop(server)
    declared_server.declare(ibl.connect(server))
    found, left_out = headings.read(
        lambda *queries: [server.run(query) for query in queries], nma_ibl_schemas()
    )
    assert {item.why for item in left_out} <= {BOOKKEEPING}
    yield tuple(found)
    ibl.drop(server)


def test_the_declarations_are_what_a_server_says(declared: tuple[Table, ...]) -> None:
    tables = declarations.tables()

    assert [str(table) for table in tables] == [str(table) for table in declared]
    for table, described in zip(tables, declared, strict=True):
        # character sets are the server's own choice
        columns = tuple(replace(c, character_set="", collation="") for c in described.columns)
        assert table == replace(described, columns=columns)


def test_the_schemas_are_those_of_nma_ibl_in_its_order() -> None:
    assert list(declarations.SCHEMAS.items()) == list(nma_ibl_schemas().items())


def test_every_table_is_there_once() -> None:
    tables = declarations.tables()

    assert Counter(table.schema for table in tables) == {
        "reference": 11,
        "subject": 28,
        "action": 17,
        "acquisition": 6,
        "data": 7,
        "behavior": 20,
        "behavior_analyses": 10,
    }
    assert len({str(table) for table in tables}) == len(set(tables)) == 99
    assert sum(len(table.columns) for table in tables) == 559


def test_names_and_tiers_survive_the_way_through_mysql() -> None:
    written = {
        (f"{definition.module}.{definition.name}", definition.tier)
        for definition in declarations.definitions()
    }

    assert {(table.datajoint_name, table.tier) for table in declarations.tables()} == written
    assert Counter(tier for _, tier in written) == Counter(
        Manual=44, Lookup=25, Imported=15, Computed=8, Part=7
    )


def test_every_type_is_known() -> None:
    for table in declarations.tables():
        for column in table.columns:
            assert not conversion(column).note, f"{table}.{column.name}"


def test_a_reference_brings_the_key_of_its_table_renamed_and_nullable() -> None:
    session = next(t for t in declarations.tables() if str(t) == "acquisition.session")
    lab = session.column("session_lab")

    assert lab is not None
    assert (lab.declared_type, lab.nullable, lab.key) == ("varchar(255)", True, "MUL")
    assert lab.comment == "name of lab"
    assert session.foreign_keys[1].columns == ("session_lab", "session_location")
    assert session.foreign_keys[1].references == ("lab_name", "location_name")


def test_a_line_that_cannot_be_read_is_named() -> None:
    mouse = Definition("subject", "Mouse", "Manual", "mouse_name : varchar(8)\nmouse_weight float")

    with pytest.raises(ValueError, match=r"subject\.Mouse has a line .*: mouse_weight float"):
        declarations.declare([mouse])
