"""The pages as HTML, and the rows that they load, as scripts that a folder may hold."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

# Digits after the point: of a second, a percentage or a lapse more would mean nothing.
DIGITS = 4


@dataclass(frozen=True)
class Column:
    """A column of a table: the field it shows, its heading, how, and where a click leads.

    `kind` is text, number or list (values separated by commas); a link names fields in braces.
    """

    name: str
    title: str
    kind: str = "text"
    link: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a page: its columns, the fields with a filter, and the order of its rows.

    `hidden` fields are for links and the order; `dates` is the field of the filter of dates, if
    any.
    """

    caption: str
    columns: tuple[Column, ...]
    filters: tuple[str, ...]
    order: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...] = ()
    dates: str = ""


SESSION = "session.html#{page}/{session_start_time}"
MOUSE = Column("subject_nickname", "mouse", link="mice/{page}.html")
MICE = Table(
    caption="Mice",
    columns=(
        MOUSE,
        Column("lab_name", "lab"),
        Column("sex", "sex"),
        Column("subject_birth_date", "born"),
        Column("projects", "projects", "list"),
        Column("subject_line", "line"),
        Column("responsible_user", "user"),
        Column("latest_status", "status"),
        Column("alive", "alive"),
        Column("n_training_days", "training days", "number"),
        Column("n_sessions", "sessions", "number"),
        Column("n_trials", "trials", "number"),
        Column("last_session_date", "last session"),
    ),
    filters=("lab_name", "sex", "projects", "latest_status", "alive", "responsible_user"),
    order=(("lab_name", "asc"),),
    hidden=("page", "subject_uuid"),
)
SESSIONS = Table(
    caption="Sessions",
    columns=(
        Column("session_start_time", "start", link=SESSION),
        MOUSE,
        Column("lab_name", "lab"),
        Column("task", "task"),
        Column("users", "users", "list"),
        Column("session_project", "project"),
        Column("training_day", "training day", "number"),
        Column("n_trials", "trials", "number"),
        Column("performance_easy", "easy correct, %", "number"),
        Column("status", "status"),
        Column("flags", "quality flags", "list"),
        Column("task_protocol", "protocol"),
    ),
    filters=(
        "lab_name",
        "subject_nickname",
        "task",
        "task_protocol",
        "users",
        "session_project",
        "status",
        "flags",
    ),
    # a session without trials has little to show
    order=(("has_trials", "desc"), ("session_start_time", "desc")),
    hidden=("page", "has_trials"),
    dates="session_start_time",
)
DAILY = Table(
    caption="Living mice (no death recorded) and their latest sessions",
    columns=(
        Column("lab_name", "lab"),
        MOUSE,
        Column("session_start_time", "latest", link=SESSION),
        Column("days_ago", "days before the last session of all", "number"),
        Column("task", "task"),
        Column("training_day", "training day", "number"),
        Column("n_trials", "trials", "number"),
        Column("performance_easy", "easy correct, %", "number"),
        Column("median_reaction_time", "reaction time, s", "number"),
        Column("latest_status", "status"),
        Column("data", "data"),
        Column("session_project", "project"),
    ),
    filters=("lab_name", "task", "latest_status", "data", "session_project"),
    order=(("lab_name", "asc"),),
    hidden=("page",),
    dates="session_start_time",
)


def environment(shared: Mapping[str, Any]) -> Environment:
    """The templates, with what all pages share."""
    made = Environment(
        loader=PackageLoader("mirror.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.globals.update(shared)
    made.filters["count"] = _count
    made.filters["measure"] = _measure
    made.filters["prose"] = _prose
    return made


def _prose(text: str) -> Markup:
    """Words of a docstring with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _count(number: int | None) -> str | None:
    """A count with its thousands; None of what nobody has counted."""
    return None if number is None else f"{number:,}"


def _measure(value: float | None) -> str:
    """A number in four digits, whole ones as they are."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def script(name: str, value: Any) -> str:
    """A script that hands a value to the pages, under a name."""
    return f"report.put({json.dumps(name)}, {json.dumps(value, ensure_ascii=False)});\n"


def frames_script(name: str, frames: Mapping[str, pd.DataFrame], **words: str) -> str:
    """A script that hands rows to the pages: by name, the fields and the values of each row."""
    parts = [f"{json.dumps(key)}: {json.dumps(word)}" for key, word in words.items()]
    parts += [f"{json.dumps(key)}: {packed(frame)}" for key, frame in frames.items()]
    return f"report.put({json.dumps(name)}, {{{', '.join(parts)}}});\n"


def packed(frame: pd.DataFrame) -> str:
    """Rows as JSON with the names of the fields once; what is no finite number is null."""
    for name, column in frame.items():
        if column.dtype == object:
            # of a list with NULL in it pandas would write what lies under the mask
            frame = frame.assign(**{str(name): column.map(_unmasked)})
    return frame.to_json(orient="split", index=False, double_precision=DIGITS, force_ascii=False)


def _unmasked(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ma.MaskedArray) else value


def table_script(name: str, table: Table, rows: pd.DataFrame, query: str) -> str:
    """A script that hands a table to its page: how it looks, its rows, and their query."""
    fields = [*(column.name for column in table.columns), *table.hidden]
    how = json.dumps(asdict(table), ensure_ascii=False)
    return (
        f"report.put({json.dumps(name)}, {{table: {how}, sql: {json.dumps(query)}, rows:"
        f" {packed(rows[fields])}}});\n"
    )
