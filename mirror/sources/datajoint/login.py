"""The login of a server: DataJoint's own configuration, and only that."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from getpass import getpass
from typing import Any

from mirror.errors import UsageError
from mirror.sources import library


@dataclass(frozen=True)
class Login:
    """Where the server is and who asks; the password shows in no `repr`."""

    host: str
    port: int
    user: str
    password: "Secret"
    use_tls: bool | dict[str, Any] | None
    prefix: str


class Secret:
    """A password that cannot be printed by accident."""

    def __init__(self, value: str) -> None:
        self.reveal: Callable[[], str] = lambda: value


def login(
    host: str | None = None,
    port: int | None = None,
    user: str | None = None,
    ask_password: bool = False,
) -> Login:
    """Take the login from DataJoint's configuration; arguments go before it.

    The files `dj_local_conf.json` and `~/.datajoint_config.json` and the variables `DJ_HOST`,
    `DJ_USER` and `DJ_PASS` are read as DataJoint reads them. A password is asked for only on
    request and only at a terminal. Raises UsageError.
    """
    try:
        config = library.datajoint("settings").config
        for name in ("host", "user", "password"):
            if not isinstance(config[f"database.{name}"], str | None):
                raise TypeError(f"database.{name} is not a text")
        configured_port = int(config["database.port"])
        custom = dict(config.get("custom") or {})
    # KeyError: a loglevel that DataJoint does not know
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"DataJoint's configuration cannot be read ({error}): mend dj_local_conf.json or"
            " ~/.datajoint_config.json."
        ) from error
    host = host or config["database.host"]
    user = user or config["database.user"]
    if not user:
        raise UsageError(
            "No DataJoint login is configured: set DJ_HOST, DJ_USER and DJ_PASS, or run where"
            " dj_local_conf.json lies, or have ~/.datajoint_config.json; without a server,"
            " 'mirror sync --source one' copies IBL's public mice, and 'mirror sync --demo'"
            " simulates some."
        )
    # as in DataJoint, a port written behind the host wins over the configured one
    match = re.fullmatch(r"(?P<host>[^:]+):(?P<port>\d+)", host)
    if match:
        host = match["host"]
    port = port or (int(match["port"]) if match else configured_port)
    password = config["database.password"]
    if ask_password:
        # there is none at all where it was closed
        if not (sys.stdin and sys.stdin.isatty()):
            raise UsageError("--ask-password needs a terminal: set DJ_PASS instead.")
        password = getpass(f"Password of {user} at {host}: ")
    if password is None:
        raise UsageError(
            f"No password for {user} at {host}: set DJ_PASS, write database.password into"
            " DataJoint's configuration, or add --ask-password."
        )
    prefix = custom.get("database.prefix", config.get("database.prefix")) or ""
    return Login(host, port, user, Secret(password), config["database.use_tls"], prefix)
