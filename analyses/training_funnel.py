"""How many mice reach each stage of training, by laboratory (counts of figure 1c).

A mouse counts in every stage that it got to, so the bars do not add up; a higher training status
counts for the lower ones. Stages by status hold only mice that have one: compare them with the
bar of those, not with all mice, in a mirror in which trials or statuses are missing.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .style import (
    NO_LABORATORY,
    ask,
    counted,
    finished,
    in_order,
    institution_color,
    nothing,
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
        and ($cohort is null or exists (
            select 1 from cohorts
            where cohorts.cohort = $cohort and cohorts.subject_uuid = milestone.subject_uuid
        ))
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
NAMES = {
    "mice": "all",
    "with_sessions": "had a session",
    "started_training": "started training",
    "with_status": "have a training status",
    "reached_trained_1a": "status trained 1a",
    "reached_trained_1b": "status trained 1b",
    "started_biased": "started the biased task",
    "reached_ready4ephysrig": "status ready for the ephys rig",
    "reached_ready4delay": "status ready for the delay",
    "reached_ready4recording": "status ready for recording",
}


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
    subtitle = (
        f"{counted(int(total['mice']), 'mouse', 'mice')},"
        f" {total['with_status']:,} with a training status: {in_training}"
    )
    return finished(con, _bars(shown, total), TITLE, subtitle)


def _bars(shown: pd.DataFrame, total: pd.Series) -> Any:
    """A bar per stage in the colours of the labs, and its sum beside it."""
    institutions = in_order(shown["institution_short"])
    shown["institution_number"] = shown["institution_short"].map(institutions.index)
    sums = pd.DataFrame({"name": list(NAMES.values()), "n_mice": total[list(NAMES)].to_list()})
    order = list(NAMES.values())
    stage = alt.Y("name:N", title="stage", sort=order)
    clicked = alt.selection_point(fields=["institution_short"], bind="legend")
    bars = (
        alt.Chart(shown)
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
        .add_params(clicked)
    )
    numbers = (
        alt.Chart(sums)
        .mark_text(align="left", dx=5, fontSize=11)
        .encode(x="n_mice:Q", y=stage, text=alt.Text("n_mice:Q", format=","))
    )
    return alt.layer(bars, numbers).properties(width=520, height=alt.Step(26))
