"""How blocks move the psychometric curve: one curve per block, biased task (figures 4a, 4b).

Biased and ephys sessions on the day that a mouse was ready for the ephys rig and the two training
days before it; of a single mouse that never was, all its sessions. Points are shares of all
choices, mice pooled, with Wilson's interval of 68 %; lines are IBL's `erf_psycho_2gammas`, fitted
with the paper's bounds. The paper averages over mice and bootstraps. The interval takes choices
as independent, which pooled mice are not: it says how well these trials are known, not how much
mice differ.

A block of 20 has its stimuli on the left in 20 % of trials: mostly on the right.

To take from it: blocks move the whole curve to the side that pays, most of all where there is
little to see. The published figure has an example mouse, and bars that are bootstrapped over mice.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .curves import (
    axis_break,
    contrast_axis,
    fitted,
    line_rows,
    point_rows,
)
from .style import PERCENT, ask, block_color, counted, finished, in_cohort, nothing

TITLE = "Psychometric curves by block"
# Wilson's interval as the view has it, of the pooled counts; `square` is the squared normal
# quantile that leaves out 32 %.
POINTS = f"""
with shown as (
    select curves.*
    from psychometrics_by_block as curves
    left join days_from_criterion as days
        on days.subject_uuid = curves.subject_uuid
        and days.session_date = curves.session_date
        and days.criterion = 'ephys'
    where curves.task in ('biased', 'ephys')
        and curves.prob_left_block in (20, 50, 80)
        and (
            days.days_from_criterion between -2 and 0
            or ($subject is not null and not exists (
                select 1 from days_from_criterion as reached
                where reached.subject_uuid = curves.subject_uuid and reached.criterion = 'ephys'
            ))
        )
        and ($lab is null or curves.lab_name = $lab)
        and ($subject is null or $subject in (
            curves.subject_nickname, curves.subject_uuid::varchar
        ))
        and {in_cohort("curves.subject_uuid")}
),
pooled as (
    select
        prob_left_block,
        signed_contrast,
        sum(n_trials) as n_trials,
        sum(n_trials - n_no_go) as n,
        sum(n_right) as n_right,
        0.988946481478023e0 as square
    from shown
    group by all
)
select
    prob_left_block,
    signed_contrast,
    n_trials,
    n as n_choices,
    n_right / n as p_right,
    100 * n_right / n as percent_right,
    50 * (2 * n_right + square - sqrt(square * (square + 4 * n_right * (n - n_right) / n)))
        / (n + square) as low,
    50 * (2 * n_right + square + sqrt(square * (square + 4 * n_right * (n - n_right) / n)))
        / (n + square) as high,
    (select count(distinct subject_uuid) from shown) as n_mice,
    (select count(distinct (subject_uuid, session_start_time)) from shown) as n_sessions
from pooled
where n > 0
order by all
"""


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
) -> Any:
    """Draw the three curves of all mice, one lab, one cohort or one subject (name or uuid)."""
    points = ask(con, POINTS, lab=lab, cohort=cohort, subject=subject)
    if points.empty:
        return nothing(con, TITLE, "no sessions with blocks match")
    base = alt.Chart().encode(
        x=contrast_axis(),
        y=alt.Y("percent_right:Q", title="choices right, %", scale=PERCENT),
        color=block_color(),
    )
    fits = fitted(points, ["prob_left_block"])
    lines = base.mark_line(interpolate="monotone", strokeWidth=2).encode(
        detail="piece:N",
        tooltip=[
            alt.Tooltip("prob_left_block:N", title="stimulus left, %"),
            alt.Tooltip("threshold:Q", title="threshold, %", format=".1f"),
            alt.Tooltip("bias:Q", title="bias, %", format=".1f"),
            alt.Tooltip("lapse_low:Q", title="lapse left", format=".2f"),
            alt.Tooltip("lapse_high:Q", title="lapse right", format=".2f"),
        ],
    )
    dots = base.mark_point(filled=True, size=45, opacity=1).encode(
        tooltip=[
            alt.Tooltip("prob_left_block:N", title="stimulus left, %"),
            alt.Tooltip("signed_contrast:Q", title="contrast, %"),
            alt.Tooltip("percent_right:Q", title="right, %", format=".1f"),
            alt.Tooltip("low:Q", title="from, %", format=".1f"),
            alt.Tooltip("high:Q", title="to, %", format=".1f"),
            alt.Tooltip("n_choices:Q", title="choices", format=","),
        ],
    )
    bars = base.mark_rule().encode(y="low:Q", y2="high:Q")
    shown = point_rows(points)
    layers = alt.layer(
        lines.properties(data=line_rows(fits, ["prob_left_block"])),
        bars.properties(data=shown),
        dots.properties(data=shown),
        axis_break(),
    ).properties(width=360, height=300)
    return finished(con, layers, TITLE, _subtitle(points, subject))


def _subtitle(points: pd.DataFrame, subject: str | None) -> list[str]:
    first = points.iloc[0]
    n_trials = counted(int(points["n_trials"].sum()), "trial")
    n_mice = subject or counted(int(first["n_mice"]), "mouse", "mice")
    return [
        f"{n_mice}, {counted(int(first['n_sessions']), 'session')}, {n_trials}",
        "points: share of choices with its 68 % interval; lines: fitted",
    ]
