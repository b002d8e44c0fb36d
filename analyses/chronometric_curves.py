"""Chronometric curves: reaction time against contrast of trained mice, a panel per laboratory.

Training sessions on the day that a mouse was trained and the two training days before it. Grey:
the median of each mouse; in colour the median of the laboratory's mice, with a bar from quartile
to quartile. The paper takes the mean of the mice, which one slow mouse moves far. Reaction times
are the paper's "trial duration": from the stimulus' onset, where it was recorded, until the wheel
reaches the threshold, in trials with a choice; no outlier rule.

As in the paper the axis is broken: 100 % stands where 35 % would, and 50 % is left out. Lines
that leave the panel at the top go on beyond `longest` seconds.

To take from it: the harder the contrast the slower the choice, and a few mice are far slower than
the others. The published figure has all mice in one panel, as a supplement.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .curves import contrast_axis, per_laboratory, point_rows
from .style import (
    ALL,
    DARK,
    FEWEST,
    GREY,
    NO_LABORATORY,
    ask,
    below,
    counted,
    dash_among_all,
    finished,
    in_cohort,
    in_order,
    institution_color,
    institution_shape,
    n_mice,
    nothing,
    touched,
    under_pointer,
)

TITLE = "Reaction times of trained mice"
MEDIANS = f"""
select
    trials.subject_uuid::varchar as subject_uuid,
    any_value(trials.subject_nickname) as subject_nickname,
    coalesce(any_value(trials.institution_short), '{NO_LABORATORY}') as institution_short,
    trials.signed_contrast,
    median(trials.reaction_time_stim_on) as seconds,
    count(*) as n_trials
from trials_at_criterion as trials
where trials.criterion = 'trained'
    and trials.task = 'training'
    and trials.choice <> 0
    and trials.reaction_time_stim_on is not null
    and ($lab is null or trials.lab_name = $lab)
    and ($subject is null or $subject in (trials.subject_nickname, trials.subject_uuid::varchar))
    and {in_cohort("trials.subject_uuid")}
group by trials.subject_uuid, trials.signed_contrast
order by all
"""
# Of the rows above, so that the trials are read once.
OF_LABORATORIES = f"""
select
    institution_short,
    signed_contrast,
    count(*) as n_mice,
    median(seconds) as seconds,
    case when count(*) >= {FEWEST} then quantile_cont(seconds, 0.25) end as low,
    case when count(*) >= {FEWEST} then quantile_cont(seconds, 0.75) end as high
from medians
group by all
order by all
"""


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    subject: str | None = None,
    longest: float = 1.5,
) -> Any:
    """Draw the medians of all mice, or of one lab, cohort or subject (name or uuid)."""
    medians = point_rows(ask(con, MEDIANS, lab=lab, cohort=cohort, subject=subject))
    if medians.empty:
        return nothing(con, TITLE, "no reaction times of trained mice match")
    laboratories = point_rows(duckdb.query_df(medians, "medians", OF_LABORATORIES).df())
    institutions = in_order(medians["institution_short"])
    rows = pd.concat([medians.assign(kind="mouse"), laboratories])
    rows["panel"] = rows["institution_short"]
    if len(institutions) > 1:
        rows = pd.concat([rows, laboratories.assign(panel=ALL)])
    drawing = per_laboratory(_layers(institutions, longest), rows, n_mice(medians))
    of_mice = counted(medians["subject_uuid"].nunique(), "mouse", "mice")
    n_trials = counted(int(medians["n_trials"].sum()), "trial")
    subtitle = [
        f"{of_mice}, {n_trials} of the three days up to being trained",
        "each mouse's median in grey; in colour that of the laboratory's mice, of three or more"
        " with a bar between the quartiles",
    ]
    if (rows["seconds"] > longest).any():
        subtitle.append(f"lines that leave a panel go on above {longest} s")
    return finished(con, drawing, TITLE, subtitle)


def _layers(institutions: list[str], longest: float) -> list[alt.Chart]:
    hover = under_pointer()
    seconds = alt.Y(
        "seconds:Q",
        title="median reaction time, s",
        scale=alt.Scale(domain=[0, longest], nice=False),
        axis=alt.Axis(tickCount=5),
    )
    base = alt.Chart().encode(x=contrast_axis(), y=seconds)
    mice = (
        base.mark_line().transform_filter("datum.kind == 'mouse'").encode(detail="subject_uuid:N")
    )
    of_mouse = [
        alt.Tooltip("subject_nickname:N", title="mouse"),
        alt.Tooltip("signed_contrast:Q", title="contrast, %"),
        alt.Tooltip("seconds:Q", title="median, s", format=".3f"),
        alt.Tooltip("n_trials:Q", title="trials", format=","),
    ]
    thin = mice.encode(
        color=alt.condition(hover, alt.value(DARK), alt.value(GREY)),
        strokeWidth=alt.condition(hover, alt.value(3), alt.value(1)),
    )
    wide = touched(mice, of_mouse).add_params(hover)
    legend = below(institutions, symbolStrokeWidth=0)
    laboratory = base.transform_filter("isValid(datum.n_mice)").encode(
        color=institution_color(institutions).legend(legend)
    )
    tooltip = [
        alt.Tooltip("institution_short:N", title="laboratory"),
        alt.Tooltip("signed_contrast:Q", title="contrast, %"),
        alt.Tooltip("seconds:Q", title="median of mice, s", format=".3f"),
        alt.Tooltip("n_mice:Q", title="mice"),
    ]
    return [
        thin,
        wide,
        laboratory.mark_line(strokeWidth=2.5).encode(strokeDash=dash_among_all(institutions)),
        laboratory.mark_rule().encode(y=alt.Y("low:Q"), y2="high:Q"),
        laboratory.mark_point(filled=True, size=35, opacity=1).encode(
            shape=institution_shape(institutions).legend(legend), tooltip=tooltip
        ),
    ]
