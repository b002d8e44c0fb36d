"""What the charts of one mouse or session share: finding it, and the dates of its statuses."""

from typing import Any, TypeAlias
from uuid import UUID

import altair as alt
import duckdb
import pandas as pd

from .style import DARK, NO_LABORATORY, TRAINING_DAY, ask, in_cohort

# Rows at hand, or the name of rows that a page brings later: a chart looks the same for both.
Rows: TypeAlias = pd.DataFrame | alt.NamedData

WIDTH = 640
RULE_COLOR = "#8c8c8c"
# The mice of a name, lab and cohort, that with most trials first.
MICE = f"""
select
    subjects.subject_uuid::varchar as subject_uuid,
    subjects.subject_nickname,
    coalesce(subjects.lab_name, '{NO_LABORATORY}') as lab_name,
    coalesce(sum(days.n_trials), 0)::bigint as n_trials
from subjects
left join days
    on days.subject_uuid = subjects.subject_uuid
where ($subject is null
        or subjects.subject_nickname = $subject
        or subjects.subject_uuid::varchar = lower($subject))
    and ($lab is null or subjects.lab_name = $lab)
    and {in_cohort("subjects.subject_uuid")}
group by all
order by n_trials desc, subject_uuid
"""
# Sessions with trials here: by UUID, or by start or the beginning of it, the latest first.
SESSIONS = f"""
select
    session.subject_uuid::varchar as subject_uuid,
    session.subject_nickname,
    session.session_start_time,
    strftime(session.session_start_time, '%Y-%m-%d %H:%M') as started,
    session.task,
    session.training_day
from sessions as session
where ($mouse is null or session.subject_uuid = $mouse::uuid)
    and ($session is null
        or session.session_uuid::varchar = lower($session)
        or starts_with(session.session_start_time::varchar, replace($session, 'T', ' ')))
    and ($lab is null or session.lab_name = $lab)
    and {in_cohort("session.subject_uuid")}
    -- not of the view: its windows would run over all trials
    and exists (
        select 1 from behavior.trial_set__trial as trial
        where trial.subject_uuid = session.subject_uuid
            and trial.session_start_time = session.session_start_time
    )
order by session.session_start_time desc, session.subject_uuid
"""
# First date of each status of one mouse, or of all.
STATUSES = """
select
    subject_uuid::varchar as subject_uuid,
    status,
    min(status_rank) as status_rank,
    min(session_date)::varchar as session_date,
    min(training_day) as training_day
from status_by_day
where ($mouse is null or subject_uuid = $mouse::uuid) and status <> 'in_training'
group by subject_uuid, status
order by subject_uuid, min(session_date), status
"""


def matching_mice(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
) -> pd.DataFrame:
    """The mice that are asked for, those with the most trials first."""
    return ask(con, MICE, lab=lab, cohort=cohort, subject=subject)


def matching_sessions(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
    session: str | None = None,
) -> pd.DataFrame:
    """The sessions with trials that are asked for, the latest first, of one mouse or of all."""
    mouse = None
    if subject is not None or session is None:
        found = find_mouse(con, lab, cohort, subject)
        # no session is of no mouse
        mouse = found["subject_uuid"] if found else str(UUID(int=0))
    return ask(con, SESSIONS, mouse=mouse, session=session, lab=lab, cohort=cohort)


def find_mouse(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
) -> dict[str, Any] | None:
    """The mouse that is asked for, by default the one with the most trials; None without."""
    found = matching_mice(con, lab, cohort, subject)
    return None if found.empty else dict(found.iloc[0])


def find_session(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
    session: str | None = None,
) -> dict[str, Any] | None:
    """The session that is asked for, by default the last with trials of `find_mouse`."""
    found = matching_sessions(con, lab, cohort, subject, session)
    return None if found.empty else dict(found.iloc[0])


def status_rules(statuses: Rows, across: alt.X) -> alt.Chart:
    """Dashed lines at the first date of each status, a layer to put under others."""
    rules = alt.Chart(statuses).mark_rule(strokeDash=[4, 3], color=RULE_COLOR)
    return rules.encode(x=across, tooltip=_status_tooltip())


def status_strip(statuses: Rows, across: alt.X) -> alt.Chart:
    """The names of the statuses, a row each, so that those of one week do not overlap."""
    highest_first = alt.EncodingSortField("status_rank", op="min", order="descending")
    return (
        alt.Chart(statuses)
        .mark_point(shape="diamond", filled=True, size=70, color=DARK, opacity=1)
        .encode(
            x=across.axis(None),
            y=alt.Y("status:N", sort=highest_first, title=None),
            tooltip=_status_tooltip(),
        )
        .properties(width=WIDTH, height=alt.Step(16))
    )


def date_axis() -> alt.X:
    """The date, with room at both ends for the width of a point."""
    # read and written as UTC: a date without a time must not move with the browser's zone
    return alt.X(
        "session_date:T",
        title="date",
        scale=alt.Scale(type="utc", nice=False, padding=8),
        axis=alt.Axis(labelOverlap=True, tickCount=8, format="%Y-%m-%d"),
    )


def day_axis(field: str = "training_day") -> alt.X:
    """The training day, with room at both ends for the width of a point."""
    scale = alt.Scale(nice=False, zero=False, padding=8)
    return alt.X(f"{field}:Q", title=TRAINING_DAY, scale=scale, axis=alt.Axis(tickMinStep=1))


def stacked(*panels: Any) -> Any:
    """Panels of one mouse over each other, on one axis of days or dates."""
    return alt.vconcat(*panels, spacing=14).resolve_scale(x="shared")


def _status_tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("status:N", title="first date of"),
        alt.Tooltip("session_date:N", title="date"),
        alt.Tooltip("training_day:Q", title="training day"),
    ]
