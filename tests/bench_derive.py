"""Compare what a mirror stores with what is recomputed from its trials, and time the latter.

    python tests/bench_derive.py ibl.duckdb

The file must be a mirror of a server that has the tables of IBL's pipeline. It is copied, and
the copy is derived anew.
"""

import argparse
import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from mirror import derive, store, views
from mirror.derive.psychometric import EPSILON, PARAMETERS, VARIANTS, Curves, fit, p_right

# What counts as the same: the last digits of a FLOAT and of a search that stops at 1e-4.
SAME = {"bias": 0.05, "threshold": 0.05, "lapse_low": 0.002, "lapse_high": 0.002}
SAME_LIKELIHOOD = 1e-3
WITHOUT_TRIALS = (
    "anti join (select distinct subject_uuid, session_start_time from derived.choice_counts)"
    " using (subject_uuid, session_start_time)"
)
FITS = {
    "PsychResults of sessions without trials here": (
        f"behavior_analyses.psych_results {WITHOUT_TRIALS}"
    ),
    "PsychResults of sessions with trials": (
        f"behavior_analyses.psych_results {WITHOUT_TRIALS.replace('anti', 'semi', 1)}"
    ),
    "PsychResultsBlock": "behavior_analyses.psych_results_block",
    "BehavioralSummaryByDate.PsychResults": (
        "behavior_analyses.behavioral_summary_by_date__psych_results"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirror", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.duckdb"
        shutil.copy(arguments.mirror, copy)
        seconds = [_derive(copy) for _ in range(arguments.rounds)]
        with store.connect(copy) as connection:
            [(trials,)] = connection.sql("select count(*) from trials").fetchall()
            print(f"\n{trials:,} trials derived in {min(seconds):.1f} to {max(seconds):.1f} s\n")
            print("| stored | compared | the same | otherwise |")
            print("| --- | ---: | ---: | --- |")
            for what, compared, same, otherwise in _agreement(connection):
                told = "; ".join(f"{n:,} {why}" for why, n in otherwise.items() if n)
                print(f"| {what} | {compared:,} | {same:,} | {told} |")


def _derive(file: Path) -> float:
    with duckdb.connect(str(file), config={"memory_limit": f"{store.MEMORY_LIMIT}B"}) as connection:
        connection.execute("delete from _mirror.derived")
        return derive.refresh(connection, views.read(), set(), run=1, is_whole=True).seconds


def _agreement(
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[tuple[str, int, int, dict[str, int]]]:
    for name, table in FITS.items():
        yield f"{name}: parameters, from the stored counts", *_fits(connection, table)
    yield "PsychResults: trials and choices per contrast", *_counts(connection)
    yield "PsychResults: `performance_easy`", *_easy(connection)
    yield "BehavioralSummaryByDate: `performance`", *_daily(connection)
    yield "BehavioralSummaryByDate: `performance_easy`", *_daily_easy(connection)
    yield "BehavioralSummaryByDate: `training_day`", *_training_day(connection)
    yield "ReactionTime: medians, put in the order of the contrasts", *_medians(connection)
    yield "SessionTrainingStatus", *_statuses(connection)
    yield "First date trained, of mice with three sessions with trials by then", *_dates(connection)


def _fits(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int, dict[str, int]]:
    stored = connection.sql(f"from {table}").df()
    lengths = stored["signed_contrasts"].map(len).to_numpy()
    right, trials = (
        np.concatenate(stored[name].to_numpy()).astype(float)
        for name in ("n_trials_stim_right", "n_trials_stim")
    )
    curves = Curves(
        curve=np.repeat(np.arange(len(stored)), lengths),
        signed_contrast=np.round(np.concatenate(stored["signed_contrasts"].to_numpy()) * 100, 4),
        n_trials=trials,
        p_right=right / trials,
        size=len(stored),
    )
    fits = fit(curves, VARIANTS["datajoint"])
    theirs = stored[list(PARAMETERS)].to_numpy(dtype=float)
    ours = np.column_stack([getattr(fits, name) for name in PARAMETERS])
    is_same = (np.abs(ours - theirs) < [SAME[name] for name in PARAMETERS]).all(axis=1)
    better = fits.log_likelihood - _likelihood(curves, theirs)
    known = np.isfinite(ours).all(axis=1)
    rest = ~is_same & known
    return (
        len(stored),
        int(is_same.sum()),
        {
            "NULL here, because the data determine no single value": int((~known).sum()),
            "more likely here: the stored search stopped early": int(
                (rest & (better > SAME_LIKELIHOOD)).sum()
            ),
            "as likely: the likelihood is flat there": int(
                (rest & (np.abs(better) <= SAME_LIKELIHOOD)).sum()
            ),
            "LESS likely here": int((rest & (better < -SAME_LIKELIHOOD)).sum()),
        },
    )


def _likelihood(curves: Curves, parameters: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p_right(curves.signed_contrast, *parameters[curves.curve].T)
    p = np.clip(np.where(np.isnan(p), EPSILON, p), EPSILON, 1 - EPSILON)
    n, share = curves.n_trials, curves.p_right
    terms = n * (share * np.log(p) + (1 - share) * np.log1p(-p))
    return np.bincount(curves.curve, terms, curves.size)


def _counts(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, dict[str, int]]:
    found = connection.sql(
        """
        with here as (
            select subject_uuid, session_start_time,
                list(n order by signed_contrast) as n, list(r order by signed_contrast) as r
            from (
                select subject_uuid, session_start_time, signed_contrast,
                    sum(n_trials)::bigint as n, sum(n_right)::bigint as r
                from derived.choice_counts group by all
            )
            group by all
        )
        select n, r, n_trials_stim, n_trials_stim_right
        from behavior_analyses.psych_results left join here
            using (subject_uuid, session_start_time)
        """
    ).fetchall()
    missing = sum(n is None for n, *_ in found)
    same = sum((n, r) == (a, b) for n, r, a, b in found)
    return (
        len(found) - missing,
        same,
        {
            "differ": len(found) - missing - same,
            "sessions not compared, as their trials are not there": missing,
        },
    )


def _compare(
    connection: duckdb.DuckDBPyConnection, query: str, causes: dict[str, str]
) -> tuple[int, int, dict[str, int]]:
    """Count the rows of a query: the same, or by the first cause that holds."""
    frame: pd.DataFrame = connection.sql(query).df()
    left = frame
    counted = {}
    same = left.query("same")
    left = left.drop(same.index)
    for why, condition in causes.items():
        found = left.query(condition)
        left = left.drop(found.index)
        counted[why] = len(found)
    return len(frame), len(same), {**counted, "UNEXPLAINED": len(left)}


def _easy(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, dict[str, int]]:
    return _compare(
        connection,
        """
        select p.performance_easy as theirs, s.performance_easy as ours,
            coalesce(abs(theirs - ours) < 1e-5, false) or (theirs is null and ours is null) as same
        from behavior_analyses.psych_results as p
        join derived.session_performance as s using (subject_uuid, session_start_time)
        """,
        {"stored as NULL, 0 here": "theirs.isna() and ours == 0"},
    )


def _daily(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, dict[str, int]]:
    return _compare(
        connection,
        """
        select d.session_date < '2019-10-15' as is_early,
            abs(t.performance - d.performance) < 1e-4 as same,
            abs(t.performance - d.performance_rewarded) < 1e-4 as rewarded
        from behavior_analyses.behavioral_summary_by_date as t
        join derived.daily_summaries as d using (subject_uuid, session_date)
        """,
        {
            "equal `performance_rewarded`, the rule before mid October 2019": "rewarded",
            "published values that fit neither rule": "not rewarded",
        },
    )


def _daily_easy(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, dict[str, int]]:
    return _compare(
        connection,
        """
        select t.performance_easy as theirs, d.performance_easy as ours,
            coalesce(abs(theirs - ours) < 1e-4, false) as same
        from behavior_analyses.behavioral_summary_by_date as t
        join derived.daily_summaries as d using (subject_uuid, session_date)
        """,
        {"published as exactly 1, and the trials say less": "theirs == 1 and ours < 1"},
    )


def _training_day(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, dict[str, int]]:
    return _compare(
        connection,
        """
        with known as (
            select subject_uuid, session_date, count(*) over (
                partition by subject_uuid order by session_date
            ) as n_published
            from behavior_analyses.behavioral_summary_by_date where training_day is not null
        ), dated as (
            select distinct subject_uuid, session_date from sessions
        ), absent as (
            select k.subject_uuid, k.session_date from known as k
            anti join dated as s using (subject_uuid, session_date)
        )
        select t.training_day = d.training_day as same,
            exists (
                select 1 from absent as a
                where a.subject_uuid = t.subject_uuid and a.session_date < t.session_date
            ) as is_short
        from behavior_analyses.behavioral_summary_by_date as t
        join derived.daily_summaries as d using (subject_uuid, session_date)
        where t.training_day is not null
        """,
        {
            "days with earlier days that have a summary and no session row": "is_short",
            "days whose earlier sessions differ from those the server counted": "not is_short",
        },
    )


def _medians(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, dict[str, int]]:
    return _compare(
        connection,
        """
        with here as (
            select subject_uuid, session_start_time,
                list(median_reaction_time order by signed_contrast desc)
                    filter (where median_reaction_time is not null) as ours
            from derived.reaction_times where grain = 'session' group by all
        )
        select coalesce(len(ours) = len(r.reaction_time) and list_max([
                abs(x[1] - x[2]) for x in list_zip(ours, r.reaction_time)
            ]) < 1e-4, false) as same, ours is null as none_here
        from behavior_analyses.reaction_time as r
        left join here using (subject_uuid, session_start_time)
        """,
        {"sessions without trials here": "none_here"},
    )


def _statuses(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, dict[str, int]]:
    return _compare(
        connection,
        """
        select t.training_status as theirs, d.training_status as ours, d.rule,
            theirs is not distinct from ours as same,
            d.n_sessions_without_trials > 0 as is_short,
        from behavior_analyses.session_training_status as t
        join derived.session_status as d using (subject_uuid, session_start_time)
        """,
        {
            "further here, as the stored rows stop at ready4ephysrig": (
                "theirs == 'ready4ephysrig' and ours in ('ready4delay', 'ready4recording')"
            ),
            "not known here, for want of a Settings row": "rule == 'no Settings row'",
            "with earlier sessions that have no trials here": "is_short",
        },
    )


def _dates(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, dict[str, int]]:
    return _compare(
        connection,
        """
        with stored as (
            select subject_uuid, min(session_start_time::date) as theirs
            from behavior_analyses.session_training_status
            where training_status in ('trained_1a', 'trained_1b') group by all
        ), here as (
            select subject_uuid, min(session_date) filter (
                training_status in ('trained_1a', 'trained_1b')
            ) as ours
            from derived.session_status group by all
        )
        select ours = theirs as same, date_diff('day', theirs, ours) as later
        from stored join here using (subject_uuid)
        where (
            select count(*) from derived.session_performance as p
            where p.subject_uuid = stored.subject_uuid and p.session_date <= theirs
        ) >= 3
        """,
        {"later or not at all here, as earlier sessions have no trials here": "not later <= 0"},
    )


if __name__ == "__main__":
    main()
