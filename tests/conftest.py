"""What the tests share: the servers, a fresh small IBL database in one, and a browser."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import browser as chromium
import duckdb
import ibl
import pytest
import server as mariadb
from playwright.sync_api import Browser, Page
from server import KINDS, Kind

from mirror import connect
from mirror.sources.datajoint import DataJointSource, counting
from mirror.sources.datajoint.login import Login, Secret
from mirror.sources.demo import DemoSource
from mirror.syncing import sync

# What a test needs that asks for a fixture, by any way.
NEEDS = {"servers": "server", "browser": "browser", "spark": "spark"}


# before -m chooses by the markers
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture, marker in NEEDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_for_both = metafunc.definition.get_closest_marker("both_servers")
    if is_for_both and "server" in metafunc.fixturenames:
        metafunc.parametrize("server", KINDS, indirect=True, scope="function")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if "mysql" not in KINDS:
        terminalreporter.line(
            "NOT RUN ON MYSQL: it is not here, so that tests for both servers ran on MariaDB"
            " alone; 'bash tests/mysql.sh' fetches it, or says why it cannot",
            red=True,
        )


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[Kind], mariadb.Server]]:
    """The server of each kind, started when the first test asks for it."""
    with ExitStack() as until_the_end:

        @cache
        def running(kind: Kind) -> mariadb.Server:
            # pytest's own folders have names too long for a socket
            folder = until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="ibl-"))
            started = mariadb.start(Path(folder), kind=kind)
            until_the_end.callback(started.stop)
            return started

        yield running


@pytest.fixture(scope="session")
def server(
    servers: Callable[[Kind], mariadb.Server], request: pytest.FixtureRequest
) -> mariadb.Server:
    """MariaDB; in tests for both servers, each in turn."""
    return servers(getattr(request, "param", "mariadb"))


@pytest.fixture
def tables(server: mariadb.Server) -> Iterator[SimpleNamespace]:
    """The classes of a small IBL database, filled anew for each test."""
    ibl.drop(server)
    yield ibl.declare(ibl.connect(server))
    ibl.drop(server)


@pytest.fixture
def login(server: mariadb.Server) -> Login:
    """The account that may only read."""
    user, password = mariadb.READER
    return Login("127.0.0.1", server.port, user, Secret(password), None, "")


@pytest.fixture
def source(login: Login, tables: SimpleNamespace) -> Iterator[DataJointSource]:
    opened = DataJointSource(login)
    yield opened
    opened.close()


@pytest.fixture
def singly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small tables read as large ones are, each on its own."""
    monkeypatch.setattr(counting, "SMALL_ROWS", -1)


@pytest.fixture
def mirror(server: mariadb.Server, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Run the command `mirror` in an empty folder, as the account that may only read."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "mirror", *arguments],
            cwd=tmp_path,
            env={**mariadb.environment(server), "HOME": str(tmp_path), **variables},
            capture_output=True,
            text=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture(scope="session")
def simulated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror of a few simulated mice, enough for every chart."""
    source = DemoSource(6)
    file = tmp_path_factory.mktemp("simulated") / "demo.duckdb"
    sync(source, file)
    source.close()
    return file


@pytest.fixture(scope="session")
def simulated(simulated_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(simulated_file) as connection:
        yield connection


# of a module, not of the session: while Playwright is open, nothing else can run asyncio
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.started() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page; the test fails on errors in it, and on requests that leave the machine."""
    with chromium.opened(browser) as page:
        yield page
