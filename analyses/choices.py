"""What a chart is narrowed to: a lab, a cohort, a mouse or a session that the mirror has."""

from collections.abc import Mapping
from difflib import get_close_matches

import duckdb

from mirror.errors import UsageError

from .mice import matching_mice, matching_sessions
from .style import NO_LABORATORY, ask

# So many names are listed where none is near.
FEW = 12
COHORTS = "select distinct cohort from cohorts"


def settled(
    con: duckdb.DuckDBPyConnection, values: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The `lab`, `cohort`, `subject` and `session` that a chart is asked for, as they are here.

    Also says, in a sentence each, which one is meant where several go by the name. Raises
    UsageError, with the nearest names, for what is not in the mirror.
    """
    found, told = dict(values), []
    of_mice = {option: value for option, value in values.items() if option != "session"}
    for option, value in of_mice.items():
        if matching_mice(con, **{option: value}).empty:
            raise _unknown(option, value, _names(con, option))
    mice = matching_mice(con, **of_mice) if of_mice else None
    if mice is not None and mice.empty:
        asked = ", ".join(f"{option} {value}" for option, value in of_mice.items())
        raise UsageError(f"No mouse in this mirror is of {asked} at once.")
    if mice is not None and "subject" in values:
        mouse = mice.iloc[0]
        namesakes = matching_mice(con, subject=mouse["subject_nickname"])
        found["subject"] = mouse["subject_nickname" if len(namesakes) == 1 else "subject_uuid"]
        if len(mice) > 1:
            told.append(
                f"{len(mice)} mice are called {values['subject']}: the one with the most trials is"
                f" drawn, {mouse['subject_uuid']} of {mouse['lab_name']}."
            )
    if "session" in values:
        sessions = matching_sessions(con, **found)
        if sessions.empty:
            of_mouse = f" of {values['subject']}" if "subject" in values else ""
            what = f"session with trials{of_mouse}"
            raise _unknown(what, values["session"], _starts(con, found))
        session = sessions.iloc[0]
        if len(sessions) > 1:
            told.append(
                f"{len(sessions):,} sessions match {values['session']}: the latest is drawn,"
                f" {session['started']} of {session['subject_nickname']}."
            )
    return found, told


def _names(con: duckdb.DuckDBPyConnection, option: str) -> set[str]:
    """What a lab, a cohort or a subject can be called."""
    if option == "cohort":
        return set(ask(con, COHORTS)["cohort"])
    names = matching_mice(con)["lab_name" if option == "lab" else "subject_nickname"]
    return set(names) - {NO_LABORATORY}


def _starts(con: duckdb.DuckDBPyConnection, values: Mapping[str, str]) -> set[str]:
    """The starts of sessions, as long as the one that was asked for."""
    sessions = matching_sessions(con, **{**values, "session": ""})
    return {start[: len(values["session"])] for start in sessions["session_start_time"].astype(str)}


def _unknown(what: str, value: str, names: set[str]) -> UsageError:
    folded = {name.casefold(): name for name in names}
    near = [folded[name] for name in get_close_matches(value.casefold(), folded)]
    listed = sorted(names)
    if near:
        hint = f"did you mean {' or '.join(map(repr, near))}?"
    elif len(names) <= FEW:
        hint = f"there are {', '.join(listed)}." if names else "there is none at all."
    else:
        hint = f"there are {len(names):,}, from {listed[0]} to {listed[-1]}."
    return UsageError(f"There is no {what} {value!r} in this mirror: {hint}")
