"""Psychometric curves by the choice before and its outcome, in the basic and the full task.

Left: after a choice that was rewarded; right: after an error; curves apart are an effect of the
choice before, or of what made both choices. Points are means over mice, each counting the same, of
the share of choices to the right, with bars of one standard error; lines are IBL's
`erf_psycho_2gammas`, fitted to the means with the paper's bounds. Basic task: training sessions on
the day that a mouse was trained and the two training days before; full task: biased and ephys
sessions on the day that it was ready for the ephys rig and the two before.

The paper's supplement fits each mouse and draws the average of its curves. Its previous trial can
be that of another session or mouse; here it is in the same session and no no-go. A mouse whose
side drifts, and blocks, bring curves apart without any effect of history: `choice_history`
subtracts what the trial that follows explains as well.

To take from it: mice repeat what was rewarded; after an error they hardly do. The published figure
has averages of curves fitted to each mouse, and its strategy space.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .curves import axis_break, contrast_axis, fitted, line_rows, point_rows
from .style import BLOCK_COLORS, FEWEST, PERCENT, ask, counted, finished, in_cohort, nothing

TITLE = "Psychometric curves by the choice before"
CONDITION = ["task", "outcome", "previous_choice"]
TASKS = ["basic task", "full task"]
OUTCOMES = ["after reward", "after error"]
# To the left and right as in blocks of stimuli mostly on the left and right.
SIDES = {"left": BLOCK_COLORS[2], "right": BLOCK_COLORS[0]}
MEANS = f"""
with chosen as (
    select
        trials.subject_uuid,
        trials.session_start_time,
        case trials.criterion when 'trained' then 'basic task' else 'full task' end as task,
        case trials.previous_rewarded when 1 then 'after reward' else 'after error' end as outcome,
        case trials.previous_choice when 1 then 'right' else 'left' end as previous_choice,
        trials.signed_contrast,
        trials.choice_right
    from trials_at_criterion as trials
    where (
        (trials.criterion = 'trained' and trials.task = 'training')
        or (trials.criterion = 'ephys' and trials.task in ('biased', 'ephys'))
    )
        and trials.choice_right is not null
        and trials.previous_choice is not null
        and trials.previous_rewarded is not null
        and trials.signed_contrast is not null
        and ($lab is null or trials.lab_name = $lab)
        and {in_cohort("trials.subject_uuid")}
),
mouse as (
    select
        task,
        outcome,
        previous_choice,
        signed_contrast,
        subject_uuid,
        count(*) as n_trials,
        avg(choice_right) as p_right
    from chosen
    group by all
),
task as (
    select
        task,
        count(*) as n_choices,
        count(distinct subject_uuid) as n_task_mice,
        count(distinct (subject_uuid, session_start_time)) as n_sessions
    from chosen
    group by task
)
select
    mouse.task,
    mouse.outcome,
    mouse.previous_choice,
    mouse.signed_contrast,
    count(*) as n_mice,
    avg(mouse.n_trials) as n_trials,
    avg(mouse.p_right) as p_right,
    100 * avg(mouse.p_right) as percent_right,
    100 * (
        avg(mouse.p_right)
        - if(count(*) >= {FEWEST}, stddev_samp(mouse.p_right), null) / sqrt(count(*))
    ) as low,
    100 * (
        avg(mouse.p_right)
        + if(count(*) >= {FEWEST}, stddev_samp(mouse.p_right), null) / sqrt(count(*))
    ) as high,
    any_value(task.n_choices) as n_choices,
    any_value(task.n_task_mice) as n_task_mice,
    any_value(task.n_sessions) as n_sessions
from mouse
join task on task.task = mouse.task
group by mouse.task, mouse.outcome, mouse.previous_choice, mouse.signed_contrast
order by all
"""


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the curves of all mice, or those of one lab or cohort."""
    means = ask(con, MEANS, lab=lab, cohort=cohort)
    if means.empty:
        return nothing(con, TITLE, "no trained mice match")
    drawn = [
        _panel(means[(means["task"] == task) & (means["outcome"] == outcome)], task, outcome)
        for task in TASKS
        for outcome in OUTCOMES
        if ((means["task"] == task) & (means["outcome"] == outcome)).any()
    ]
    subtitle = [
        *(
            f"{row['task']}: {counted(int(row['n_task_mice']), 'mouse', 'mice')},"
            f" {counted(int(row['n_sessions']), 'session')},"
            f" {counted(int(row['n_choices']), 'choice')} of the three days up to being"
            f" {'trained' if row['task'] == TASKS[0] else 'ready for ephys'}"
            for row in means.drop_duplicates("task").to_dict("records")
        ),
        "points: means over mice, of three or more with a bar of ± s.e.m.; lines: curves fitted to"
        " the means",
    ]
    return finished(con, alt.concat(*drawn, columns=2, spacing=30), TITLE, subtitle)


def _panel(means: pd.DataFrame, task: str, outcome: str) -> Any:
    sides = alt.Scale(domain=list(SIDES), range=list(SIDES.values()))
    base = alt.Chart(point_rows(means)).encode(
        x=contrast_axis(),
        y=alt.Y("percent_right:Q", title="choices right, %", scale=PERCENT),
        color=alt.Color("previous_choice:N", title="choice before", scale=sides),
    )
    # told apart in grey print as well
    shape = alt.Shape(
        "previous_choice:N",
        title="choice before",
        scale=alt.Scale(domain=list(SIDES), range=["circle", "triangle-up"]),
    )
    lines = base.mark_line(interpolate="monotone", strokeWidth=2).encode(detail="piece:N")
    dots = base.mark_point(filled=True, size=45, opacity=1).encode(
        shape=shape,
        tooltip=[
            alt.Tooltip("previous_choice:N", title="choice before"),
            alt.Tooltip("outcome:N", title="outcome"),
            alt.Tooltip("signed_contrast:Q", title="contrast, %"),
            alt.Tooltip("percent_right:Q", title="mean right, %", format=".1f"),
            alt.Tooltip("low:Q", title="- s.e.m., %", format=".1f"),
            alt.Tooltip("high:Q", title="+ s.e.m., %", format=".1f"),
            alt.Tooltip("n_mice:Q", title="mice"),
            alt.Tooltip("n_trials:Q", title="choices per mouse", format=",.1f"),
        ],
    )
    fits = fitted(means, CONDITION)
    layers = [
        lines.properties(data=line_rows(fits, CONDITION)),
        base.mark_rule().encode(y="low:Q", y2="high:Q"),
        dots,
        axis_break(),
    ]
    n_mice = counted(int(means["n_mice"].max()), "mouse", "mice")
    title = alt.TitleParams(
        f"{task}, {outcome}, {n_mice}", fontSize=12, anchor="start", frame="group"
    )
    return alt.layer(*layers).properties(width=260, height=220, title=title)
