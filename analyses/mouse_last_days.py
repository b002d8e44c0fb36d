"""The last three days of one mouse side by side: choices with their fits, and reaction times.

As at the end of the mouse page of IBL's data portal: the dates with trials that came last, a colour
per block. Bars of choices are Wilson's interval of 68 %, those of reaction times the quartiles;
lines are fits with the server's bounds, missing where the trials do not determine one. Below, the
reaction times over the trials of the day, whose sessions follow each other: medians of steps of ten
trials, where the portal drew every trial and a running median. Without a `subject` (nickname or
UUID) it is the mouse with the most trials.

To take from it: how a mouse did lately, day by day, by block and by contrast. The portal's figure
has a table of the parameters beside its curves.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from . import session_curves
from .mice import Rows, find_mouse
from .session_course import MIDDLE
from .session_curves import along, choices, reaction_times
from .style import DARK, ask, counted, finished, log_seconds, nothing

TITLE = "The last three days"
# What the three queries share; a day without trials is none of the last.
LAST_DAYS = """
with last_day as (
    select
        subject_uuid,
        session_date,
        format('{}, {:,} trials', session_date, n_trials) as day
    from days
    where ($mouse is null or subject_uuid = $mouse::uuid) and n_trials > 0
    qualify row_number() over (partition by subject_uuid order by session_date desc) <= 3
)
"""
POINTS = f"""
{LAST_DAYS}
select
    curves.subject_uuid::varchar as subject_uuid,
    curves.session_date::varchar as session_date,
    last_day.day,
    'points' as kind,
    curves.prob_left_block,
    list(curves.signed_contrast order by curves.signed_contrast) as signed_contrast,
    list(round(100 * curves.p_right, 1) order by curves.signed_contrast) as percent_right,
    list(round(100 * curves.p_right_low68, 1) order by curves.signed_contrast) as low,
    list(round(100 * curves.p_right_high68, 1) order by curves.signed_contrast) as high,
    list(curves.n_trials - curves.n_no_go order by curves.signed_contrast) as n_choices
from psychometrics_by_day as curves
join last_day
    on last_day.subject_uuid = curves.subject_uuid
    and last_day.session_date = curves.session_date
where curves.prob_left_block in (20, 50, 80)
    and curves.signed_contrast between -100 and 100
    and curves.p_right is not null
group by all
order by 1, 2, 5
"""
FITS = f"""
{LAST_DAYS}
select
    fits.subject_uuid::varchar as subject_uuid,
    fits.session_date::varchar as session_date,
    last_day.day,
    fits.prob_left_block,
    fits.n_trials,
    fits.threshold,
    fits.bias,
    fits.lapse_low,
    fits.lapse_high
from psychometric_fits as fits
join last_day
    on last_day.subject_uuid = fits.subject_uuid
    and last_day.session_date = fits.session_date
where fits.grain = 'day_block'
    and fits.source = 'derived'
    and fits.variant = 'datajoint'
    and fits.prob_left_block in (20, 50, 80)
    and fits.threshold is not null
order by 1, 2, 3
"""
TIMES = f"""
{LAST_DAYS}
select
    times.subject_uuid::varchar as subject_uuid,
    times.session_date::varchar as session_date,
    last_day.day,
    times.prob_left_block,
    times.signed_contrast,
    times.n_reaction_times,
    times.median_reaction_time,
    times.q1_reaction_time,
    times.q3_reaction_time
from reaction_times_by_day as times
join last_day
    on last_day.subject_uuid = times.subject_uuid
    and last_day.session_date = times.session_date
where times.prob_left_block in (20, 50, 80)
    and times.signed_contrast is not null
    -- a logarithmic axis has no place for what is not above 0
    and times.q1_reaction_time > 0
order by 1, 2, 3, 4
"""
# The trials of a day in steps of ten, its sessions after each other.
COURSE = f"""
{LAST_DAYS},
numbered as (
    select
        trials.subject_uuid,
        trials.session_date,
        last_day.day,
        trials.reaction_time,
        row_number() over (
            partition by trials.subject_uuid, trials.session_date
            order by trials.session_start_time, trials.trial_id
        ) as place
    from trials
    join last_day
        on last_day.subject_uuid = trials.subject_uuid
        and last_day.session_date = trials.session_date
)
select
    subject_uuid::varchar as subject_uuid,
    session_date::varchar as session_date,
    day,
    min(place) as first_trial,
    max(place) as last_trial,
    median(reaction_time) as median_reaction_time
from numbered
where reaction_time > 0
group by subject_uuid, session_date, day, (place - 1) // 10
order by subject_uuid, session_date, first_trial
"""


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
) -> Any:
    """Draw the last three days of one mouse."""
    mouse = find_mouse(con, lab, cohort, subject)
    if mouse is None:
        return nothing(con, TITLE, "no mouse matches")
    title = f"{TITLE}: {mouse['subject_nickname']}"
    found = rows(con, mouse["subject_uuid"])
    if found["last_curves"].empty:
        return nothing(con, title, "no days with trials match")
    first, *others = words(**found)
    return finished(con, draw(**found), title, [f"{mouse['lab_name']}; {first}", *others])


def rows(con: duckdb.DuckDBPyConnection, mouse: str | None = None) -> dict[str, pd.DataFrame]:
    """The last curves and reaction times of one mouse by its UUID, or of all mice."""
    lines = along(
        ask(con, FITS, mouse=mouse), ["subject_uuid", "session_date", "day", "prob_left_block"]
    )
    return {
        "last_curves": pd.concat([ask(con, POINTS, mouse=mouse), lines]),
        "last_times": ask(con, TIMES, mouse=mouse),
        "last_course": ask(con, COURSE, mouse=mouse),
    }


def words(
    last_curves: pd.DataFrame, last_times: pd.DataFrame, last_course: pd.DataFrame
) -> list[str]:
    """What stands under the title of one mouse."""
    n_days = counted(last_curves["session_date"].nunique(), "day")
    first, *others = session_curves.words(last_curves)
    return [f"{n_days}; {first}", *others]


def draw(last_curves: Rows, last_times: Rows, last_course: Rows) -> Any:
    """Draw the days of one mouse, without a title."""
    head = alt.Header(labelAnchor="start")
    panels = choices(last_curves, 230), reaction_times(last_times, 230), _course(last_course)
    days = (alt.Column("day:N", title=None, header=head) for _ in panels)
    drawn = (
        # the signs of a broken axis need one to stand on
        panel.facet(column=day).resolve_axis(x="independent")
        for panel, day in zip(panels, days, strict=True)
    )
    return alt.vconcat(*drawn, spacing=20)


def _course(last_course: Rows) -> Any:
    base = (
        alt.Chart(last_course)
        .transform_calculate(trial=MIDDLE)
        .encode(
            x=alt.X("trial:Q", title="trial of the day"),
            y=log_seconds("median_reaction_time", "reaction time, s"),
            tooltip=[
                alt.Tooltip("first_trial:Q", title="from trial"),
                alt.Tooltip("last_trial:Q", title="to trial"),
                alt.Tooltip("median_reaction_time:Q", title="median, s", format=".2f"),
            ],
        )
        .properties(width=230, height=110)
    )
    line = base.mark_line(color=DARK, strokeWidth=1, opacity=0.4)
    return alt.layer(line, base.mark_circle(color=DARK, size=16, opacity=1))
