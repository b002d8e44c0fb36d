"""The course of a session: stimuli and choices over the blocks, ten trials a step (figure 4a).

In a band of orange 20 % of the stimuli come on the left, in a purple one 80 %; between them, and in
sessions without bands, half. The share of stimuli on the right and of choices to the right shows
how fast the mouse follows a new block; correct choices and median reaction times stand below. The
paper draws a running mean of ten trials; steps of ten hold the same and do not repeat it. Without
a `session` (UUID, or start such as 2019-08-30 12:00:00, also shortened, then with a `subject`) it
is the last one with trials of the `subject`, or of the mouse with the most trials.

To take from it: how soon after a change of block the choices change. The published figure has a
running mean of ten trials, and the example of one mouse.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .mice import WIDTH, Rows, find_session
from .style import DARK, PERCENT, ask, block_color, counted, finished, log_seconds, nothing

TITLE = "Course of a session"
COURSE = """
with numbered as (
    select
        subject_uuid,
        session_start_time,
        trial_id,
        stim_side,
        choice_right,
        correct,
        case when reaction_time > 0 then reaction_time end as reaction_time,
        (row_number() over session_order - 1) // 10 as step
    from trials
    where ($mouse is null or subject_uuid = $mouse::uuid)
        and ($start is null or session_start_time = $start)
    window session_order as (partition by subject_uuid, session_start_time order by trial_id)
)
select
    subject_uuid::varchar as subject_uuid,
    session_start_time::varchar as session_start_time,
    min(trial_id) as first_trial,
    max(trial_id) as last_trial,
    count(*) as n_trials,
    round(100 * avg((stim_side + 1) / 2), 1) as stimuli,
    round(100 * avg(choice_right), 1) as choices,
    round(100 * avg(correct), 1) as percent_correct,
    median(reaction_time) as median_reaction_time
from numbered
group by subject_uuid, session_start_time, step
order by subject_uuid, session_start_time, step
"""
BLOCKS = """
select
    subject_uuid::varchar as subject_uuid,
    session_start_time::varchar as session_start_time,
    prob_left_block,
    min(trial_id) - 0.5 as block_start,
    max(trial_id) + 0.5 as block_end,
    count(*) as n_trials
from trials
where ($mouse is null or subject_uuid = $mouse::uuid)
    and ($start is null or session_start_time = $start)
    and prob_left_block in (20, 80)
group by subject_uuid, session_start_time, block_index, prob_left_block
order by subject_uuid, session_start_time, block_start
"""
# Where a step of ten trials is drawn.
MIDDLE = "(datum.first_trial + datum.last_trial) / 2"
# The paper's black and red; the red is Okabe and Ito's vermilion.
SIDES = {"stimuli": DARK, "choices": "#d55e00"}


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
    session: str | None = None,
) -> Any:
    """Draw the course of one session."""
    found = find_session(con, lab, cohort, subject, session)
    if found is None:
        return nothing(con, TITLE, "no session with trials matches")
    course, blocks = rows(con, found["subject_uuid"], found["session_start_time"]).values()
    title = f"{TITLE}: {found['subject_nickname']}, {found['started']}"
    n_trials = counted(int(course["n_trials"].sum()), "trial")
    subtitle = (
        f"{found['task']}; {n_trials} in steps of ten, {counted(len(blocks), 'biased block')}"
    )
    return finished(con, draw(course, blocks), title, subtitle)


def rows(
    con: duckdb.DuckDBPyConnection, mouse: str | None = None, start: Any = None
) -> dict[str, pd.DataFrame]:
    """The steps of ten trials and the biased blocks of one session, or of all sessions."""
    which = {"mouse": mouse, "start": start}
    return {"course": ask(con, COURSE, **which), "blocks": ask(con, BLOCKS, **which)}


def draw(course: Rows, blocks: Rows) -> Any:
    """Draw the panels of one session, without a title."""
    percent = alt.Y(
        "percent_correct:Q", title="correct, %", scale=PERCENT, axis=alt.Axis(titleX=-44)
    )
    correct = _panel(course, "percent_correct", percent)
    seconds = log_seconds("median_reaction_time", "reaction time, s", titleX=-44)
    slow = _panel(course, "median_reaction_time", seconds)
    panels = [_sides(course, blocks), correct, slow]
    return alt.vconcat(*panels, spacing=14).resolve_scale(x="shared", color="independent")


def _sides(course: Rows, blocks: Rows) -> Any:
    bands = (
        alt.Chart(blocks)
        .mark_rect(opacity=0.22)
        .encode(
            x=_trial("block_start"),
            x2="block_end:Q",
            color=block_color().legend(values=[20, 80], symbolOpacity=0.4),
            tooltip=[
                alt.Tooltip("prob_left_block:Q", title="stimulus left, %"),
                alt.Tooltip("n_trials:Q", title="trials of the block"),
            ],
        )
    )
    color = alt.Scale(domain=list(SIDES), range=list(SIDES.values()))
    lines = (
        alt.Chart(course)
        .transform_calculate(trial=MIDDLE)
        .transform_fold(list(SIDES), as_=["of", "percent_right"])
        .mark_line(strokeWidth=1.8)
        .encode(
            x=_trial("trial"),
            y=alt.Y(
                "percent_right:Q",
                title="right, %",
                scale=PERCENT,
                axis=alt.Axis(titleX=-44),
            ),
            color=alt.Color("of:N", title="right, % of", scale=color),
            # told apart in grey print as well
            strokeDash=alt.StrokeDash(
                "of:N",
                title="right, % of",
                scale=alt.Scale(domain=list(SIDES), range=[[1, 0], [5, 3]]),
            ),
            tooltip=_tooltip(),
        )
    )
    return (
        alt.layer(bands, lines)
        .resolve_scale(color="independent", strokeDash="independent")
        .properties(width=WIDTH, height=150)
    )


def _panel(course: Rows, field: str, y: alt.Y) -> Any:
    drawn = (
        alt.Chart(course)
        .transform_calculate(trial=MIDDLE)
        .transform_filter(f"isValid(datum.{field})")
        .encode(
            x=_trial("trial"),
            y=y,
            tooltip=_tooltip(),
        )
        .properties(width=WIDTH, height=110)
    )
    line = drawn.mark_line(color=DARK, strokeWidth=1, opacity=0.4)
    return alt.layer(line, drawn.mark_circle(color=DARK, size=22, opacity=1))


def _trial(field: str) -> alt.X:
    return alt.X(f"{field}:Q", title="trial", scale=alt.Scale(nice=False, zero=False, padding=4))


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("first_trial:Q", title="from trial"),
        alt.Tooltip("last_trial:Q", title="to trial"),
        alt.Tooltip("stimuli:Q", title="stimuli right, %", format=".0f"),
        alt.Tooltip("choices:Q", title="choices right, %", format=".0f"),
        alt.Tooltip("percent_correct:Q", title="correct, %", format=".0f"),
        alt.Tooltip("median_reaction_time:Q", title="reaction time, s", format=".2f"),
    ]
