"""How many mice reach each stage of training, by laboratory (counts of figure 1c).

A mouse counts in every stage that it got to, so the bars do not add up; a higher training status
counts for the lower ones. Stages by status can hold only mice that have one here: they stand below,
beside the bar of those mice, and the mice without a status are counted in words.

To take from it: where mice are lost on the way to recordings, and of how many nobody knows. The
published figure has surgery and histology as well, of which no table here knows.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .style import (
    DARK,
    NO_LABORATORY,
    ask,
    counted,
    finished,
    in_cohort,
    in_order,
    institution_color,
    nothing,
    together,
)

TITLE = "Mice at each stage of training"
STAGES = f"""
with chosen as (
    select
        milestone.*,
        coalesce(milestone.institution_short, '{NO_LABORATORY}') as institution,
        coalesce(milestone.latest_status in ('in_training', 'untrainable'), false)
            as is_in_training,
        subjects.is_alive
    from training_milestones as milestone
    join subjects
        on subjects.subject_uuid = milestone.subject_uuid
    where ($lab is null or milestone.lab_name = $lab)
        and {in_cohort("milestone.subject_uuid")}
)

unpivot (
    select
        institution as institution_short,
        count(*) as mice,
        count(first_session_date) as with_sessions,
        count(first_training_session) as started_training,
        count(status_source) as with_status,
        count(date_reached_trained_1a) as reached_trained_1a,
        count(date_reached_trained_1b) as reached_trained_1b,
        count(first_biased_session) as started_biased,
        count(date_reached_ready4ephysrig) as reached_ready4ephysrig,
        count(date_reached_ready4delay) as reached_ready4delay,
        count(date_reached_ready4recording) as reached_ready4recording,
        count(*) filter (where is_in_training) as in_training,
        count(is_alive) as with_known_life,
        count(*) filter (where is_in_training and is_alive) as still_in_training,
        count(*) filter (where is_in_training and not is_alive) as died_in_training
    from chosen
    group by institution
)
on columns(* exclude (institution_short))
into name stage value n_mice
"""
# By the sessions of all mice, and by the status of those that have one here.
BY_SESSIONS = {
    "mice": "all",
    "with_sessions": "had a session",
    "started_training": "started training",
    "started_biased": "started the biased task",
}
BY_STATUS = {
    "with_status": "have a training status",
    "reached_trained_1a": "trained 1a",
    "reached_trained_1b": "trained 1b",
    "reached_ready4ephysrig": "ready for the ephys rig",
    "reached_ready4delay": "ready for the delay",
    "reached_ready4recording": "ready for recording",
}
NAMES = BY_SESSIONS | BY_STATUS


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the stages of all mice, or of those of one lab or cohort."""
    stages = ask(con, STAGES, lab=lab, cohort=cohort)
    total = stages.groupby("stage")["n_mice"].sum()
    if stages.empty or total["mice"] == 0:
        return nothing(con, TITLE, "no mice match")
    shown = stages[stages["stage"].isin(NAMES)].copy()
    shown["name"] = shown["stage"].map(NAMES)
    shown["percent"] = 100 * shown["n_mice"] / shown["stage"].map(total)
    in_training = (
        f"{total['still_in_training']:,} still in training,"
        f" {total['died_in_training']:,} died in training"
        if total["with_known_life"]
        else f"{total['in_training']:,} in training when last seen, as no deaths are recorded"
    )
    without = int(total["mice"] - total["with_status"])
    subtitle = [
        f"{counted(int(total['mice']), 'mouse', 'mice')},"
        f" {total['with_status']:,} with a training status: {in_training}",
    ]
    if without:
        subtitle.append(
            f"{counted(without, 'mouse', 'mice')} without a status here: in no bar of the lower"
            " panel"
        )
    institutions = in_order(shown["institution_short"])
    clicked = alt.selection_point(name="laboratory", fields=["institution_short"], bind="legend")
    above = _bars(shown, total, BY_SESSIONS, "by sessions, of all mice", institutions, clicked)
    below = _bars(shown, total, BY_STATUS, "by status, of mice with one", institutions, clicked)
    return finished(con, together((above, below), 1, 22), TITLE, subtitle)


def _bars(
    shown: pd.DataFrame,
    total: pd.Series,
    names: dict[str, str],
    heading: str,
    institutions: list[str],
    clicked: alt.Parameter,
) -> Any:
    """A bar per stage in the colours of the labs, which the first names, and its sum beside it."""
    order = list(names.values())
    rows = shown[shown["stage"].isin(names)].copy()
    rows["institution_number"] = rows["institution_short"].map(institutions.index)
    rows = rows.sort_values(["stage", "institution_number"])
    # the middle of a laboratory's part of the first bar, for its name
    rows["middle"] = rows.groupby("stage")["n_mice"].cumsum() - rows["n_mice"] / 2
    sums = pd.DataFrame({"name": order, "n_mice": total[list(names)].to_list()})
    stage = alt.Y("name:N", title=heading, sort=order)
    bars = (
        alt.Chart(rows)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("n_mice:Q", title="mice", axis=alt.Axis(tickCount=8, tickMinStep=1)),
            y=stage,
            color=institution_color(institutions),
            order=alt.Order("institution_number:Q"),
            opacity=alt.condition(clicked, alt.value(1), alt.value(0.2)),
            tooltip=[
                alt.Tooltip("institution_short:N", title="laboratory"),
                alt.Tooltip("name:N", title="stage"),
                alt.Tooltip("n_mice:Q", title="mice"),
                alt.Tooltip("percent:Q", title="of the stage, %", format=".0f"),
            ],
        )
    )
    numbers = (
        alt.Chart(sums)
        .mark_text(align="left", dx=5, fontSize=11)
        .encode(x="n_mice:Q", y=stage, text=alt.Text("n_mice:Q", format=","))
    )
    first = rows[(rows["name"] == order[0]) & (rows["n_mice"] > 0)]
    labels = (
        alt.Chart(first)
        .mark_text(align="left", angle=315, fontSize=10, dx=12, dy=-14, color=DARK)
        .encode(x="middle:Q", y=stage, text="institution_short:N")
    )
    return alt.layer(bars.add_params(clicked), numbers, labels).properties(
        width=520, height=alt.Step(24)
    )
