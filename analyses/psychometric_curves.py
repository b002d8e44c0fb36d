"""Psychometric curves of trained mice, a panel per laboratory and one for all (figures 3a, 3b).

Training sessions on the day that a mouse was trained and the two training days before it. Grey:
the fitted curve of each mouse. In colour: the laboratory's mean over its mice, each counting the
same, with a bar of one standard error over mice (the paper's bars are bootstrapped) and the curve
fitted to the means. The model is IBL's `erf_psycho_2gammas` with the paper's bounds; no-go trials
are not choices. Curves that the data do not determine are left out.

As in the paper the axis is broken: 100 % stands where 35 % would, and 50 % is fitted, not drawn.

To take from it: trained mice of all laboratories see about alike: curves of one shape, with biases
of single mice. The published figure has the example mouse KS014 and bootstrapped bars.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd

from .curves import contrast_axis, fitted, line_rows, per_laboratory, point_rows
from .style import (
    ALL,
    DARK,
    FEWEST,
    GREY,
    NO_LABORATORY,
    PERCENT,
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

TITLE = "Psychometric curves of trained mice"
POINTS = f"""
select
    curves.subject_uuid::varchar as subject_uuid,
    curves.subject_nickname,
    coalesce(curves.institution_short, '{NO_LABORATORY}') as institution_short,
    curves.signed_contrast,
    sum(curves.n_trials) as n_trials,
    sum(curves.n_right) / sum(curves.n_trials - curves.n_no_go) as p_right
from psychometrics_by_session as curves
join days_from_criterion as days
    on days.subject_uuid = curves.subject_uuid
    and days.session_date = curves.session_date
where days.criterion = 'trained'
    and days.days_from_criterion between -2 and 0
    and curves.task = 'training'
    and ($lab is null or curves.lab_name = $lab)
    and {in_cohort("curves.subject_uuid")}
group by all
having sum(curves.n_trials - curves.n_no_go) > 0
order by all
"""
MEANS = f"""
with points as ({POINTS})
select
    institution_short,
    signed_contrast,
    count(*) as n_mice,
    avg(n_trials) as n_trials,
    avg(p_right) as p_right,
    100 * avg(p_right) as percent_right,
    100 * (
        avg(p_right) - if(count(*) >= {FEWEST}, stddev_samp(p_right), null) / sqrt(count(*))
    ) as low,
    100 * (
        avg(p_right) + if(count(*) >= {FEWEST}, stddev_samp(p_right), null) / sqrt(count(*))
    ) as high
from points
group by all
order by all
"""
MOUSE = ["subject_uuid", "subject_nickname", "institution_short"]


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the curves of all mice, or those of one lab or cohort."""
    points = ask(con, POINTS, lab=lab, cohort=cohort)
    mice = fitted(points, MOUSE)
    if mice.empty:
        return nothing(con, TITLE, "no trained mice match")
    means = ask(con, MEANS, lab=lab, cohort=cohort)
    institutions = in_order(points["institution_short"])
    parts = {
        "mouse": line_rows(mice, MOUSE),
        "curve": line_rows(fitted(means, ["institution_short"]), ["institution_short"]),
        "mean": point_rows(means),
    }
    rows = pd.concat([part.assign(kind=kind) for kind, part in parts.items()])
    rows["panel"] = rows["institution_short"]
    if len(institutions) > 1:
        rows = pd.concat([rows, rows[rows["kind"] != "mouse"].assign(panel=ALL)])
    drawing = per_laboratory(_layers(institutions), rows, n_mice(points))
    of_mice = counted(points["subject_uuid"].nunique(), "mouse", "mice")
    n_curves = counted(len(mice), "curve")
    n_trials = counted(int(points["n_trials"].sum()), "trial")
    subtitle = [
        f"{of_mice}, {n_curves}, {n_trials} of the three days up to being trained",
        "each mouse in grey; in colour the mean of a laboratory, of three mice or more with a bar"
        " of ± s.e.m., and the curve fitted to the means",
    ]
    return finished(con, drawing, TITLE, subtitle)


def _layers(institutions: list[str]) -> list[alt.Chart]:
    hover = under_pointer()
    base = alt.Chart().encode(
        x=contrast_axis(),
        y=alt.Y("percent_right:Q", title="choices right, %", scale=PERCENT),
    )
    legend = below(institutions, symbolStrokeWidth=0)
    color = institution_color(institutions).legend(legend)
    dash = dash_among_all(institutions)
    shape = institution_shape(institutions).legend(legend)
    mice = (
        base.mark_line(interpolate="monotone")
        .transform_filter("datum.kind == 'mouse'")
        .encode(detail=["subject_uuid:N", "piece:N"])
    )
    of_mouse = [
        alt.Tooltip("subject_nickname:N", title="mouse"),
        alt.Tooltip("threshold:Q", title="threshold, %", format=".1f"),
        alt.Tooltip("bias:Q", title="bias, %", format=".1f"),
        alt.Tooltip("lapse_low:Q", title="lapse left", format=".2f"),
        alt.Tooltip("lapse_high:Q", title="lapse right", format=".2f"),
    ]
    thin = mice.encode(
        color=alt.condition(hover, alt.value(DARK), alt.value(GREY)),
        strokeWidth=alt.condition(hover, alt.value(3), alt.value(1)),
    )
    wide = touched(mice, of_mouse, interpolate="monotone").add_params(hover)
    curve = (
        base.mark_line(strokeWidth=2.5, interpolate="monotone")
        .transform_filter("datum.kind == 'curve'")
        .encode(detail="piece:N", color=color, strokeDash=dash)
    )
    mean = base.transform_filter("datum.kind == 'mean'").encode(color=color)
    tooltip = [
        alt.Tooltip("institution_short:N", title="laboratory"),
        alt.Tooltip("signed_contrast:Q", title="contrast, %"),
        alt.Tooltip("percent_right:Q", title="mean right, %", format=".1f"),
        alt.Tooltip("n_mice:Q", title="mice"),
    ]
    bars = mean.mark_rule().encode(y=alt.Y("low:Q"), y2="high:Q")
    dots = mean.mark_point(filled=True, size=35, opacity=1).encode(shape=shape, tooltip=tooltip)
    return [thin, wide, bars, curve, dots]
