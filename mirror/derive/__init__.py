"""What IBL's pipeline computed on its server, recomputed here from the trials of a mirror.

Each file of `sql/` makes one table of the schema `derived`, with its comments; those that
begin with an underscore make what the others read. What SQL cannot do, fits and the training
status, comes back from `psychometric` and `status` as Arrow tables. All of it goes over the mice
in portions, so that memory does not grow with their number.
"""

import hashlib
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from importlib import import_module
from itertools import accumulate, cycle, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from mirror import store, views
from mirror.background import in_background
from mirror.progress import Progress
from mirror.views import View

if TYPE_CHECKING:
    import numpy
    import pandas
    import pyarrow

    from mirror.derive.fitting import Fitting
    from mirror.derive.psychometric import Fits

# The views that tell what a session and a trial are, and what is read beside them.
NEEDS = ("session_labels", "trials")
TABLES_BESIDE = ("behavior.trial_set", "behavior.settings", "behavior.session_delay")
# All that `read_from` finds in the views as they are: told before anybody has parsed them.
READ_FROM = (
    "acquisition.session",
    "behavior.session_delay",
    "behavior.settings",
    "behavior.trial_set",
    "behavior.trial_set__trial",
    "reference.lab",
    "subject.death",
    "subject.subject",
    "subject.subject_lab",
    "subject.subject_project",
    "subject.subject_user",
)
# Why there is nothing derived where that was asked for.
UNWANTED = "--no-derive"
FOLDER = Path(__file__).parent
# Sessions with trials that are worked on at a time.
PORTION = 1500
# In the order of their needs: what curves are fitted to, what else SQL makes meanwhile, and what
# Python has computed.
TO_FIT = ("_trials", "choice_counts", "psychometric_points", "_points")
MEANWHILE = ("reaction_times", "session_performance", "daily_summaries", "_sessions")
COMPUTED = ("psychometric_fits", "session_status", "criterion_windows")
TABLES = tuple(name for name in TO_FIT + MEANWHILE + COMPUTED if not name.startswith("_"))


@dataclass(frozen=True)
class Derived:
    """What became of the derived tables; `how` is derived, unchanged or left out: without rows."""

    how: str
    seconds: float = 0.0
    rows: Mapping[str, int] = field(default_factory=dict)
    why: str = ""


def refresh(
    connection: duckdb.DuckDBPyConnection,
    available: Iterable[View],
    run: int,
    is_whole: bool,
    progress: Progress | None = None,
) -> Derived:
    """Bring the derived tables up to the trials, where something has changed since they were made.

    `is_whole` is False where older sessions were left behind, so that no training status is
    certain. Without the tables that sessions and trials need, as in a narrowed mirror, the derived
    tables have no rows.
    """
    from mirror.derive.fitting import fitting

    with fitting() as work:
        return _refreshed(connection, available, run, is_whole, progress or Progress(), work)


def _refreshed(
    connection: duckdb.DuckDBPyConnection,
    available: Iterable[View],
    run: int,
    is_whole: bool,
    progress: Progress,
    work: "Fitting",
) -> Derived:
    clock = time.monotonic()
    known = connection.execute(
        "select table_name, n_rows, inputs from _mirror.derived"
        " join duckdb_tables() using (table_name) where schema_name = 'derived'"
    ).fetchall()
    if not known and _sessions_with_trials(connection) > PORTION:
        # while the trials are put in order
        work.get_ready()
        in_background(partial(import_module, "pandas"))
    base = views.needed(available, NEEDS)
    applied = views.put(connection, base)
    digest = _digest(connection, base, is_whole)
    if {name for name, *_ in known} == set(TABLES) and all(row[2] == digest for row in known):
        return Derived("unchanged", rows={name: rows for name, rows, _ in known})
    clear(connection)
    if why := _missing(connection, applied):
        return Derived("left out", why=why)
    try:
        rows = _make(connection, is_whole, progress, work)
    except duckdb.DataError as error:
        # a value that no pipeline wrote must not cost anyone the copy
        clear(connection)
        return Derived("left out", why=str(error).splitlines()[0])
    store.insert(
        connection, "derived", [(name, n_rows, run, digest) for name, n_rows in rows.items()]
    )
    return Derived("derived", time.monotonic() - clock, rows)


def read_from(available: Iterable[View]) -> set[str]:
    """The tables of the source without which nothing can be derived, and no others are read."""
    needs = (view.needs for view in views.needed(available, NEEDS))
    return {name for name in set(TABLES_BESIDE).union(*needs) if not name.startswith("main.")}


def bring_up(connection: duckdb.DuckDBPyConnection, available: Iterable[View]) -> None:
    """Derive anew, with today's code, unless the last sync was told to derive nothing."""
    rows = connection.execute(
        "select run, is_whole from _mirror.runs where not exists (from _mirror.left_out"
        f" where what = 'derived' and why = {store.literal(UNWANTED)}) order by run desc limit 1"
    ).fetchall()
    if rows:
        [(run, is_whole)] = rows
        refresh(connection, available, run, is_whole)
    else:
        clear(connection)


def clear(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the derived tables anew, without rows, so that the views that read them are there."""
    connection.begin()
    connection.execute("delete from _mirror.derived")
    connection.execute("drop schema if exists derived cascade")
    connection.execute("create schema derived")
    for name in TABLES:
        for statement in _statements(connection, name)[:-1]:
            connection.execute(statement)
    connection.commit()


def _sessions_with_trials(connection: duckdb.DuckDBPyConnection) -> int:
    """As many as the last sync has copied."""
    [(rows,)] = connection.execute(
        "select coalesce(max(n_rows), 0) from _mirror.tables"
        " where schema_name = 'behavior' and table_name = 'trial_set'"
    ).fetchall()
    return rows


def _missing(connection: duckdb.DuckDBPyConnection, applied: views.Applied) -> str | None:
    """Why the derived tables cannot be made, if so."""
    skipped = [applied.skipped[name] for name in NEEDS if name in applied.skipped]
    present = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = current_database()"
    ).fetchall()
    beside = [f"needs {name}" for name in TABLES_BESIDE if (name,) not in present]
    return next(iter([*skipped, *beside]), None)


def _digest(connection: duckdb.DuckDBPyConnection, base: Sequence[View], is_whole: bool) -> str:
    """Of what decides what the tables hold: the rows that they are made from, and the code."""
    found = hashlib.sha256(repr(is_whole).encode())
    states = views.states_of(connection, base)
    found.update(views.inputs_of(states, base, NEEDS, TABLES_BESIDE).encode())
    for file in sorted(FOLDER.rglob("*.*")):
        if file.suffix in (".py", ".sql"):
            found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _make(
    connection: duckdb.DuckDBPyConnection, is_whole: bool, progress: Progress, work: "Fitting"
) -> dict[str, int]:
    """Fill the tables for so many mice at a time: memory then does not grow with the mirror."""
    portions = list(_portions(connection))
    steps = len(TO_FIT) + len(MEANWHILE) + 2 + len(COMPUTED)
    progress.start("deriving", len(portions) * steps, "steps")
    finish = None
    # two, each with temporary tables of its own
    with connection.cursor() as other:
        for cursor, some in zip(cycle((connection, other)), portions, strict=False):
            begun = _begun(cursor, some, is_whole, work, progress)
            # what was begun before, while the curves of these mice are fitted
            if finish:
                finish()
            finish = begun
        if finish:
            finish()
    for kind, name in (
        ("view", "_trials"),
        ("view", "_mice"),
        ("table", "_points"),
        ("table", "_sessions"),
    ):
        connection.execute(f"drop {kind} if exists temp.{name}")
    return {
        name: connection.execute(f"select count(*) from derived.{name}").fetchall()[0][0]
        for name in TABLES
    }


def _begun(
    connection: duckdb.DuckDBPyConnection,
    some: str,
    is_whole: bool,
    work: "Fitting",
    progress: Progress,
) -> Callable[[], None]:
    """Begin with some mice; what is returned waits for their fits and puts them away."""

    def make(names: Iterable[str]) -> None:
        for name in names:
            connection.execute(_statements(connection, name)[-1])
            progress.advance(1)

    connection.execute(f"create or replace temp view _mice as {some}")
    make(TO_FIT)
    fits = _fits(connection, work)
    make(MEANWHILE)
    statuses = _statuses(connection, is_whole, work)
    progress.advance(1)

    def finish() -> None:
        computed = {"_fits": fits(), **statuses()}
        progress.advance(1)
        for name, table in computed.items():
            connection.register(name, table)
        make(COMPUTED)
        for name in computed:
            connection.unregister(name)

    return finish


def _statements(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """What a file says: how its table is declared, its comments, and last the rows."""
    text = (FOLDER / "sql" / f"{name}.sql").read_text("utf-8")
    return [statement.query for statement in connection.extract_statements(text)]


def _portions(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Queries for neighbouring mice that have about PORTION sessions with trials together."""
    mice = connection.execute(
        "select subject_uuid, count(*) from ("
        "select distinct subject_uuid, session_start_time from behavior.trial_set__trial"
        " union select subject_uuid, session_start_time from behavior.trial_set)"
        " group by subject_uuid order by subject_uuid"
    ).fetchall()
    while mice:
        size = bisect_left(list(accumulate(n for _, n in mice)), PORTION) + 1
        some, mice = mice[:size], mice[size:]
        listed = ", ".join(f"('{uuid}'::uuid)" for uuid, _ in some)
        yield f"from (values {listed}) as mouse(subject_uuid)"


def _fits(connection: duckdb.DuckDBPyConnection, work: "Fitting") -> Callable[[], "pyarrow.Table"]:
    """Begin with both variants of every curve, which the call that is returned waits for.

    Curves of the same counts, such as one-session days, are fitted once.
    """
    import numpy as np
    import pandas as pd
    import pyarrow

    from mirror.derive.psychometric import VARIANTS, Curves

    points = connection.sql(
        "select curve, signed_contrast, n_trials::double as n_trials, n_no_go::double as n_no_go,"
        " n_right::double as n_right from _points order by curve, signed_contrast"
    ).df()
    number, first = _unique_curves(points)
    kept = points[np.isin(points["curve"], first)]
    place = np.searchsorted(first, kept["curve"])
    asked = []
    for variant in VARIANTS.values():
        shown = kept["n_trials"] - (kept["n_no_go"] if variant.name == "paper" else 0)
        curves = Curves(
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
        )
        asked.append((curves, variant))
    waiting = work.start(asked)

    def table() -> pyarrow.Table:
        frames = []
        for (_, variant), fits in zip(asked, waiting(), strict=True):
            frame = to_frame(fits).iloc[number].reset_index(drop=True)
            frames.append(frame.assign(curve=np.arange(len(number)), variant=variant.name))
        return pyarrow.Table.from_pandas(pd.concat(frames), preserve_index=False)

    return table


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
    connection: duckdb.DuckDBPyConnection, is_whole: bool, work: "Fitting"
) -> Callable[[], dict[str, "pyarrow.Table"]]:
    """Begin with the training status of every session, its criteria and its windows' curves."""
    import pyarrow

    from mirror.derive import status

    sessions = connection.sql("from _sessions order by session").df()
    counts = connection.sql(
        "select session, coalesce(prob_left_pct, -1) as prob_left_pct, signed_contrast,"
        " count.n_trials, n_right"
        " from derived.choice_counts as count join _sessions using (subject_uuid,"
        " session_start_time) join _mice using (subject_uuid)"
        " where signed_contrast is not null order by all"
    ).df()
    zero_contrast = connection.sql(
        "select session, reaction_time_stim_on as reaction_time from _trials"
        " join _sessions using (subject_uuid, session_start_time)"
        " where signed_contrast = 0 and reaction_time_stim_on is not null order by session"
    ).df()
    evaluating = in_background(lambda: status.evaluate(sessions, counts, zero_contrast, work.fit))

    def tables() -> dict[str, pyarrow.Table]:
        found = evaluating.result()
        statuses = found.status.assign(rule_set=status.RULE_SET)
        criteria = found.criteria.assign(rule_set=status.RULE_SET, place=range(len(found.criteria)))
        if not is_whole:
            statuses["is_certain"] = criteria["is_certain"] = False
        return {
            name: pyarrow.Table.from_pandas(frame, preserve_index=False)
            for name, frame in (
                ("_status", statuses),
                ("_criteria", criteria),
                ("_window_fits", found.windows.assign(variant="datajoint")),
            )
        }

    return tables
