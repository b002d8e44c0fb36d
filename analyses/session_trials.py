"""One session trial by trial: reaction times, outcomes, blocks and where it should have ended.

The dark line is the median of the last 20 reaction times, as in figure 1 of the paper, which has
minutes on its axis where this has the number of the trial. Bands in colour are blocks of 20 or
80 % left. The dashed line is the first end criterion of the rigs that was met, if any was. Without
a `session` (UUID, or start such as 2019-08-30 12:00:00, also shortened, then with a `subject`) it
is the last one with trials of the `subject`, or of the mouse with the most trials. Trials without
a reaction time above 0 have no place on a logarithmic axis and are left out, but counted.

To take from it: whether a mouse slowed down, when it should have been stopped, and where its errors
are. The published figure has minutes on its axis, and performance in a panel below.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .mice import WIDTH, find_session
from .style import DARK, ask, block_color, counted, finished, log_seconds, nothing

TITLE = "Trials of a session"
TRIALS = """
select
    trials.trial_id,
    reaction_time,
    -- of what is drawn: the last 20 trials that have a reaction time
    median(reaction_time) over (order by trials.trial_id rows between 19 preceding and current row)
        as running_median,
    case when is_no_go then 'no-go' when rewarded = 1 then 'correct' else 'error' end as outcome,
    signed_contrast,
    prob_left_block,
    round(times.trial_start_time / 60, 1) as minute
from trials
join trial_times as times
    on times.subject_uuid = trials.subject_uuid
    and times.session_start_time = trials.session_start_time
    and times.trial_id = trials.trial_id
where trials.subject_uuid = $mouse::uuid
    and trials.session_start_time = $start
    and reaction_time > 0
order by trials.trial_id
"""
BLOCKS = """
select
    prob_left_block,
    min(trial_id) - 0.5 as block_start,
    max(trial_id) + 0.5 as block_end,
    count(*) as n_trials,
    count(*) filter (where coalesce(reaction_time, 0) <= 0) as n_without
from trials
where subject_uuid = $mouse::uuid and session_start_time = $start
group by block_index, prob_left_block
order by block_start
"""
END = """
select
    end_status_trial_id as trial_id,
    n_trials_over,
    case end_status
        when 'long_rt' then 'reaction times 5 times longer'
        when '<400_trials' then 'few trials in 45 min'
        when '>90_min' then '90 min over'
    end as words
from session_end_criteria
where subject_uuid = $mouse::uuid
    and session_start_time = $start
    and end_status_trial_id is not null
"""
# Okabe and Ito's blue and vermilion; a no-go, mostly after 60 s, in grey.
OUTCOMES = {
    "correct": ("#0072b2", "circle"),
    "error": ("#d55e00", "triangle"),
    "no-go": ("#7f7f7f", "square"),
}


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
    session: str | None = None,
) -> Any:
    """Draw one session."""
    found = find_session(con, lab, cohort, subject, session)
    if found is None:
        return nothing(con, TITLE, "no session with trials matches")
    which = {"mouse": found["subject_uuid"], "start": found["session_start_time"]}
    title = f"{TITLE}: {found['subject_nickname']}, {found['started']}"
    trials = ask(con, TRIALS, **which)
    if trials.empty:
        return nothing(con, title, "no trials with a reaction time match")
    blocks = ask(con, BLOCKS, **which)
    end = ask(con, END, **which)
    scale = alt.Scale(
        domain=[blocks["block_start"].min(), blocks["block_end"].max()], nice=False, zero=False
    )
    layers = [_points(trials, scale), _median(trials, scale), *_end(end, scale)]
    biased = blocks[blocks["prob_left_block"].isin([20, 80])]
    if not biased.empty:
        layers.insert(0, _bands(biased, scale))
    drawn = (
        alt.layer(*layers)
        .resolve_scale(color="independent", shape="independent")
        .resolve_legend(color="independent", shape="independent")
        .properties(width=WIDTH + 120, height=280)
    )
    return finished(con, drawn, title, _subtitle(found, trials, blocks, end))


def _x(scale: alt.Scale, field: str = "trial_id") -> alt.X:
    return alt.X(f"{field}:Q", title="trial", scale=scale)


def _y(field: str) -> alt.Y:
    return log_seconds(field, "reaction time, s")


def _points(trials: pd.DataFrame, scale: alt.Scale) -> alt.Chart:
    present = [outcome for outcome in OUTCOMES if outcome in set(trials["outcome"])]
    colors = alt.Scale(domain=present, range=[OUTCOMES[outcome][0] for outcome in present])
    # told apart in grey print as well
    shapes = alt.Scale(domain=present, range=[OUTCOMES[outcome][1] for outcome in present])
    return (
        alt.Chart(trials)
        .mark_point(filled=True, size=22, opacity=0.75)
        .encode(
            x=_x(scale),
            y=_y("reaction_time"),
            color=alt.Color("outcome:N", scale=colors, title="outcome").legend(symbolOpacity=1),
            shape=alt.Shape("outcome:N", scale=shapes, title="outcome"),
            tooltip=[
                alt.Tooltip("trial_id:Q", title="trial"),
                alt.Tooltip("minute:Q", title="minute"),
                alt.Tooltip("signed_contrast:Q", title="contrast, % (right positive)"),
                alt.Tooltip("prob_left_block:Q", title="stimulus left, %"),
                alt.Tooltip("outcome:N"),
                alt.Tooltip("reaction_time:Q", title="reaction time, s", format=".3f"),
            ],
        )
    )


def _median(trials: pd.DataFrame, scale: alt.Scale) -> alt.Chart:
    line = alt.Chart(trials)
    return line.mark_line(color=DARK, strokeWidth=1.5).encode(x=_x(scale), y=_y("running_median"))


def _bands(blocks: pd.DataFrame, scale: alt.Scale) -> alt.Chart:
    return (
        alt.Chart(blocks)
        .mark_rect(opacity=0.18)
        .encode(
            x=_x(scale, "block_start"),
            x2="block_end:Q",
            color=block_color().legend(values=[20, 80], symbolOpacity=0.4),
            tooltip=[
                alt.Tooltip("prob_left_block:Q", title="stimulus left, %"),
                alt.Tooltip("n_trials:Q", title="trials of the block"),
            ],
        )
    )


def _end(end: pd.DataFrame, scale: alt.Scale) -> list[alt.Chart]:
    """The end criterion: a layer where one was met."""
    if end.empty:
        return []
    tooltip = [
        alt.Tooltip("words:N", title="end criterion"),
        alt.Tooltip("trial_id:Q", title="met at trial"),
        alt.Tooltip("n_trials_over:Q", title="trials from then on"),
    ]
    rule = alt.Chart(end).mark_rule(color=DARK, strokeDash=[5, 3], strokeWidth=1.5)
    return [rule.encode(x=_x(scale), tooltip=tooltip)]


def _subtitle(
    found: dict[str, Any], trials: pd.DataFrame, blocks: pd.DataFrame, end: pd.DataFrame
) -> list[str]:
    day = found["training_day"]
    where = found["task"] if pd.isna(day) else f"{found['task']}, training day {int(day)}"
    without = int(blocks["n_without"].sum())
    left_out = f", {without:,} of them without a reaction time above 0" if without else ""
    lines = [
        f"{where}; {counted(int(blocks['n_trials'].sum()), 'trial')}{left_out}",
        "dark line: median of the last 20",
    ]
    if not end.empty:
        first = end.iloc[0]
        lines[1] += f"; dashed: end criterion met at trial {first['trial_id']} ({first['words']})"
    return lines
