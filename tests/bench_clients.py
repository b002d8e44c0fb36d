"""What MySQL clients read from `mirror serve`, beside what they read from MariaDB.

    python tests/bench_clients.py ibl.duckdb --host HOST:PORT [--only WORD]

DJ_USER and DJ_PASS log in to the server that the mirror was made of. Each client connects, lists,
describes, selects with parameters, finds a mouse by its key, and reads sessions and 10,000 trials
from both; the table says for each step whether rows and types were equal. Python's clients are
installed by uv and Node's by npm, into environments of their own; the others are Debian's:
odbc-mariadb, php-mysql, r-cran-rmysql, r-cran-rodbc, ruby-mysql2, libdbd-mysql-perl,
libdbd-mariadb-perl, libmariadb-java with a JDK, and golang-github-go-sql-driver-mysql-dev. What
is not here is left out, and told. To a login that may only read, MariaDB tells no constraints.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench_serve import served

FOLDER = Path(__file__).parent / "clients"
sys.path.insert(0, str(FOLDER))
import asked  # noqa: E402

ASKED = {name: value for name, value in vars(asked).items() if name.isupper()}
STEPS = ("connect", "list", "describe", "parameters", "key", "sessions", "trials")
JAR = "/usr/share/java/mariadb-java-client.jar"
GOPATH = "/usr/share/gocode"


@dataclass(frozen=True)
class Client:
    """A program that asks: what uv or npm installs for it, what must be here, and its command."""

    name: str
    command: tuple[str, ...]
    packages: tuple[str, ...] = ()
    python: str = ""
    needs: str = ""


def python(
    name: str, script: str, *packages: str, version: str = "3.11", needs: str = ""
) -> Client:
    return Client(name, ("python", "-W", "ignore", *script.split()), packages, version, needs)


def plain(name: str, command: str, needs: str, *packages: str) -> Client:
    return Client(name, tuple(command.split()), packages, "", needs)


CLIENTS = (
    python(
        "DataJoint 0.12.9",
        "datajoint_.py",
        "datajoint==0.12.9",
        "numpy<1.24",
        "pandas<2",
        "pymysql<1.1",
        "setuptools<81",
        version="3.9",
    ),
    python(
        "DataJoint 0.13.8", "datajoint_.py", "datajoint==0.13.8", "setuptools<81", "pymysql<1.2"
    ),
    python("DataJoint 0.14.10", "datajoint_.py", "datajoint==0.14.10", "pymysql<1.2"),
    python("DataJoint 2.3.5", "datajoint_.py", "datajoint==2.3.5"),
    python("PyMySQL", "dbapi.py pymysql", "pymysql"),
    python("mysql-connector, pure", "dbapi.py pure", "mysql-connector-python"),
    python("mysql-connector, prepared", "dbapi.py pure-prepared", "mysql-connector-python"),
    python("mysql-connector, C extension", "dbapi.py c", "mysql-connector-python==9.1.0"),
    python("mysql-connector, C, prepared", "dbapi.py c-prepared", "mysql-connector-python==9.1.0"),
    python("SQLAlchemy, PyMySQL", "sqlalchemy_.py pymysql", "sqlalchemy", "pymysql"),
    python(
        "SQLAlchemy, mysql-connector",
        "sqlalchemy_.py mysqlconnector",
        "sqlalchemy",
        "mysql-connector-python==9.1.0",
    ),
    python("Django, PyMySQL", "django_.py", "django", "pymysql"),
    python("connectorx", "frames.py connectorx", "connectorx", "pyarrow"),
    python("polars", "frames.py polars", "polars", "connectorx", "pyarrow"),
    python(
        "DuckDB's mysql extension",
        "frames.py duckdb",
        "duckdb==1.5.5",
        "duckdb-extension-mysql-scanner==1.5.5",
    ),
    python("pyodbc, MariaDB ODBC", "dbapi.py odbc", "pyodbc", needs="isql"),
    plain("Node, mysql2", "node node.js mysql2", "npm", "mysql2"),
    plain("Node, mariadb", "node node.js mariadb", "npm", "mariadb"),
    plain("Go, database/sql", "go run go.go", "go"),
    plain("PHP, mysqli", "php php.php mysqli", "php"),
    plain("PHP, PDO", "php php.php pdo", "php"),
    plain("Ruby, mysql2", "ruby ruby.rb", "ruby"),
    plain("Perl, DBD::mysql", "perl perl.pl mysql", "perl"),
    plain("Perl, DBD::MariaDB", "perl perl.pl MariaDB", "perl"),
    plain("R, RMySQL", "Rscript r.R RMySQL", "Rscript"),
    plain("R, RODBC", "Rscript r.R RODBC", "Rscript"),
    plain("MariaDB Connector/J", f"java -cp {JAR} Jdbc.java", "javac"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--host", default="127.0.0.1:3306")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    host, _, port = arguments.host.partition(":")
    theirs = {"HOST": host, "PORT": port or "3306"}
    theirs |= {"NAME": os.environ["DJ_USER"], "PASS": os.environ["DJ_PASS"]}
    with (
        tempfile.TemporaryDirectory(prefix="ibl-") as folder,
        served(arguments.mirror.resolve()) as (own_port, _),
    ):
        ours = {"HOST": "127.0.0.1", "PORT": str(own_port), "NAME": "ibl", "PASS": "any"}
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        print(f"\n| client | {' | '.join(STEPS)} |\n| --- {'| --- ' * len(STEPS)}|")
        for client in CLIENTS:
            if arguments.only.lower() not in client.name.lower():
                continue
            if client.needs and not shutil.which(client.needs):
                print(f"| {client.name} | not here: {client.needs} |", flush=True)
                continue
            answers = [_run(client, login, Path(folder)) for login in (theirs, ours)]
            said = [_verdict(*(answer.get(step) for answer in answers)) for step in STEPS]
            print(f"| {client.name} | {' | '.join(said)} |", flush=True)


def _verdict(theirs: str | None, ours: str | None) -> str:
    if theirs is None:
        return "not by the server" if ours is None else "here only"
    return "no" if ours is None else "equal" if theirs == ours else "differs"


def _run(client: Client, login: dict[str, str], folder: Path) -> dict[str, str]:
    """What a client was answered, by steps."""
    command = list(client.command)
    if client.python:
        uv = shutil.which("uv") or "uv"
        packages = [part for package in client.packages for part in ("--with", package)]
        command = [
            uv,
            "run",
            "--quiet",
            "--no-project",
            "--python",
            client.python,
            *packages,
            *command,
        ]
    elif client.packages:
        subprocess.run(["npm", "install", "--silent", *client.packages], cwd=folder, check=True)
    if command[0] in ("java", "Rscript"):
        command += [ASKED[name] for name in ("TABLE", "PARAMETERS", "KEY", "SESSIONS", "TRIALS")]
    keep = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    own = {"HOME": str(folder), "ASKED": json.dumps(ASKED), "GOPATH": GOPATH, "GO111MODULE": "off"}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**keep, **own, **login, "UV_CACHE_DIR": str(folder / "cache"), "GOCACHE": str(folder)},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=600,
    )
    if done.returncode:
        print(
            f"{client.name} at {login['PORT']}: {(done.stderr or done.stdout)[-600:]}",
            file=sys.stderr,
        )
    lines = [line.split(" ", 2)[1:] for line in done.stdout.splitlines() if line.startswith("did ")]
    return {step: answer for step, answer in lines}


if __name__ == "__main__":
    main()
