"""What comes to a port besides clients: silence, lies, floods and noise."""

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wired import FLAGS, PASSWORD, Raw, Served, ask, error, packet, serving

from mirror.serve.wire import channel as wire_channel
from mirror.serve.wire import client as wire_client

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]

FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TLS = 1 << 11


@pytest.fixture(scope="module")
def served(simulated_file: Path) -> Iterator[Served]:
    with serving(simulated_file) as served:
        yield served
        # whatever has happened before, the next client is served
        assert served.ask("select 1") == ((1,),)


@pytest.mark.parametrize("is_waiting", [True, False])
def test_nothing_is_answered_to_who_ignores_a_refusal(served: Served, is_waiting: bool) -> None:
    query = packet(b"\x03select * from ibl_reference.`#lab`", 0)
    with served.raw() as client:
        client.greeting()
        if is_waiting:
            assert error(client.claim(b"x" * 20, b"mysql_native_password")) == 1045
            said = b""
        else:
            start = FLAGS.to_bytes(4, "little") + bytes(28) + b"anyone\0\x14" + b"x" * 20
            client.socket.sendall(packet(start + b"mysql_native_password\0", 1) + query)
            said = client.rest()
            assert error(said[4:]) == 1045
        with suppress(ConnectionError):
            client.socket.sendall(query * 2)
        assert b"lab" not in said + client.rest()


def test_a_command_instead_of_a_login_is_not_answered(served: Served) -> None:
    for message in (b"\x03select 1", b"\x0e", b"\x11anyone\0\0\0", b""):
        with served.raw() as client:
            client.greeting()
            client.send(message)
            assert error(client.receive()) in (1043, 1835)
            assert client.receive() is None


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\x20",
        packet(b"x" * 40, 1)[:20],
        packet((FLAGS | TLS).to_bytes(4, "little") + bytes(28), 1),
    ],
)
def test_who_does_not_finish_the_login_is_left(
    served: Served, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(wire_client, "LOGIN_SECONDS", 0.3)
    with served.raw() as client:
        client.greeting()
        client.socket.sendall(start)
        began = time.monotonic()
        client.rest()
        assert time.monotonic() - began < 5


def test_who_stops_in_the_middle_of_a_statement_is_left(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_channel, "READ_SECONDS", 0.3)
    with served.raw() as client:
        client.log_in()
        client.socket.sendall(packet(b"\x03" + b"x" * 10_000, 0)[:-1])
        assert client.receive() is None


def test_who_is_silent_for_hours_is_left(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with served.raw() as client:
        monkeypatch.setattr(wire_channel, "IDLE_SECONDS", 0.3)
        client.log_in()
        assert client.receive() is None


def test_statements_may_have_sixteen_megabytes(served: Served) -> None:
    connection = served.connect()
    comment = "/*" + "x" * (15 << 20) + "*/"
    assert ask(connection, f"select 1 {comment}") == ((1,),)
    with pytest.raises(pymysql.err.OperationalError, match="1153"):
        ask(connection, f"select 1 {comment * 3}")
    with pytest.raises(pymysql.err.Error):
        ask(connection, "select 1")
    with served.raw() as client:
        client.log_in()
        # as much is announced, and never comes
        client.socket.sendall(b"\xff\xff\xff\0" + bytes(0xFFFFFF) + b"\xff\xff\xff\1")
        assert error(client.receive()) == 1153
        assert client.receive() is None


def test_a_huge_login_is_refused(served: Served) -> None:
    with served.raw() as client:
        client.greeting()
        client.send(FLAGS.to_bytes(4, "little") + bytes(28) + b"x" * 200_000)
        assert error(client.receive()) == 1153
        assert client.receive() is None


def test_packets_out_of_order_end_the_connection(served: Served) -> None:
    with served.raw() as client:
        client.log_in()
        client.sequence = 7
        client.send(b"\x0e")
        assert error(client.receive()) == 1156
        assert client.receive() is None


def test_statements_nested_without_end_are_refused(served: Served) -> None:
    connection = served.connect()
    for statement in ("select " + "(" * 50_000, "select " + "(" * 5_000 + "1" + ")" * 5_000):
        with pytest.raises(pymysql.err.Error):
            ask(connection, statement)
    assert ask(connection, "select 1") == ((1,),)
    connection.close()


@FUZZ
@given(st.binary(max_size=300), st.booleans())
def test_noise_before_the_login_is_not_answered(served: Served, noise: bytes, framed: bool) -> None:
    with served.raw() as client:
        client.greeting()
        client.socket.sendall(packet(noise, 1) if framed else noise)
        client.finish()
        said = client.rest()
    # nothing, a refusal, another proof asked for, or an alert of TLS, which the noise asked for
    assert said[4:5] in (b"", b"\xff", b"\xfe") or said.startswith(b"\x15\x03")


# by the protocol: long data for a prepared statement, and that it is closed
UNANSWERED = (b"\x18", b"\x19")


@FUZZ
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(UNANSWERED)), max_size=4),
    st.binary(max_size=20),
)
def test_noise_after_the_login_ends_in_answers(
    served: Served, messages: list[bytes], end: bytes
) -> None:
    with served.raw() as client:
        client.log_in()
        # the server may have closed by then, as at a packet that is cut short
        with suppress(ConnectionError):
            for message in messages:
                if message[:1] in UNANSWERED:
                    client.begin(message)
                elif message[:1] in (b"\x01", b"\x11") or client.command(message) is None:
                    break
            client.socket.sendall(end)
        client.finish()
        client.rest()


def test_many_strangers_at_once_keep_nobody_out(served: Served) -> None:
    noise = random.Random(6)
    strangers: list[Raw] = [served.raw() for _ in range(100)]
    for stranger in strangers:
        stranger.socket.sendall(noise.randbytes(50))
    assert served.ask("select 1") == ((1,),)
    for stranger in strangers:
        stranger.socket.close()
    connection = served.connect(password=PASSWORD)
    assert ask(connection, "select 1") == ((1,),)
    connection.close()
