"""Private servers for the tests: own data directory, free port, gone when they are.

MariaDB is the tests' own; MySQL is there where `tests/mysql.sh` could fetch it.
"""

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from typing import Literal

import pymysql

HOW_TO_GET_IT = (
    "MariaDB is not installed: run 'bash tests/run.sh', or apt-get install mariadb-server"
)
MYSQL = Path(__file__).parent.parent / ".mysql"
Kind = Literal["mariadb", "mysql"]
KINDS: tuple[Kind, ...] = ("mariadb", "mysql") if (MYSQL / "mysqld").exists() else ("mariadb",)
WRITER, READER = ("writer", "write it"), ("reader", "p@ss/w:rd %")


@dataclass
class Server:
    """A running server, and the two accounts that tests use."""

    kind: Kind
    folder: Path
    port: int
    process: subprocess.Popen

    @property
    def socket(self) -> Path:
        return self.folder / "s"

    def admin(self, database: str | None = None) -> pymysql.Connection:
        return pymysql.connect(
            unix_socket=str(self.socket),
            user=getuser() if self.kind == "mariadb" else "root",
            database=database,
            charset="utf8mb4",
            autocommit=True,
        )

    def run(self, *statements: str) -> tuple:
        """Run statements as the administrator; returns the last one's rows."""
        connection = self.admin()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


def start(folder: Path, *options: str, port: int | None = None, kind: Kind = "mariadb") -> Server:
    """Start a server in a folder; the path must be short, for its socket's sake."""
    data = folder / "d"
    command = _mariadb(folder, data) if kind == "mariadb" else _mysql(folder, data)
    port = port or free_port()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [
                *command,
                f"--user={getuser()}",
                f"--datadir={data}",
                f"--socket={folder / 's'}",
                f"--port={port}",
                # a server that starts clears this folder of what it takes for its own
                f"--tmpdir={folder}",
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--character-set-server=utf8mb4",
                # what a test writes need not outlive the machine
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-doublewrite=0",
                *options,
            ],
            stdout=log,
            stderr=log,
        )
    server = Server(kind, folder, port, process)
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"{kind} ended: {(folder / 'log').read_text()[-2000:]}")
        try:
            server.run("select 1")
            break
        except pymysql.err.OperationalError:
            time.sleep(0.1)
    for (user, password), rights in ((WRITER, "ALL"), (READER, "SELECT")):
        server.run(
            f"create user if not exists '{user}'@'127.0.0.1' identified by '{password}'",
            f"grant {rights} on `ibl\\_%`.* to '{user}'@'127.0.0.1'",
            f"grant {rights} on `lab\\_ibl\\_%`.* to '{user}'@'127.0.0.1'",
        )
    return server


def _mariadb(folder: Path, data: Path) -> list[str]:
    program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    if program is None:
        raise RuntimeError(HOW_TO_GET_IT)
    if not data.exists():
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--user={getuser()}",
                f"--datadir={data}",
                f"--tmpdir={folder}",
                "--auth-root-authentication-method=socket",
                f"--auth-root-socket-user={getuser()}",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
        )
    # without it, declaring tables takes four times as long
    return [program, "--no-defaults", "--debug-no-sync"]


def _mysql(folder: Path, data: Path) -> list[str]:
    if not data.exists():
        shutil.copytree(MYSQL / "data", data)
    return [
        str(MYSQL / "mysqld"),
        "--mysqlx=OFF",
        "--disable-log-bin",
        f"--pid-file={folder / 'pid'}",
        "--innodb-flush-method=nosync",
        "--innodb-redo-log-capacity=8388608",
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(server: Server, account: tuple[str, str] = READER) -> dict[str, str]:
    """What a shell needs to reach the server with DataJoint's own variables."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("DJ_", "MIRROR_"))}
    return {
        **plain,
        "DJ_HOST": f"127.0.0.1:{server.port}",
        "DJ_USER": account[0],
        "DJ_PASS": account[1],
    }
