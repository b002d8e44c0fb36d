"""What the tests share: one MariaDB, a fresh small IBL database in it, and a browser."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import browser as chromium
import duckdb
import ibl
import pytest
import server as mariadb
from playwright.sync_api import Browser, Page

from mirror import connect
from mirror.sources.datajoint import DataJointSource
from mirror.sources.demo import DemoSource
from mirror.sources.login import Login, Secret
from mirror.sync import sync


@pytest.fixture(scope="session")
def server() -> Iterator[mariadb.Server]:
    # pytest's own folders have names too long for a socket
    with tempfile.TemporaryDirectory(prefix="ibl-") as folder:
        running = mariadb.start(Path(folder))
        yield running
        running.stop()


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
