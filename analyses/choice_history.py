"""How the last trial moves the next choice, per laboratory, without a model (figure 5).

One dot per mouse and task: open, the basic task, training sessions on the day that the mouse was
trained and the two training days before; filled, with blocks, sessions on the day that it was
ready for the ephys rig and the two before. Above: the same side again after a reward, the other
side after an error; easy trials that the training task repeats after an error are left out. Below:
choice updating at 0 contrast, percent right after a choice right minus after a choice left; the
same with the trial that follows in place of the one before is subtracted, as no choice can be
the effect of a later one.

The paper's figure shows the weights of a logistic regression (here: `history_weights`), and its
supplements read updating off fitted curves. Both measures here are means of the trials; a mouse
with fewer than 10 trials in any of the conditions of a measure is left out of it. With blocks
staying pays, with or without history. Where the server did not record the repeats, the basic task
has no dots above.

To take from it: whether a reward or an error moves the next choice, without any model of it. The
published figure has the weights of a model: see history_weights.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .laboratories import aside, columns, median_bar
from .style import (
    GREY,
    NO_LABORATORY,
    ask,
    counted,
    finished,
    in_cohort,
    in_order,
    institution_color,
    nothing,
    swarm,
    together,
    under_pointer,
)

TITLE = "Choice history"
MEASURES = {
    "stay_after_reward": "same side after reward, %",
    "switch_after_error": "other side after error, %",
    "updating_after_reward": "updating after reward, %",
    "updating_after_error": "updating after error, %",
}
# Where a mouse that pays no attention to the last trial would be.
NO_EFFECT = {
    "stay_after_reward": 50,
    "switch_after_error": 50,
    "updating_after_reward": 0,
    "updating_after_error": 0,
}
# Sessions pooled: each share counts by the trials that it is of.
MICE = f"""
with chosen as (
    select
        history.*,
        days.criterion = 'ephys' as has_blocks
    from choice_history as history
    join days_from_criterion as days
        on days.subject_uuid = history.subject_uuid
        and days.session_date = history.session_date
    where days.days_from_criterion between -2 and 0
        and (
            (days.criterion = 'trained' and history.task = 'training')
            or (days.criterion = 'ephys' and history.task in ('biased', 'ephys'))
        )
        and ($lab is null or history.lab_name = $lab)
        and {in_cohort("history.subject_uuid")}
),
condition as (
    select subject_uuid, session_start_time, has_blocks, 'stay_after_reward' as measure,
        1 as sign, 'fresh' as condition, p_stay_fresh_after_reward as p,
        n_fresh_after_reward as n
    from chosen
    union all
    select subject_uuid, session_start_time, has_blocks, 'switch_after_error',
        1, 'fresh', p_switch_fresh_after_error, n_fresh_after_error
    from chosen
    union all
    select subject_uuid, session_start_time, has_blocks, 'updating_after_reward',
        1, 'after right', p_right_zero_after_right_reward, n_zero_after_right_reward
    from chosen
    union all
    select subject_uuid, session_start_time, has_blocks, 'updating_after_reward',
        -1, 'after left', p_right_zero_after_left_reward, n_zero_after_left_reward
    from chosen
    union all
    select subject_uuid, session_start_time, has_blocks, 'updating_after_reward',
        -1, 'before right', p_right_zero_before_right_reward, n_zero_before_right_reward
    from chosen
    union all
    select subject_uuid, session_start_time, has_blocks, 'updating_after_reward',
        1, 'before left', p_right_zero_before_left_reward, n_zero_before_left_reward
    from chosen
    union all
    select subject_uuid, session_start_time, has_blocks, 'updating_after_error',
        1, 'after right', p_right_zero_after_right_error, n_zero_after_right_error
    from chosen
    union all
    select subject_uuid, session_start_time, has_blocks, 'updating_after_error',
        -1, 'after left', p_right_zero_after_left_error, n_zero_after_left_error
    from chosen
    union all
    select subject_uuid, session_start_time, has_blocks, 'updating_after_error',
        -1, 'before right', p_right_zero_before_right_error, n_zero_before_right_error
    from chosen
    union all
    select subject_uuid, session_start_time, has_blocks, 'updating_after_error',
        1, 'before left', p_right_zero_before_left_error, n_zero_before_left_error
    from chosen
),
pooled as (
    select
        subject_uuid,
        has_blocks,
        measure,
        condition,
        any_value(sign) as sign,
        sum(p * n) / nullif(sum(n), 0) as p,
        sum(n) as n,
        count(*) as n_sessions
    from condition
    group by subject_uuid, has_blocks, measure, condition
)
select
    pooled.subject_uuid::varchar as subject_uuid,
    any_value(subjects.subject_nickname) as subject_nickname,
    coalesce(any_value(subjects.institution_short), '{NO_LABORATORY}') as institution_short,
    pooled.has_blocks,
    case when pooled.has_blocks then 'with blocks' else 'basic' end as task,
    pooled.measure,
    100 * sum(pooled.sign * pooled.p) as percent,
    min(pooled.n) as least_trials,
    max(pooled.n_sessions) as n_sessions
from pooled
join subjects on subjects.subject_uuid = pooled.subject_uuid
group by pooled.subject_uuid, pooled.has_blocks, pooled.measure
having min(pooled.n) >= 10
order by all
"""


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the measures of all mice, or those of one lab or cohort."""
    mice = ask(con, MICE, lab=lab, cohort=cohort)
    if mice.empty:
        return nothing(con, TITLE, "no trained mice match")
    institutions = in_order(mice["institution_short"])
    panels = [
        _panel(mice[mice["measure"] == measure], measure, institutions) for measure in MEASURES
    ]
    sessions = mice.groupby(["subject_uuid", "has_blocks"])["n_sessions"].max()
    n_mice = counted(mice["subject_uuid"].nunique(), "mouse", "mice")
    n_sessions = counted(int(sessions.sum()), "session")
    subtitle = [
        f"{n_mice}, {n_sessions}; a dot per mouse, lines at the medians",
        "open: basic task, three days up to being trained; filled: with blocks, three days up to"
        " being ready for ephys; dashed: where a mouse would be that ignores the trial before",
    ]
    return finished(con, together(panels, 2), TITLE, subtitle)


def _panel(rows: pd.DataFrame, measure: str, institutions: list[str]) -> Any:
    rows = rows.drop(columns="measure").assign(laboratory=rows["institution_short"])
    rows, x = columns(rows, institutions)
    width, height = 400, 170
    half = width / max(rows["laboratory"].nunique(), 1) / 4
    # the two tasks of a laboratory side by side, and one alone in the middle
    n_tasks = rows.groupby("laboratory")["has_blocks"].transform("nunique")
    rows["middle"] = rows["has_blocks"].map({False: -half, True: half}).where(n_tasks > 1, 0.0)
    rows["aside"] = rows["middle"] + swarm(
        rows, ["laboratory", "has_blocks"], "percent", height, radius=2.8
    )
    hover = under_pointer()
    base = alt.Chart(rows).encode(
        x=x,
        y=alt.Y("percent:Q", title=MEASURES[measure], scale=alt.Scale(zero=False, padding=8)),
    )
    colors = institution_color(rows["laboratory"], "laboratory")
    dots = base.mark_point(strokeWidth=1.5).encode(
        xOffset=aside(rows, 4 * half),
        color=colors.legend(None),
        fill=alt.Fill("laboratory:N", scale=colors["scale"], legend=None),
        # open in the basic task, filled with blocks
        fillOpacity=alt.condition(alt.datum.has_blocks, alt.value(1), alt.value(0)),
        opacity=alt.condition(hover, alt.value(1), alt.value(0.7)),
        size=alt.condition(hover, alt.value(120), alt.value(18)),
        tooltip=[
            alt.Tooltip("subject_nickname:N", title="mouse"),
            alt.Tooltip("institution_short:N", title="laboratory"),
            alt.Tooltip("task:N", title="task"),
            alt.Tooltip("percent:Q", title=MEASURES[measure], format=".1f"),
            alt.Tooltip("least_trials:Q", title="trials, fewest in a condition", format=","),
            alt.Tooltip("n_sessions:Q", title="sessions"),
        ],
    )
    medians = median_bar(base, "percent", [alt.Tooltip("task:N")], 14).encode(
        xOffset=alt.XOffset("middle:Q", scale=aside(rows, 4 * half)["scale"])
    )
    none = alt.Chart(pd.DataFrame({"percent": [NO_EFFECT[measure]]}))
    zero = none.mark_rule(color=GREY, strokeDash=[3, 3]).encode(y="percent:Q")
    return alt.layer(zero, medians, dots.add_params(hover)).properties(width=width, height=height)
