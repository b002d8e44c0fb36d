"""How each mouse learns: easy performance by training day, a panel per laboratory (figure 2a).

One line per mouse, grey until the day it is trained and dark from then on; the mean of the
laboratory in its colour, from the first day with more than two mice. Days with 100 trials or
fewer are left out, and days count from 0, as in the paper. Its running median of three days is
not applied: the lines show the days as they were.

Day, trials and performance are those that the server stored, as in the paper, else recomputed. The
day on which the mean over all mice first exceeds 80 % is as IBL's notebook takes it, which leaves
out no day and reports day 12 of its mice.
"""

import math
from typing import Any

import altair as alt
import duckdb
import pandas as pd

from analyses.style import (
    DARK,
    GREY,
    NO_LABORATORY,
    ask,
    counted,
    finished,
    in_order,
    institution_color,
    nothing,
    touched,
)

TITLE = "Learning curves"
# What a notebook shows without being asked to.
MOST_ROWS = 4000
DAYS = f"""
with day as (
    select
        subject_uuid,
        subject_nickname,
        institution_short,
        lab_name,
        session_date,
        coalesce(stored_training_day, training_day) as training_day,
        coalesce(stored_performance_easy, performance_easy) as performance_easy,
        coalesce(stored_n_trials, n_trials) as n_trials
    from days
)
select
    day.subject_uuid::varchar as subject_uuid,
    day.subject_nickname,
    coalesce(day.institution_short, '{NO_LABORATORY}') as institution_short,
    day.training_day - min(day.training_day) over (partition by day.subject_uuid) as day,
    100 * day.performance_easy as performance_easy,
    day.n_trials,
    coalesce(day.session_date >= milestones.date_trained, false) as is_trained
from day
left join training_milestones as milestones
    on milestones.subject_uuid = day.subject_uuid
where day.n_trials > 100
    and day.performance_easy is not null
    and ($lab is null or day.lab_name = $lab)
    and ($cohort is null or exists (
        select 1 from cohorts
        where cohorts.cohort = $cohort and cohorts.subject_uuid = day.subject_uuid
    ))
"""


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    last_day: int = 40,
) -> Any:
    """Draw the curves up to `last_day`, of all mice or those of one lab or cohort."""
    days = ask(con, DAYS, lab=lab, cohort=cohort)
    days = days[days["day"] <= last_day]
    if days.empty:
        return nothing(con, TITLE, "no days match")
    mean = (
        days.groupby(["institution_short", "day"])
        .agg(performance_easy=("performance_easy", "mean"), n_mice=("subject_uuid", "size"))
        .query("n_mice > 2")
        .reset_index()
    )
    institutions = in_order(days["institution_short"])
    hover = alt.selection_point(
        fields=["subject_uuid"], on="pointerover", clear="pointerout", empty=False
    )
    base = alt.Chart().encode(
        x=alt.X("day:Q", title="training day", scale=alt.Scale(domain=[0, last_day], nice=False)),
        y=alt.Y("performance_easy:Q", title="easy correct, %", scale=alt.Scale(domain=[0, 100])),
    )
    mice = (
        base.mark_line()
        .transform_filter("isValid(datum.subject_uuid)")
        .encode(
            detail="subject_uuid:N",
            color=alt.Color(
                "is_trained:N",
                scale=alt.Scale(domain=[False, True], range=[GREY, DARK]),
                legend=None,
            ),
        )
    )
    of_mouse = [
        alt.Tooltip("subject_nickname:N", title="mouse"),
        alt.Tooltip("day:Q", title="training day"),
        alt.Tooltip("performance_easy:Q", title="easy correct, %", format=".0f"),
        alt.Tooltip("n_trials:Q", title="trials", format=","),
    ]
    thin = mice.encode(
        opacity=alt.condition(hover, alt.value(1), alt.value(0.5)),
        strokeWidth=alt.condition(hover, alt.value(3), alt.value(1)),
    )
    wide = touched(mice, of_mouse).add_params(hover)
    means = (
        base.mark_line(strokeWidth=3)
        .transform_filter("isValid(datum.n_mice)")
        .encode(
            color=institution_color(institutions).legend(None),
            tooltip=[
                alt.Tooltip("institution_short:N", title="laboratory"),
                alt.Tooltip("day:Q", title="training day"),
                alt.Tooltip("performance_easy:Q", title="mean, %", format=".1f"),
                alt.Tooltip("n_mice:Q", title="mice"),
            ],
        )
    )
    every = math.ceil(len(days) / MOST_ROWS)
    panels = (
        alt.layer(thin, wide, means, data=pd.concat([days[days["day"] % every == 0], mean]))
        .resolve_scale(color="independent")
        .properties(width=150, height=150)
        .facet(alt.Facet("institution_short:N", title=None, sort=institutions), columns=4)
    )
    n_mice = counted(days["subject_uuid"].nunique(), "mouse", "mice")
    subtitle = [
        f"{n_mice}, {counted(len(days), 'day')} with more than 100 trials; grey in training, dark"
        " once trained, the laboratory's mean in colour",
        _exceeds(days) + (f"; lines of mice have a point every {every} days" if every > 1 else ""),
    ]
    return finished(con, panels, TITLE, subtitle)


def _exceeds(days: pd.DataFrame) -> str:
    """The first day on which the mean over mice, of more than two, is above 80 %."""
    by_day = days.groupby("day")["performance_easy"].agg(["mean", "size"])
    above = by_day[(by_day["mean"] > 80) & (by_day["size"] > 2)]
    if above.empty:
        return "the mean over mice does not exceed 80 %"
    n_mice = counted(int(above["size"].iloc[0]), "mouse", "mice")
    return f"the mean over mice first exceeds 80 % on day {int(above.index[0])} ({n_mice})"
