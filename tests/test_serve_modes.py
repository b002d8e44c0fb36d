"""sql_mode: which modes a mirror takes, by whatever way it is told."""

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from server import Server

from mirror.serve import modes
from mirror.serve.answers import Refusal
from mirror.serve.engine import Engine, Session


@pytest.fixture(scope="module")
def engine(simulated_file: Path) -> Iterator[Engine]:
    opened = Engine(simulated_file)
    yield opened
    opened.close()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    opened = engine.session()
    yield opened
    opened.close()


def test_a_number_stands_for_the_modes_that_it_is_on_the_server(server: Server) -> None:
    taken = set()
    for place in range(len(modes.MODES) + 1):
        try:
            server_says = server.run(f"set sql_mode = {1 << place}", "select @@sql_mode")[0][0]
        except pymysql.err.MySQLError as error:
            server_says = error.args[0]
        try:
            assert modes.settled(1 << place) == server_says
            taken |= set(server_says.split(","))
        except Refusal as refusal:
            is_known = isinstance(server_says, str)
            assert refusal.number == 1231 and is_known is (place < len(modes.MODES))
            assert not is_known or not set(server_says.split(",")) <= modes.TAKEN
    assert taken == modes.TAKEN


@pytest.mark.parametrize(
    ("value", "listed"),
    [
        ("''", ""),
        ("0", ""),
        ("'no_zero_date,,STRICT_ALL_TABLES '", "STRICT_ALL_TABLES,NO_ZERO_DATE"),
        ("4194304 | 32", "ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES"),
        ("concat('NO_ZERO', '_DATE')", "NO_ZERO_DATE"),
        ("concat(@@sql_mode, ',ONLY_FULL_GROUP_BY')", "ONLY_FULL_GROUP_BY,"),
        ("only_full_group_by", "ONLY_FULL_GROUP_BY"),
        ("replace('ANSI_QUOTES,NO_ZERO_DATE', 'ANSI_QUOTES,', '')", "NO_ZERO_DATE"),
    ],
)
@pytest.mark.parametrize("name", ["sql_mode", "@@session.sql_mode", "local sql_mode"])
def test_a_mode_is_taken_by_any_way_of_saying_it(
    session: Session, name: str, value: str, listed: str
) -> None:
    [(default,)] = session.ask("select @@sql_mode").rows()
    session.ask(f"set {name} = {value}")

    listed += default if listed.endswith(",") else ""
    assert session.ask("select @@sql_mode").rows() == [(listed,)]
    assert session.ask("show variables like 'sql_mode'").rows() == [("sql_mode", listed)]
    session.ask(f"set {name} = default")
    assert session.ask("select @@sql_mode").rows() == [(default,)]


def test_a_set_that_is_refused_sets_nothing(session: Session) -> None:
    before = session.ask("select @@sql_mode, @@autocommit").rows()
    with pytest.raises(Refusal):
        session.ask("set autocommit = 0, sql_mode = '', sql_mode = 4")

    assert session.ask("select @@sql_mode, @@autocommit").rows() == before
    assert session.ask('select "sex"').rows() == [("sex",)]
