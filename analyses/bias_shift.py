"""How far blocks shift choices, against contrast: per laboratory and overall (figures 4d, 4e).

Percent right in blocks with 20 % of the stimuli on the left minus that in blocks with 80 %:
positive for a mouse that follows the blocks. One thin line per mouse, the laboratory's mean over
mice in colour with a bar of one standard error. Biased and ephys sessions on the day that a mouse
was ready for the ephys rig and the two training days before it.

The paper reads the shares off curves fitted per mouse and block; here they are the shares of the
trials themselves, of the mice with choices in both blocks at that contrast.

To take from it: mice of all laboratories follow the blocks, by a third of their choices where
nothing is seen. The published figure has shifts of fitted curves in place of shares.
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

TITLE = "Shift of choices between blocks"
SHIFTS = f"""
with block_count as (
    select
        curves.subject_uuid,
        any_value(curves.subject_nickname) as subject_nickname,
        coalesce(any_value(curves.institution_short), '{NO_LABORATORY}') as institution_short,
        curves.signed_contrast,
        curves.prob_left_block,
        sum(curves.n_right) as n_right,
        sum(curves.n_trials - curves.n_no_go) as n_choices
    from psychometrics_by_block as curves
    join days_from_criterion as days
        on days.subject_uuid = curves.subject_uuid
        and days.session_date = curves.session_date
    where days.criterion = 'ephys'
        and days.days_from_criterion between -2 and 0
        and curves.task in ('biased', 'ephys')
        and curves.prob_left_block in (20, 80)
        and ($lab is null or curves.lab_name = $lab)
        and {in_cohort("curves.subject_uuid")}
    group by curves.subject_uuid, curves.signed_contrast, curves.prob_left_block
    having n_choices > 0
)
select
    toward_right.subject_uuid::varchar as subject_uuid,
    toward_right.subject_nickname,
    toward_right.institution_short,
    toward_right.signed_contrast,
    100 * (
        toward_right.n_right / toward_right.n_choices - toward_left.n_right / toward_left.n_choices
    ) as shift,
    toward_right.n_choices + toward_left.n_choices as n_choices
from block_count as toward_right
join block_count as toward_left
    on toward_left.subject_uuid = toward_right.subject_uuid
    and toward_left.signed_contrast = toward_right.signed_contrast
where toward_right.prob_left_block = 20 and toward_left.prob_left_block = 80
order by all
"""
# Of each laboratory, and of all mice in the row without one.
MEANS = f"""
with shifts as ({SHIFTS})
select
    coalesce(institution_short, '{ALL}') as institution_short,
    signed_contrast,
    count(*) as n_mice,
    avg(shift) as shift,
    avg(shift) - if(count(*) >= {FEWEST}, stddev_samp(shift), null) / sqrt(count(*)) as low,
    avg(shift) + if(count(*) >= {FEWEST}, stddev_samp(shift), null) / sqrt(count(*)) as high
from shifts
group by grouping sets ((institution_short, signed_contrast), (signed_contrast))
order by all
"""


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the shifts of all mice, or those of one lab or cohort."""
    mice = point_rows(ask(con, SHIFTS, lab=lab, cohort=cohort))
    if mice.empty:
        return nothing(con, TITLE, "no mice with both blocks match")
    means = point_rows(ask(con, MEANS, lab=lab, cohort=cohort))
    institutions = in_order(mice["institution_short"])
    means = means.assign(panel=means["institution_short"])
    if len(institutions) > 1:
        # the last panel has the laboratories' means side by side, and the mean of all mice
        side_by_side = means[means["institution_short"] != ALL].assign(panel=ALL)
        means = pd.concat([side_by_side, means])
    else:
        means = means[means["institution_short"] != ALL]
    rows = pd.concat([mice.assign(kind="mouse", panel=mice["institution_short"]), means])
    drawing = per_laboratory(_layers(institutions), rows, n_mice(mice))
    n_choices = counted(int(mice["n_choices"].sum()), "choice")
    subtitle = [
        f"{counted(mice['subject_uuid'].nunique(), 'mouse', 'mice')}, {n_choices} of the three"
        " days up to being ready for the ephys rig",
        "each mouse in grey; means, of three mice or more with a bar of ± s.e.m.: of a laboratory"
        " in colour" + (", of all in black" if len(institutions) > 1 else ""),
    ]
    return finished(con, drawing, TITLE, subtitle)


def _layers(institutions: list[str]) -> list[alt.Chart]:
    hover = under_pointer()
    base = alt.Chart().encode(
        x=contrast_axis(),
        y=alt.Y("shift:Q", title="shift of choices right, %"),
    )
    mice = (
        base.mark_line().transform_filter("datum.kind == 'mouse'").encode(detail="subject_uuid:N")
    )
    of_mouse = [
        alt.Tooltip("subject_nickname:N", title="mouse"),
        alt.Tooltip("signed_contrast:Q", title="contrast, %"),
        alt.Tooltip("shift:Q", title="shift, %", format=".1f"),
        alt.Tooltip("n_choices:Q", title="choices", format=","),
    ]
    thin = mice.encode(
        color=alt.condition(hover, alt.value(DARK), alt.value(GREY)),
        strokeWidth=alt.condition(hover, alt.value(3), alt.value(1)),
    )
    wide = touched(mice, of_mouse).add_params(hover)
    legend = below(institutions, symbolStrokeWidth=0)
    mean = base.transform_filter("isValid(datum.n_mice)").encode(
        color=institution_color([*institutions, ALL]).legend(legend)
    )
    shape = institution_shape([*institutions, ALL]).legend(legend)
    tooltip = [
        alt.Tooltip("institution_short:N", title="laboratory"),
        alt.Tooltip("signed_contrast:Q", title="contrast, %"),
        alt.Tooltip("shift:Q", title="mean shift, %", format=".1f"),
        alt.Tooltip("n_mice:Q", title="mice"),
    ]
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=GREY, strokeDash=[3, 3])
    return [
        zero.encode(y="zero:Q"),
        thin,
        wide,
        mean.mark_line(strokeWidth=2.5).encode(strokeDash=dash_among_all(institutions)),
        mean.mark_rule().encode(y="low:Q", y2="high:Q"),
        mean.mark_point(filled=True, size=35, opacity=1).encode(shape=shape, tooltip=tooltip),
    ]
