"""What IBL's pipeline computed on its server, recomputed here from the trials of a mirror.

Each file of `sql/` makes one table of the schema `derived`, with its comments; those that
begin with an underscore make what the others read. What SQL cannot do, fits and the training
status, comes back from `psychometric` and `status` as Arrow tables.
"""

import hashlib
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import duckdb

from mirror import store, views
from mirror.store import quoted
from mirror.views import View

if TYPE_CHECKING:
    import numpy
    import pandas
    import pyarrow

    from mirror.derive.psychometric import Fits

# The views that tell what a session and a trial are.
NEEDS = ("sessions", "trials")
FOLDER = Path(__file__).parent
# Sessions whose curves and statuses are in memory at a time.
PORTION = 3000
TABLES = (
    "choice_counts",
    "reaction_times",
    "session_performance",
    "daily_summaries",
    "psychometric_fits",
    "session_status",
    "criterion_windows",
)


@dataclass(frozen=True)
class Derived:
    """What became of the derived tables; `how` is derived, unchanged or left out."""

    how: str
    seconds: float = 0.0
    rows: Mapping[str, int] = field(default_factory=dict)
    why: str = ""


def needed(available: Iterable[View]) -> list[View]:
    """The views that the derived tables are made from."""
    by_name = {view.name: view for view in available}
    waiting, found = list(NEEDS), {}
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found:
            found[name] = by_name[name]
            waiting += [n.removeprefix("main.") for n in by_name[name].needs]
    return list(found.values())


def refresh(
    connection: duckdb.DuckDBPyConnection, available: Iterable[View], run: int, is_whole: bool
) -> Derived:
    """Bring the derived tables up to the trials, where something has changed since they were made.

    `is_whole` is False where older sessions were left behind, so that no training status is
    certain. Without the tables that sessions and trials need, as in a narrowed mirror, there
    are no derived tables.
    """
    clock = time.monotonic()
    base = needed(available)
    digest = _digest(connection, base, is_whole)
    known = connection.execute("select table_name, n_rows, inputs from _mirror.derived").fetchall()
    if {name for name, *_ in known} == set(TABLES) and all(row[2] == digest for row in known):
        return Derived("unchanged", rows={name: rows for name, rows, _ in known})
    applied = views.define(connection, base)
    if why := next((applied.skipped[name] for name in NEEDS if name in applied.skipped), None):
        forget(connection)
        return Derived("left out", why=why)
    forget(connection)
    connection.execute("create schema derived")
    rows = {}
    for name in ("_trials", "choice_counts", *TABLES[1:4], "_points", "_sessions"):
        _run(connection, name)
    computed = _computed(connection, is_whole)
    for name, table in computed.items():
        connection.register(name, table)
    for name in TABLES[4:]:
        _run(connection, name)
    for name in computed:
        connection.unregister(name)
    for name in ("_trials", "_points", "_sessions"):
        connection.execute(f"drop table temp.{name}")
    for name in TABLES:
        [(rows[name],)] = connection.execute(
            f"select count(*) from derived.{quoted(name)}"
        ).fetchall()
    store.insert(
        connection, "derived", [(name, n_rows, run, digest) for name, n_rows in rows.items()]
    )
    return Derived("derived", time.monotonic() - clock, rows)


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the derived tables and what is written down about them."""
    connection.execute("drop schema if exists derived cascade")
    connection.execute("delete from _mirror.derived")


def _digest(connection: duckdb.DuckDBPyConnection, base: Iterable[View], is_whole: bool) -> str:
    """Of all that decides what the tables hold: the rows they are made from, and the code."""
    found = hashlib.sha256(repr(is_whole).encode())
    inputs = {name for view in base for name in view.needs}
    for name, *state in connection.execute(
        "select schema_name || '.' || table_name, definition, n_rows, run from _mirror.tables"
        " order by 1"
    ).fetchall():
        if name in inputs:
            found.update(repr((name, state)).encode())
    for view in sorted(base, key=lambda view: view.name):
        found.update(view.sql.encode())
    for file in sorted(FOLDER.rglob("*.*")):
        if file.suffix in (".py", ".sql"):
            found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _run(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute((FOLDER / "sql" / f"{name}.sql").read_text("utf-8"))


def _computed(connection: duckdb.DuckDBPyConnection, is_whole: bool) -> dict[str, "pyarrow.Table"]:
    """What Python computes, so many mice at a time, since most of the memory is theirs."""
    import pyarrow

    mice = connection.execute(
        "select subject_uuid, count(*) from (select subject_uuid, session_start_time from _trials"
        " union select subject_uuid, session_start_time from _sessions) group by all order by all"
    ).fetchall()
    parts = [
        {"_fits": _fits(connection, some), **_statuses(connection, some, is_whole)}
        for some in _portions(mice)
    ]
    return {
        name: pyarrow.concat_tables([part[name] for part in parts], promote_options="default")
        for name in parts[0]
    }


def _portions(mice: list[tuple[UUID, int]]) -> Iterator[str]:
    """Conditions for so many neighbouring mice that they have about PORTION sessions."""
    if not mice:
        # the tables are made all the same
        yield "false"
    while mice:
        size = bisect_left(list(accumulate(n for _, n in mice)), PORTION) + 1
        some, mice = mice[:size], mice[size:]
        yield f"subject_uuid between '{some[0][0]}' and '{some[-1][0]}'"


def _fits(connection: duckdb.DuckDBPyConnection, some: str) -> "pyarrow.Table":
    """Both variants of every curve; curves of the same counts, such as one-session days, once."""
    import numpy as np
    import pandas as pd
    import pyarrow

    from mirror.derive.psychometric import VARIANTS, Curves, fit

    points = connection.sql(
        "select curve, signed_contrast, n_trials::double as n_trials, n_no_go::double as n_no_go,"
        f" n_right::double as n_right from _points where {some} order by curve, signed_contrast"
    ).df()
    curves = points["curve"].unique()
    number, first = _unique_curves(points)
    kept = points[np.isin(points["curve"], curves[first])]
    place = np.searchsorted(curves[first], kept["curve"])
    frames = []
    for variant in VARIANTS.values():
        shown = kept["n_trials"] - (kept["n_no_go"] if variant.name == "paper" else 0)
        fits = fit(
            Curves(
                curve=place,
                signed_contrast=kept["signed_contrast"].to_numpy(),
                n_trials=kept["n_trials"].to_numpy(),
                # of a contrast with nothing but no-go trials, the paper's mean is undefined
                p_right=np.divide(
                    kept["n_right"],
                    shown,
                    out=np.full(len(kept), np.nan),
                    where=shown.to_numpy() > 0,
                ),
                size=len(first),
            ),
            variant,
        )
        frame = to_frame(fits).iloc[number].reset_index(drop=True)
        frames.append(frame.assign(curve=curves, variant=variant.name))
    return pyarrow.Table.from_pandas(pd.concat(frames), preserve_index=False)


def _unique_curves(points: "pandas.DataFrame") -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """For each curve the place of its twin among the unique ones, and the numbers of those."""
    import numpy as np

    values = points[["signed_contrast", "n_trials", "n_no_go", "n_right"]].to_numpy()
    starts = np.flatnonzero(np.diff(points["curve"], prepend=-1))
    places: dict[bytes, int] = {}
    number: list[int] = []
    first: list[int] = []
    for curve, (start, end) in enumerate(pairwise([*starts, len(values)])):
        key = values[start:end].tobytes()
        if key not in places:
            places[key] = len(first)
            first.append(curve)
        number.append(places[key])
    return np.array(number, dtype=np.int64), np.array(first, dtype=np.int64)


def to_frame(fits: "Fits") -> "pandas.DataFrame":
    """The fits as a frame of one row per curve, without the place where the search ended."""
    import pandas as pd

    return pd.DataFrame({f.name: getattr(fits, f.name) for f in fields(fits) if f.name != "best"})


def _statuses(
    connection: duckdb.DuckDBPyConnection, some: str, is_whole: bool
) -> dict[str, "pyarrow.Table"]:
    """The training status of every session, its criteria and the curves of its windows."""
    import pyarrow

    from mirror.derive import status

    sessions = connection.sql(f"from _sessions where {some} order by session").df()
    counts = connection.sql(
        "select session, prob_left_pct, signed_contrast, count.n_trials, n_right"
        " from derived.choice_counts as count join _sessions using (subject_uuid,"
        f" session_start_time) where {some} and signed_contrast is not null order by all"
    ).df()
    zero_contrast = connection.sql(
        "select session, reaction_time_stim_on as reaction_time from _trials"
        " join _sessions using (subject_uuid, session_start_time)"
        f" where {some} and signed_contrast = 0 and reaction_time_stim_on is not null"
        " order by session"
    ).df()
    found = status.evaluate(sessions, counts, zero_contrast)
    statuses = found.status.assign(rule_set=status.RULE_SET)
    if not is_whole:
        statuses["is_certain"] = False
    criteria = found.criteria.assign(rule_set=status.RULE_SET, place=range(len(found.criteria)))
    return {
        name: pyarrow.Table.from_pandas(frame, preserve_index=False)
        for name, frame in (
            ("_status", statuses),
            ("_criteria", criteria),
            ("_window_fits", found.windows.assign(variant="datajoint")),
        )
    }
