"""Where the server and the login come from, what a login may see, and that no password leaks."""

import json
import os
import pty
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

import duckdb
import ibl
import pytest
import server as mariadb
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from test_failures import Gate, Started, finished, one_sentence, started, until

from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.connectorx_process import BATCH, SCHEMA
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import Options, sync

__all__ = ["started"]

USER, PASSWORD = mariadb.READER
# quick to copy, and enough to know that the login works
LITTLE = ("--schema", "reference")
NO_LOGIN = {"DJ_HOST": None, "DJ_USER": None, "DJ_PASS": None}


def rows(folder: Path, table: str) -> int:
    with duckdb.connect(str(folder / "ibl.duckdb"), read_only=True) as connection:
        return connection.execute(f"select count(*) from {table}").fetchall()[0][0]


def configuration(server: mariadb.Server, **custom: object) -> str:
    """A configuration file as DataJoint saves it."""
    return json.dumps(
        {
            "database.host": "127.0.0.1",
            "database.port": server.port,
            "database.user": USER,
            "database.password": PASSWORD,
            **custom,
        }
    )


# Where the login comes from


def test_the_port_may_stand_behind_the_host(
    tables: SimpleNamespace, server: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    run = finished(started("sync", *LITTLE, DJ_HOST=f"127.0.0.1:{server.port}"))

    assert run.returncode == 0, run.stderr
    assert rows(tmp_path, "reference.lab") == 2


def test_the_port_may_stand_in_the_configuration(
    tables: SimpleNamespace, server: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    (tmp_path / "dj_local_conf.json").write_text(json.dumps({"database.port": server.port}))

    run = finished(started("sync", *LITTLE, DJ_HOST="127.0.0.1"))

    assert run.returncode == 0, run.stderr
    assert rows(tmp_path, "reference.lab") == 2


@pytest.mark.parametrize("file", ["dj_local_conf.json", "home/.datajoint_config.json"])
def test_datajoints_configuration_files_are_read(
    tables: SimpleNamespace, server: mariadb.Server, tmp_path: Path, started: Started, file: str
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / file).write_text(configuration(server))

    run = finished(started("sync", *LITTLE, **NO_LOGIN, HOME=str(tmp_path / "home")))

    assert run.returncode == 0, run.stderr
    assert rows(tmp_path, "reference.lab") == 2


def test_the_local_file_goes_before_the_one_at_home_and_variables_before_both(
    tables: SimpleNamespace, server: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    (tmp_path / ".datajoint_config.json").write_text('{"database.user": "from-home"}')
    (tmp_path / "dj_local_conf.json").write_text(
        configuration(server, **{"database.user": "from-file", "database.password": "no"})
    )

    from_file = finished(started("sync", *LITTLE, **NO_LOGIN))
    from_variables = finished(started("sync", *LITTLE))

    assert "login of 'from-file'" in one_sentence(from_file, 3)
    assert from_variables.returncode == 0, from_variables.stderr


def test_options_go_before_the_configuration(
    tables: SimpleNamespace, server: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    options = ("--host", "127.0.0.1", "--port", str(server.port), "--user", USER)

    run = finished(
        started("sync", *LITTLE, *options, DJ_HOST="nowhere.invalid:1", DJ_USER="nobody")
    )

    assert run.returncode == 0, run.stderr
    assert rows(tmp_path, "reference.lab") == 2


def test_a_login_without_a_password_is_told(started: Started) -> None:
    assert "set DJ_PASS" in one_sentence(finished(started("sync", DJ_PASS=None)), 2)


# Passwords


def test_a_password_may_hold_letters_of_any_script(
    tables: SimpleNamespace, login: Login, server: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    password = "5 € é 日本 🐭"
    server.run(
        f"create user 'foreign'@'127.0.0.1' identified by '{password}'",
        "grant select on `ibl\\_%`.* to 'foreign'@'127.0.0.1'",
    )
    run = finished(started("sync", *LITTLE, DJ_USER="foreign", DJ_PASS=password))
    with closing(DataJointSource(replace(login, user="foreign", password=Secret(password)))) as own:
        is_read_by_connectorx = list(own.access.connectorx().frames(iter(["select 1"]), ()))

    server.run("drop user 'foreign'@'127.0.0.1'")
    assert run.returncode == 0, run.stderr
    assert rows(tmp_path, "reference.lab") == 2
    assert [kind for kind, _ in is_read_by_connectorx] == [SCHEMA, BATCH]


@pytest.mark.parametrize("redirection", ["</dev/null", "<&-"])
def test_a_password_is_asked_for_at_a_terminal_only(
    server: mariadb.Server, tmp_path: Path, redirection: str
) -> None:
    run = subprocess.run(
        ["sh", "-c", f'"$0" -m mirror sync --ask-password {redirection}', sys.executable],
        cwd=tmp_path,
        env={**mariadb.environment(server), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert "--ask-password needs a terminal" in one_sentence(run, 2)


def test_a_password_typed_at_a_terminal_does_not_show(
    tables: SimpleNamespace, server: mariadb.Server, tmp_path: Path
) -> None:
    environment = mariadb.environment(server) | {"HOME": str(tmp_path), "COLUMNS": "100"}
    del environment["DJ_PASS"]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        arguments = ["-m", "mirror", "sync", "--ask-password", *LITTLE]
        os.execve(sys.executable, [sys.executable, *arguments], environment)

    shown = b""

    def read() -> bool:
        """Take what the terminal shows; false at its end."""
        nonlocal shown
        ready, _, _ = select.select([terminal], [], [], 60)
        try:
            more = os.read(terminal, 4096) if ready else b""
        except OSError:
            # so Linux says that the program has closed its terminal
            more = b""
        shown += more
        return bool(more)

    prompt = f"Password of {USER} at 127.0.0.1: ".encode()
    while prompt not in shown:
        assert read(), shown
    os.write(terminal, PASSWORD.encode() + b"\n")
    while read():
        pass
    os.close(terminal)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0, shown
    assert PASSWORD.encode() not in shown
    assert b"2 tables" in shown
    assert rows(tmp_path, "reference.lab") == 2


def test_the_password_shows_nowhere(
    tables: SimpleNamespace, server: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    (tmp_path / "dj_local_conf.json").write_text(configuration(server))
    gate = Gate(server, "`ibl_analyses_behavior`.`__psych_results`")
    process = started("sync", **NO_LOGIN)
    until(gate.waiting, process)
    command_line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    gate.close()
    run = finished(process)

    assert run.returncode == 0, run.stderr
    (tmp_path / "dj_local_conf.json").unlink()
    written = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert len(written) == 1
    for place in (command_line, run.stdout.encode(), run.stderr.encode(), *written):
        assert PASSWORD.encode() not in place
        # nor as in connectorx's address
        assert b"p%40ss" not in place


def test_a_login_can_be_shown_without_its_password(login: Login) -> None:
    assert PASSWORD not in repr(login) + str(vars(login))


# What a login may do


def test_a_sync_only_selects(
    tables: SimpleNamespace, server: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    def state() -> list[tuple]:
        return [
            server.run(f"checksum table `{schema}`.`{table}`")
            for schema, table in server.run(
                "select table_schema, table_name from information_schema.tables"
                " where table_schema like 'ibl\\_%' order by 1, 2"
            )
        ]

    before = state()
    log = server.folder / "statements"
    server.run(f"set global general_log_file = '{log}'", "set global general_log = 1")
    try:
        run = finished(started("sync"))
    finally:
        server.run("set global general_log = 0")

    assert run.returncode == 0, run.stderr
    assert state() == before
    asked = [
        line.split("Query\t")[1].split(maxsplit=1)[0].lower().rstrip(";")
        for line in log.read_text(errors="replace").splitlines()
        if "Query\t" in line and "general_log" not in line
    ]
    assert "select" in asked
    # the transactions hold the moment that rows are counted at
    assert set(asked) <= {"select", "set", "show", "checksum", "start", "commit", "rollback"}


@pytest.fixture
def guest(server: mariadb.Server, tables: SimpleNamespace) -> Iterator[dict[str, str]]:
    """An account that may see nothing yet."""
    server.run("create user 'guest'@'127.0.0.1' identified by ''")
    yield {"DJ_USER": "guest", "DJ_PASS": ""}
    server.run("drop user 'guest'@'127.0.0.1'")


def grant(server: mariadb.Server, *rights: str) -> None:
    server.run(*(f"grant {right} to 'guest'@'127.0.0.1'" for right in rights))


def test_a_schema_that_a_login_may_not_see_is_reported(
    server: mariadb.Server, tmp_path: Path, guest: dict[str, str], started: Started
) -> None:
    grant(server, "select on ibl_reference.*", "select on ibl_subject.*")

    run = finished(started("sync", **guest))

    assert run.returncode == 0, run.stderr
    assert "left out: behavior, schema ibl_behavior is missing" in run.stderr
    assert rows(tmp_path, "subject.subject") == 2


def test_a_table_that_a_login_may_not_see_stays_behind(
    server: mariadb.Server, tmp_path: Path, guest: dict[str, str], started: Started
) -> None:
    grant(
        server,
        "select on ibl_reference.*",
        "select on ibl_subject.subject",
        "select on ibl_subject.subject_lab",
    )

    run = finished(started("sync", **guest))

    assert run.returncode == 0, run.stderr
    assert rows(tmp_path, "subject.subject") == rows(tmp_path, "subject.subject_lab") == 2
    with duckdb.connect(str(tmp_path / "ibl.duckdb"), read_only=True) as connection:
        held = connection.execute(
            "select table_name from _mirror.tables where schema_name = 'subject'"
        ).fetchall()
    assert set(held) == {("subject",), ("subject_lab",)}


def test_a_table_that_a_login_may_no_longer_see_is_not_given_up(
    server: mariadb.Server, tmp_path: Path, guest: dict[str, str], started: Started
) -> None:
    grant(server, "select on ibl_subject.subject", "select on ibl_subject.subject_lab")
    assert finished(started("sync", **guest)).returncode == 0
    server.run("revoke select on ibl_subject.subject_lab from 'guest'@'127.0.0.1'")

    run = finished(started("sync", **guest))

    assert run.returncode == 2
    assert "holds more, such as subject.subject_lab, than this sync would bring" in run.stderr
    assert rows(tmp_path, "subject.subject_lab") == 2
    assert finished(started("sync", "--full", **guest)).returncode == 0


def test_a_table_that_shows_but_refuses_select_is_reported(
    server: mariadb.Server, tmp_path: Path, guest: dict[str, str], started: Started
) -> None:
    grant(server, "select on ibl_reference.*", "insert on ibl_subject.subject")
    # before that its checksum, not its rows, would be asked for first
    until(
        lambda: server.run(
            "select 1 from information_schema.tables where table_schema = 'ibl_subject'"
            " and table_name = 'subject' and update_time < now() - interval 1 second"
        )
    )

    run = finished(started("sync", **guest))

    assert run.returncode == 0, run.stderr
    assert "left out: subject.subject, the server refuses SELECT" in run.stderr
    assert rows(tmp_path, "reference.lab") == 2


def test_a_column_that_a_login_may_not_see_does_not_hinder_the_others(
    server: mariadb.Server, tmp_path: Path, guest: dict[str, str], started: Started
) -> None:
    grant(
        server,
        "select on ibl_reference.*",
        "select (subject_uuid, subject_nickname, sex) on ibl_subject.subject",
    )

    run = finished(started("sync", **guest))

    assert run.returncode == 0, run.stderr
    with duckdb.connect(str(tmp_path / "ibl.duckdb"), read_only=True) as connection:
        assert connection.execute(
            "select subject_nickname, sex from subject.subject order by all"
        ).fetchall() == [("CSHL_001", "M"), ("KS014", "F")]
    assert "subject.subject" in run.stderr


def test_a_login_that_may_see_nothing_is_told(guest: dict[str, str], started: Started) -> None:
    run = finished(started("sync", **guest))

    assert "check the rights of the login" in one_sentence(run, 2)


def test_a_missing_schema_is_reported(
    server: mariadb.Server, tables: SimpleNamespace, tmp_path: Path, started: Started
) -> None:
    server.run("drop database ibl_analyses_behavior")

    run = finished(started("sync"))

    assert run.returncode == 0, run.stderr
    assert "left out: behavior_analyses, schema ibl_analyses_behavior is missing" in run.stderr
    assert rows(tmp_path, "behavior.trial_set") == 4


def test_a_prefix_before_the_schemas_is_respected(
    server: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    (tmp_path / "dj_local_conf.json").write_text('{"custom": {"database.prefix": "lab_"}}')
    ibl.drop(server, "lab_")
    try:
        ibl.declare(ibl.connect(server), prefix="lab_")
        run = finished(started("sync"))
    finally:
        ibl.drop(server, "lab_")

    assert run.returncode == 0, run.stderr
    assert rows(tmp_path, "behavior.trial_set") == 4


# Encryption


@pytest.fixture(scope="module")
def encrypting() -> Iterator[mariadb.Server]:
    """A server that offers TLS with a certificate of its own, and a login that requires it."""
    with tempfile.TemporaryDirectory(prefix="ibl-") as folder:
        certificate, key = self_signed(Path(folder))
        tls = (f"--ssl-cert={certificate}", f"--ssl-key={key}")
        server = mariadb.start(Path(folder), *tls)
        ibl.declare(ibl.connect(server))
        server.run(
            "create user 'careful'@'127.0.0.1' identified by 'p@ss' require ssl",
            "grant select on `ibl\\_%`.* to 'careful'@'127.0.0.1'",
        )
        yield server
        server.stop()


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def cipher(source: DataJointSource) -> str:
    """What encrypts a connection as the rows are read through; empty where nothing does."""
    connection = source.access.server.dial()
    with connection.cursor() as cursor:
        cursor.execute("show session status like 'Ssl_cipher'")
        found = cursor.fetchone()[1]
    connection.close()
    return found


@pytest.fixture
def opened() -> Iterator[Callable[..., DataJointSource]]:
    sources = []

    def to(
        server: mariadb.Server,
        use_tls: bool | dict | None,
        account: tuple[str, str] = mariadb.READER,
    ) -> DataJointSource:
        user, password = account
        at = Login("127.0.0.1", server.port, user, Secret(password), use_tls, "")
        sources.append(DataJointSource(at))
        return sources[-1]

    yield to
    for source in sources:
        source.close()


@pytest.mark.parametrize("use_tls", [None, True, False])
def test_a_server_with_tls_is_mirrored_whatever_datajoint_is_told(
    encrypting: mariadb.Server,
    tmp_path: Path,
    started: Started,
    use_tls: bool | None,
) -> None:
    (tmp_path / "dj_local_conf.json").write_text(json.dumps({"database.use_tls": use_tls}))

    run = finished(started("sync", "--schema", "behavior", **mariadb.environment(encrypting)))

    assert run.returncode == 0, run.stderr
    assert rows(tmp_path, "behavior.trial_set__trial") == 4 * ibl.TRIALS_PER_SESSION


def test_connections_are_encrypted_when_datajoints_are(
    encrypting: mariadb.Server, opened: Callable[..., DataJointSource]
) -> None:
    assert cipher(opened(encrypting, None))
    assert cipher(opened(encrypting, True))
    assert not cipher(opened(encrypting, False))


def test_what_must_be_encrypted_is_not_read_by_what_cannot_encrypt(
    encrypting: mariadb.Server, opened: Callable[..., DataJointSource]
) -> None:
    assert not opened(encrypting, True).fast
    assert not opened(encrypting, {"ca": str(encrypting.folder / "cert.pem")}).fast
    assert opened(encrypting, False).fast


@pytest.mark.both_servers
@pytest.mark.parametrize("use_tls", [None, False], ids=["encrypted if offered", "in the clear"])
def test_either_reader_sends_a_password_that_the_server_does_not_remember(
    server: mariadb.Server,
    tables: SimpleNamespace,
    opened: Callable[..., DataJointSource],
    tmp_path: Path,
    use_tls: bool | None,
) -> None:
    # until then, MySQL's caching_sha2_password is content with a digest
    server.run("flush privileges")
    source = opened(server, use_tls)
    assert bool(cipher(source)) is (server.kind == "mysql" and use_tls is None)
    for is_fast in (True, False):
        source.fast = is_fast
        server.run("flush privileges")

        report = sync(source, tmp_path / f"{is_fast}.duckdb", Options(table=("reference.lab",)))

        assert [table.rows for table in report.tables] == [2] and source.fast is is_fast


def test_a_login_that_requires_tls_works(
    encrypting: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    at = mariadb.environment(encrypting, ("careful", "p@ss"))

    run = finished(started("sync", "--schema", "behavior", **at))

    assert run.returncode == 0, run.stderr
    assert rows(tmp_path, "behavior.trial_set__trial") == 4 * ibl.TRIALS_PER_SESSION


def test_a_login_that_requires_tls_is_refused_without(
    encrypting: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    (tmp_path / "dj_local_conf.json").write_text('{"database.use_tls": false}')
    at = mariadb.environment(encrypting, ("careful", "p@ss"))

    assert "refused the login of 'careful'" in one_sentence(finished(started("sync", **at)), 3)


def test_tls_that_is_asked_for_but_not_offered_is_an_error(
    tables: SimpleNamespace, tmp_path: Path, started: Started
) -> None:
    (tmp_path / "dj_local_conf.json").write_text('{"database.use_tls": true}')

    assert "offers no encryption" in one_sentence(finished(started("sync")), 3)


def test_a_certificate_that_is_not_trusted_is_an_error(
    encrypting: mariadb.Server, tmp_path: Path, started: Started
) -> None:
    other, _ = self_signed(tmp_path)
    (tmp_path / "dj_local_conf.json").write_text(
        json.dumps({"database.use_tls": {"ca": str(other)}})
    )

    run = finished(started("sync", **mariadb.environment(encrypting)))

    assert "certificate" in one_sentence(run, 3)


if __name__ == "__main__":
    pytest.main()
