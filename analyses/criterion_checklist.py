"""Why a mouse has its training status, or not yet: each criterion, value against limit.

After one session: the last one with trials of the mouse with the most trials, or of `subject`, or
a `session` (UUID, or start such as 2019-08-30 12:00:00, also shortened, then with a `subject`).
The measures are over the last three sessions of the protocols that the criterion asks for: pooled
for curves and reaction times, the worst of the three for trials and performance; `ready4delay` and
`good_enough_for_brainwide_map` look at this session alone. A criterion that
fails today may have been met before: statuses last. Where the protocol is another, or sessions are
too few, only that one measure stands there. What is fitted has its standard error (±): a criterion
that hangs on a value within it of the limit is uncertain. `untrainable` and `unbiasable` are no
achievements: their numbers of sessions are reached, and rule nothing where the status is higher.

To take from it: which single number keeps a mouse from its next status. There is no published
figure; a list of this kind stands on the laboratories' own pages.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .mice import find_session
from .style import DARK, GREY, ask, counted, finished, nothing

TITLE = "Criterion checklist"
MEASURES = """
select
    subject_uuid::varchar as subject_uuid,
    session_start_time::varchar as session_start_time,
    criterion,
    measure,
    case
        when value is null then 'not known'
        when comparison = '=' and limit_value = 1 then if(value = 1, 'yes', 'no')
        when measure in ('n_trials', 'sessions', 'blocks', 'ephys_rig') then format('{:.0f}', value)
        else format('{:.3g}', value) || coalesce(format(' ± {:.2g}', standard_error), '')
    end as shown,
    case
        when comparison = '=' and limit_value = 1 then 'yes'
        else comparison || ' ' || format('{:g}', limit_value)
    end as limit_shown,
    value,
    margin,
    standard_error,
    coalesce(abs(margin) <= standard_error, measure = 'previous_status' and not is_certain)
        as is_near,
    case
        when passed is null then 'not known'
        when criterion in ('untrainable', 'unbiasable') then if(passed, 'reached', 'not reached')
        else if(passed, 'passed', 'failed')
    end as verdict,
    n_failed,
    n_unknown,
    is_certain
from criterion_report
where ($mouse is null or subject_uuid = $mouse::uuid)
    and ($start is null or session_start_time = $start)
    -- of all sessions of all mice, the last of each
    and ($start is not null or (subject_uuid, session_start_time) in (
        select (subject_uuid, max(session_start_time)) from criterion_report group by subject_uuid
    ))
order by subject_uuid, criterion, measure
"""
STATUS = """
select coalesce(status, 'no status') as status
from session_status
where subject_uuid = $mouse::uuid and session_start_time = $start
"""
# Two columns of about the same length, each in the order in which a mouse comes to them.
COLUMNS = (
    ("trained_1a", "trained_1b", "untrainable", "unbiasable"),
    ("ready4ephysrig", "ready4delay", "ready4recording", "good_enough_for_brainwide_map"),
)
# The statuses that a mouse has in the biased task.
LATER = ("ready4ephysrig", "ready4delay", "ready4recording")
# Measures in the words and the order of the checklist.
WORDS = {
    "protocol": "protocol asked for",
    "previous_status": "previous status asked for",
    "sessions": "sessions",
    "ephys_rig": "on an ephys rig",
    "delay": "delay before the start, min",
    "n_trials": "trials",
    "performance_easy": "easy correct, share",
    "zero_contrast_shown": "0 % contrast shown",
    "low_contrast_shown": "6.25 % contrast shown",
    "blocks": "kinds of blocks",
    "threshold": "threshold, % contrast",
    "bias": "bias either way, % contrast",
    "bias_shift": "bias shift by block, % contrast",
    "lapse_low": "lapse left",
    "lapse_high": "lapse right",
    "lapse_low_20": "lapse left, block 20",
    "lapse_high_20": "lapse right, block 20",
    "lapse_low_80": "lapse left, block 80",
    "lapse_high_80": "lapse right, block 80",
    "reaction_time": "median reaction time, s",
}
# What nobody wants to pass: they count sessions, of any mouse, and the status that ends them.
ENDS = {
    "untrainable": ("trained_1a", "trained_1b", *LATER),
    "unbiasable": LATER,
}
VERDICTS = ("passed", "failed", "reached", "not reached", "not known")
# Okabe and Ito's blue and vermilion, under words that say the same.
VERDICT_COLORS = ("#0072b2", "#d55e00", "#666666", "#666666", GREY)
ROW = 19


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
    session: str | None = None,
) -> Any:
    """Draw the checklist after one session."""
    found = find_session(con, lab, cohort, subject, session)
    if found is None:
        return nothing(con, TITLE, "no session with trials matches")
    which = {"mouse": found["subject_uuid"], "start": found["session_start_time"]}
    measures = rows(con, **which)
    title = f"{TITLE}: {found['subject_nickname']}"
    if measures.empty:
        return nothing(con, title, "no criteria were evaluated for this session")
    status = ask(con, STATUS, **which)["status"].iloc[0]
    columns = [_column(measures, criteria, status) for criteria in COLUMNS]
    drawn = alt.hconcat(*(column for column in columns if column is not None), spacing=50)
    day = found["training_day"]
    training_day = "habituation" if pd.isna(day) else f"training day {int(day)}"
    subtitle = [
        f"after the session of {found['started']} ({found['task']}, {training_day}): {status}",
        f"{counted(len(measures), 'measure')} of {measures['criterion'].nunique()} criteria, over"
        " this session or the last three",
    ]
    if measures["is_near"].any():
        subtitle.append(
            "uncertain: hangs on a value within one standard error (±) of a limit, here or earlier"
        )
    if not (measures["is_certain"] | measures["is_near"]).all():
        subtitle.append(
            "uncertain: trials that the rules ask for are missing here, or determine no curve"
        )
    return finished(con, drawn, title, subtitle)


def rows(
    con: duckdb.DuckDBPyConnection, mouse: str | None = None, start: Any = None
) -> pd.DataFrame:
    """The measures after one session, or without a start after the last one of each mouse."""
    return ask(con, MEASURES, mouse=mouse, start=start)


def in_rows(
    measures: pd.DataFrame, criteria: tuple[str, ...], status: str | None = None
) -> pd.DataFrame:
    """The lines of a column of the checklist: a heading per criterion, then its measures.

    `status` is that of the mouse, which can be one that no number of sessions takes from it.
    """
    parts = []
    for criterion in criteria:
        part = measures[measures["criterion"] == criterion]
        if part.empty:
            continue
        order = {measure: place for place, measure in enumerate(WORDS)}
        place = part["measure"].map(order).fillna(len(order))
        part = part.assign(place=place).sort_values(["place", "measure"])
        heading = {
            "heading": criterion,
            "shown": "value",
            "limit_shown": "limit",
            "met": _met(criterion, part, status),
        }
        words = part["measure"].map(WORDS).fillna(part["measure"])
        parts += [pd.DataFrame([heading]), part.assign(words=words)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return rows.assign(row=range(len(rows)))


def _met(criterion: str, measures: pd.DataFrame, status: str | None) -> str:
    """Whether the criterion of these measures is met."""
    if status in ENDS.get(criterion, ()):
        return f"no: {status}"
    failed = measures["verdict"].isin(("failed", "not reached"))
    if (failed & ~measures["is_near"]).any():
        return "not met"
    if not failed.any() and measures["n_unknown"].iloc[0]:
        return "not known"
    if measures["is_near"].any():
        return "uncertain"
    return "reached" if criterion in ENDS else "met"


def _column(measures: pd.DataFrame, criteria: tuple[str, ...], status: str) -> Any:
    rows = in_rows(measures, criteria, status)
    if rows.empty:
        return None
    headings = alt.Chart(rows[rows["heading"].notna()]).encode(y=_y(len(rows)))
    lines = alt.Chart(rows[rows["heading"].isna()]).encode(
        y=_y(len(rows)),
        tooltip=[
            alt.Tooltip("criterion:N"),
            alt.Tooltip("words:N", title="measure"),
            alt.Tooltip("value:Q", format=".4~f"),
            alt.Tooltip("limit_shown:N", title="limit"),
            alt.Tooltip("margin:Q", title="margin (below 0 fails)", format=".4~f"),
            alt.Tooltip("standard_error:Q", title="standard error", format=".4~f"),
            alt.Tooltip("verdict:N"),
        ],
    )
    colors = alt.Scale(domain=list(VERDICTS), range=list(VERDICT_COLORS))
    verdict = alt.Color("verdict:N", scale=colors, legend=None)
    bold: dict[str, Any] = {"fontWeight": "bold", "fontSize": 12, "color": DARK}
    small: dict[str, Any] = {"fontSize": 10, "color": "#555555"}
    plain: dict[str, Any] = {"fontSize": 11, "color": DARK}
    white = alt.condition("datum.verdict == 'not known'", alt.value(DARK), alt.value("white"))
    layers = [
        headings.mark_text(align="left", **bold).encode(text="heading:N", x=alt.value(0)),
        headings.mark_text(align="right", **small).encode(text="shown:N", x=alt.value(240)),
        headings.mark_text(align="left", **small).encode(text="limit_shown:N", x=alt.value(256)),
        headings.mark_text(align="center", **bold).encode(text="met:N", x=alt.value(344)),
        lines.mark_text(align="left", **plain).encode(text="words:N", x=alt.value(10)),
        lines.mark_text(align="right", **plain).encode(text="shown:N", x=alt.value(240)),
        lines.mark_text(align="left", **plain).encode(text="limit_shown:N", x=alt.value(256)),
        lines.mark_rect(cornerRadius=3, height=ROW - 3).encode(
            color=verdict, x=alt.value(312), x2=alt.value(376)
        ),
        lines.mark_text(align="center", fontSize=11).encode(
            text="verdict:N", x=alt.value(344), color=white
        ),
    ]
    return alt.layer(*layers).properties(width=376, height=ROW * len(rows))


def _y(n_rows: int) -> alt.Y:
    scale = alt.Scale(domain=list(range(n_rows)), paddingInner=0, paddingOuter=0)
    return alt.Y("row:O", scale=scale, axis=None)
