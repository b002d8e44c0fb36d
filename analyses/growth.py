"""Growth of the data: mice, laboratories, sessions and trials so far, over time.

Each panel counts up to and including a date of the rigs' wall clocks. A mouse or laboratory
counts from its first session on, with or without trials; a mouse without laboratory adds none.

To take from it: how much data there is, and when it came. There is no published figure; a
supplement prints the mice over time as numbers.
"""

from collections.abc import Mapping
from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .style import DARK, ask, counted, finished, in_cohort, nothing

TITLE = "Growth of the data"
DATES = f"""
with chosen as (
    select
        session_date,
        -- of a mirror that derives nothing there is no count
        case when has_trials is not null then coalesce(n_trials, 0) end as n_trials,
        row_number() over (partition by subject_uuid order by session_start_time) = 1
            as is_first_of_mouse,
        lab_name is not null
            and row_number() over (partition by lab_name order by session_start_time) = 1
            as is_first_of_lab
    from sessions
    where ($lab is null or lab_name = $lab)
        and {in_cohort("sessions.subject_uuid")}
)

select
    session_date,
    (sum(count(*) filter (where is_first_of_mouse)) over so_far)::bigint as n_mice,
    (sum(count(*) filter (where is_first_of_lab)) over so_far)::bigint as n_labs,
    (sum(count(*)) over so_far)::bigint as n_sessions,
    (sum(sum(n_trials)) over so_far)::bigint as n_trials
from chosen
group by session_date
window so_far as (order by session_date)
order by session_date
"""
# One prefix for the whole axis would make it 0k; of one laboratory there is no half.
COUNT = "datum.value === 0 ? '0' : datum.value % 1 ? '' : datum.label"
PANELS = {
    "n_mice": ("mouse", "mice"),
    "n_labs": ("laboratory", "laboratories"),
    "n_sessions": ("session", "sessions"),
    "n_trials": ("trial", "trials"),
}


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the growth of all data, or of those of one lab or cohort."""
    dates = ask(con, DATES, lab=lab, cohort=cohort)
    if dates.empty:
        return nothing(con, TITLE, "no sessions match")
    words = {field: words for field, words in PANELS.items() if dates[field].notna().any()}
    dates = dates[["session_date", *words]]
    panels = [_panel(dates, field, words) for field in words]
    last = dates.iloc[-1]
    counts = [counted(int(last[field]), *words[field]) for field in words]
    subtitle = (
        f"{', '.join(counts)} from {dates['session_date'].iloc[0]:%Y-%m-%d} to"
        f" {last['session_date']:%Y-%m-%d}"
    )
    return finished(con, alt.concat(*panels, columns=2, spacing=25), TITLE, subtitle)


def _panel(dates: pd.DataFrame, field: str, words: Mapping[str, tuple[str, str]]) -> Any:
    """One count over time; the date under the pointer tells all of them."""
    hover = alt.selection_point(
        name=f"date_of_{field}",
        fields=["session_date"],
        nearest=True,
        on="pointerover",
        clear="pointerout",
        empty=False,
    )
    months = alt.Axis(format="%b %Y", tickCount=5, labelOverlap=True, labelSeparation=8)
    base = alt.Chart(dates).encode(
        # dates without a zone: the browser reads and shows them in its own, so none shifts
        x=alt.X("session_date:T", title="date", axis=months),
        y=alt.Y(
            f"{field}:Q",
            title=f"{words[field][1]} so far",
            # a lab is whole: no ticks between two
            axis=alt.Axis(format="~s", tickMinStep=1, labelExpr=COUNT),
        ),
    )
    tooltip = [alt.Tooltip("session_date:T", title="date", format="%A, %-d %B %Y")]
    tooltip += [
        alt.Tooltip(f"{name}:Q", title=many, format=",") for name, (_, many) in words.items()
    ]
    line = base.mark_line(interpolate="step-after", color=DARK)
    # points that nobody sees catch the pointer
    dots = (
        base.mark_point(filled=True, size=60, color=DARK)
        .encode(opacity=alt.condition(hover, alt.value(1), alt.value(0)), tooltip=tooltip)
        .add_params(hover)
    )
    return alt.layer(line, dots).properties(width=310, height=170)
