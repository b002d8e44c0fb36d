"""Sessions per day and laboratory: a bar per date, a row per laboratory.

Dates are those of the rigs' wall clocks. A mouse can have two sessions on a date, because crashed
sessions were restarted. Turn the wheel over the chart to zoom in on a time, drag to move along,
and click twice to see everything again.

To take from it: who recorded when, where gaps are, and which laboratories went on after the paper.
There is no published figure of it.
"""

from typing import Any

import altair as alt
import duckdb

from .style import (
    NO_LABORATORY,
    ask,
    counted,
    finished,
    in_cohort,
    in_order,
    institution_color,
    nothing,
    with_sizes,
)

TITLE = "Sessions per day"
DAYS = f"""
with chosen as (
    select
        subject_uuid,
        session_date,
        -- of a mirror that derives nothing there is no count
        case when has_trials is not null then coalesce(n_trials, 0) end as n_trials,
        coalesce(lab_name, '{NO_LABORATORY}') as laboratory,
        coalesce(institution_short, '{NO_LABORATORY}') as institution_short
    from sessions
    where ($lab is null or lab_name = $lab)
        and {in_cohort("sessions.subject_uuid")}
        and ($first_date is null or session_date >= $first_date::date)
        and ($last_date is null or session_date <= $last_date::date)
)

select
    laboratory,
    institution_short,
    session_date,
    session_date + 1 as next_date,
    count(*) as n_sessions,
    count(distinct subject_uuid) as n_mice,
    sum(n_trials)::bigint as n_trials,
    (select count(distinct subject_uuid) from chosen) as n_mice_in_all
from chosen
group by laboratory, institution_short, session_date
order by session_date
"""


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    first_date: str | None = None,
    last_date: str | None = None,
) -> Any:
    """Draw the days of all labs or one, of a cohort, from `first_date` to `last_date`."""
    days = ask(con, DAYS, lab=lab, cohort=cohort, first_date=first_date, last_date=last_date)
    if days.empty:
        return nothing(con, TITLE, "no sessions match")
    n_mice = counted(int(days.pop("n_mice_in_all").iloc[0]), "mouse", "mice")
    institutions = in_order(days["institution_short"])
    by_institution = alt.EncodingSortField("institution_number", op="min")
    days["institution_number"] = days["institution_short"].map(institutions.index)
    sizes = days.groupby("laboratory")["n_sessions"].sum()
    # dates without a zone: the browser reads and shows them in its own, so none shifts
    rows = (
        alt.Chart(days)
        # the outline keeps a day visible where years share a pixel
        .mark_rect(strokeWidth=0.6, clip=True)
        .encode(
            x=alt.X(
                "session_date:T", title="date", axis=alt.Axis(labelOverlap=True, labelSeparation=8)
            ),
            x2="next_date",
            y=alt.Y("n_sessions:Q", title=None, axis=alt.Axis(tickCount=2)),
            y2=alt.datum(0),
            color=institution_color(institutions).legend(None),
            stroke=_outline(institutions),
            tooltip=[
                alt.Tooltip("laboratory:N"),
                alt.Tooltip("session_date:T", title="date", format="%A, %-d %B %Y"),
                alt.Tooltip("n_sessions:Q", title="sessions"),
                alt.Tooltip("n_mice:Q", title="mice"),
                alt.Tooltip("n_trials:Q", title="trials", format=","),
            ],
        )
        .properties(width=680, height=45)
        .add_params(alt.selection_interval(bind="scales", encodings=["x"]))
        .facet(
            row=alt.Row(
                "laboratory:N",
                title="sessions per day (beside each laboratory: in all)",
                sort=by_institution,
                header=alt.Header(
                    labelAngle=0,
                    labelAlign="left",
                    labelExpr=with_sizes({name: f"{n:,}" for name, n in sizes.items()}),
                    labelLimit=220,
                    titleFontWeight="normal",
                ),
            ),
            spacing=16,
        )
    )
    n_sessions = counted(int(days["n_sessions"].sum()), "session")
    known = days.loc[days["laboratory"] != NO_LABORATORY, "laboratory"]
    n_labs = counted(known.nunique(), "laboratory", "laboratories")
    n_dates = counted(days["session_date"].nunique(), "date")
    subtitle = (
        f"{n_sessions} of {n_mice} in {n_labs} on {n_dates}"
        f" from {days['session_date'].min():%Y-%m-%d} to {days['session_date'].max():%Y-%m-%d}"
    )
    return finished(con, rows, TITLE, subtitle)


def _outline(institutions: list[str]) -> alt.Stroke:
    """The same colours as those of the bars."""
    color: Any = institution_color(institutions)
    return alt.Stroke("institution_short:N", scale=color["scale"], legend=None)
