"""Do trained mice differ between laboratories? Six measures with tests (figures 3c to 3e).

One dot per mouse, over its training sessions on the day that it was trained and the two training
days before; a line at the median. Threshold and bias are of one curve fitted to these sessions
with the paper's bounds. Trials per minute are of the sessions with an end, from start to end; the
paper counts whole minutes. The tests are the paper's, corrected over the six measures; a mouse
without reaction times is missing from that one alone, and in the paper from all.

To take from it: once trained, mice differ more within a laboratory than laboratories do. The
published figure has boxes, and the decoding of laboratories (3f), which is not here.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .curves import fitted
from .laboratories import notes, panel
from .psychometric_curves import MOUSE, POINTS
from .statistics import compare, correlate
from .style import (
    NO_LABORATORY,
    ask,
    counted,
    finished,
    in_cohort,
    nothing,
    p_in_words,
    together,
)

TITLE = "Trained mice across laboratories"
MEASURES = {
    "n_trials": "trials per session",
    "performance_easy": "easy correct, %",
    "threshold": "threshold, % contrast",
    "bias": "bias, % contrast",
    "reaction_time": "median reaction time, s",
    "trials_per_minute": "trials per minute",
}
MICE = f"""
with
trial as (
    select
        trials.subject_uuid,
        trials.session_start_time,
        trials.correct_easy,
        trials.choice,
        trials.reaction_time_stim_on
    from trials_at_criterion as trials
    where trials.criterion = 'trained'
        and trials.task = 'training'
        and ($lab is null or trials.lab_name = $lab)
        and {in_cohort("trials.subject_uuid")}
),
trials_of_session as (
    select
        subject_uuid,
        session_start_time,
        count(*) as n_trials
    from trial
    group by all
),
-- an end can be missing, and before the start
rate as (
    select
        counted.subject_uuid,
        sum(counted.n_trials) / sum(sessions.session_duration_min) as trials_per_minute
    from trials_of_session as counted
    join sessions
        on sessions.subject_uuid = counted.subject_uuid
        and sessions.session_start_time = counted.session_start_time
    where sessions.session_duration_min > 0
    group by counted.subject_uuid
)
select
    trial.subject_uuid::varchar as subject_uuid,
    count(*) / count(distinct trial.session_start_time) as n_trials,
    count(distinct trial.session_start_time) as n_sessions,
    100 * avg(trial.correct_easy) as performance_easy,
    median(trial.reaction_time_stim_on) filter (where trial.choice <> 0) as reaction_time,
    any_value(rate.trials_per_minute) as trials_per_minute
from trial
left join rate
    on rate.subject_uuid = trial.subject_uuid
group by trial.subject_uuid
order by all
"""


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the measures of all mice, or those of one lab or cohort."""
    mice = measured(con, lab=lab, cohort=cohort)
    if mice.empty:
        return nothing(con, TITLE, "no trained mice match")
    tests = compare(mice, MEASURES)
    panels = [_panel(mice, test) for test in tests.to_dict("records")]
    n_sessions = counted(int(mice["n_sessions"].sum()), "session")
    is_tested = tests["p"].notna().any()
    subtitle = [
        f"{counted(len(mice), 'mouse', 'mice')}, {n_sessions} of the three days up to being"
        " trained; lines at the medians"
        + ("; p corrected over the six measures (Benjamini-Hochberg)" if is_tested else ""),
        *_slower(correlate(mice, "reaction_time", "n_trials")),
        *notes(mice, tests, "p_corrected"),
    ]
    return finished(con, together(panels, 3), TITLE, subtitle)


def measured(
    con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None
) -> pd.DataFrame:
    """One row per mouse that was trained: the six measures, NaN where there is none."""
    mice = ask(con, MICE, lab=lab, cohort=cohort)
    points = ask(con, POINTS, lab=lab, cohort=cohort)
    names = points[MOUSE].drop_duplicates()
    names["institution_short"] = names["institution_short"].replace(NO_LABORATORY, None)
    curves = fitted(points, ["subject_uuid"])[["subject_uuid", "threshold", "bias"]]
    return names.merge(mice, on="subject_uuid").merge(curves, on="subject_uuid", how="left")


def _panel(mice: pd.DataFrame, test: dict[Any, Any]) -> Any:
    measure = test["measure"]
    tooltip = [
        alt.Tooltip("subject_nickname:N", title="mouse"),
        alt.Tooltip("laboratory:N"),
        alt.Tooltip(f"{measure}:Q", title=MEASURES[measure], format=",.2f"),
    ]
    y = alt.Y(f"{measure}:Q", title=MEASURES[measure], scale=alt.Scale(zero=False, padding=8))
    return panel(mice[[*MOUSE, measure]], test, y, tooltip, 330, 170, "p_corrected")


def _slower(test: dict[str, Any]) -> list[str]:
    """Whether mice with longer reaction times do fewer trials."""
    if pd.isna(test["p"]):
        return []
    return [
        f"reaction time and trials per session: Spearman r = {test['effect']:.2f}"
        f" ({test['effect_low']:.2f} to {test['effect_high']:.2f}), {p_in_words(test['p'])},"
        f" {test['n_mice']} mice"
    ]
