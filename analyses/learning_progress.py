"""Easy performance against progress: training day, trials so far, or days from the criterion.

The mean over mice with its 68 % interval (one standard error either way, from the spread of the
mice), in black for all and in colour for each laboratory; points with fewer than three mice are
left out. `by` is `day` (of training, from 1), `trials` (so far, in steps of 1,000, where a mouse
counts once) or `criterion` (days from the first status trained_1a or a higher one, only mice that
came to it). Days with 100 trials or fewer are left out, as in figure 2 of the paper; the number of
the day and performance are stored or recomputed, one of them for all days of a mouse, as in
`learning_curves`. Mice leave as time passes, so late points are of fewer mice: hover to see how
many. `lab` draws one laboratory alone.

To take from it: how fast the average rises, and that laboratories differ before the criterion and
hardly after it. There is no published figure of the mean with its interval; figure 2a has its
curves by day.
"""

from typing import Any

import altair as alt
import duckdb

from mirror.errors import UsageError

from .learning_curves import DAYS_BY_SOURCE, source
from .style import (
    DARK,
    FEWEST,
    NO_LABORATORY,
    PERCENT,
    TRAINING_DAY,
    ask,
    counted,
    finished,
    in_cohort,
    in_order,
    institution_color,
    institution_dash,
    nothing,
    touched,
    with_sizes,
)

TITLE = "Performance against progress in training"
PROGRESS = f"""
with

day_by_source as ({DAYS_BY_SOURCE}),

day as (

    select
        days.subject_uuid,
        days.lab_name,
        coalesce(days.institution_short, '{NO_LABORATORY}') as institution_short,
        case $by
            when 'day' then days.day
            when 'trials' then 1000 * (days.cum_trials // 1000) + 500
            when 'criterion' then trained.days_from_criterion
        end as progress,
        case $by when 'criterion' then trained.day_source else days.day_source end as day_source,
        days.summary_source,
        days.performance_easy
    from day_by_source as days
    left join days_from_criterion as trained
        on trained.subject_uuid = days.subject_uuid
        and trained.session_date = days.session_date
        and trained.criterion = 'reached_trained_1a'
    where days.n_trials > 100

),

mouse as (

    select
        subject_uuid,
        institution_short,
        progress,
        day_source,
        summary_source,
        100 * avg(performance_easy) as performance_easy,
        count(*) as n_days
    from day
    where progress between $first and $last
        and performance_easy is not null
        and ($lab is null or lab_name = $lab)
        and {in_cohort("day.subject_uuid")}
    group by all

),

grouped as (

    select
        institution_short,
        progress,
        avg(performance_easy) as mean,
        stddev_samp(performance_easy) / sqrt(count(*)) as standard_error,
        count(*) as n_mice,
        sum(n_days)::bigint as n_days
    from mouse
    -- an institution each, and all of them as NULL
    group by grouping sets ((institution_short, progress), (progress))

)

select
    coalesce(institution_short, 'all') as institution_short,
    institution_short is null as is_all,
    progress,
    -- few mice leave a hole in the line, where no row would be bridged
    case when n_mice >= {FEWEST} then mean end as mean,
    case when n_mice >= {FEWEST} then mean - standard_error end as low,
    case when n_mice >= {FEWEST} then mean + standard_error end as high,
    n_mice,
    n_days,
    (select count(distinct subject_uuid) from mouse) as n_mice_in_all,
    (
        select count(distinct subject_uuid) from mouse
        where mouse.institution_short = grouped.institution_short
    ) as n_mice_in_laboratory,
    (select count(distinct subject_uuid) from mouse where day_source = 'stored')
        as n_with_stored_days,
    (select count(distinct subject_uuid) from mouse where summary_source = 'stored')
        as n_with_stored_performance
from grouped
order by is_all, institution_short, progress
"""
# What is on the axis, and from where to where.
AXES = {
    "day": (TRAINING_DAY, 1, 60),
    "trials": ("trials so far", 0, 40_000),
    "criterion": ("training days from being trained", -30, 30),
}


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    by: str = "day",
) -> Any:
    """Draw performance by `day`, `trials` or `criterion`, of all mice or one lab or cohort."""
    if by not in AXES:
        raise UsageError(f"by is {', '.join(AXES)}, not {by!r}.")
    axis_title, first, last = AXES[by]
    means = ask(con, PROGRESS, by=by, lab=lab, cohort=cohort, first=first, last=last)
    if means["mean"].isna().all():
        return nothing(con, TITLE, "no three mice match")
    everyone = means[means["is_all"]]
    with_a_mean = set(means.dropna(subset=["mean"])["institution_short"])
    labs = means[~means["is_all"] & means["institution_short"].isin(with_a_mean)]
    institutions = in_order(labs["institution_short"])
    scale = alt.Scale(domain=[first, last], nice=False)
    x = alt.X("progress:Q", title=axis_title, scale=scale, axis=alt.Axis(tickCount=8))
    y = alt.Y("mean:Q", title="easy correct, %", scale=PERCENT)
    tooltip = [
        alt.Tooltip("institution_short:N", title="laboratory"),
        alt.Tooltip("progress:Q", title=axis_title, format=","),
        alt.Tooltip("mean:Q", title="mean, %", format=".1f"),
        alt.Tooltip("low:Q", title="68 % interval from", format=".1f"),
        alt.Tooltip("high:Q", title="to", format=".1f"),
        alt.Tooltip("n_mice:Q", title="mice"),
    ]
    layers = [_band(everyone, x).mark_area(color=DARK, opacity=0.15)]
    if len(institutions) > 1:
        # a click in the legend brings out one laboratory, with its interval
        pick = alt.selection_point(fields=["institution_short"], bind="legend", empty=False)
        sizes = labs.groupby("institution_short")["n_mice_in_laboratory"].first().to_dict()
        line = alt.Legend(
            title="laboratory, mice",
            labelExpr=with_sizes(sizes),
            symbolType="stroke",
            symbolStrokeWidth=2,
            symbolSize=300,
            symbolOpacity=1,
        )
        color = institution_color(institutions).legend(line)
        picked = _band(labs, x).mark_area().transform_filter(pick)
        lines = alt.Chart(labs).mark_line().encode(x=x, y=y, color=color)
        layers += [
            picked.encode(color=color, opacity=alt.value(0.25)),
            lines.encode(
                # the legend of dashes is that of the colours
                strokeDash=institution_dash(institutions).legend(line),
                strokeWidth=alt.condition(pick, alt.value(3.5), alt.value(1.5)),
            ).add_params(pick),
            touched(lines, tooltip),
        ]
    mean = alt.Chart(everyone).encode(x=x, y=y, tooltip=tooltip)
    layers += [mean.mark_line(color=DARK, strokeWidth=3), mean.mark_circle(color=DARK, size=20)]
    if by == "criterion":
        zero = alt.Chart().mark_rule(strokeDash=[4, 3], color=DARK)
        layers.append(zero.encode(x=alt.datum(0)))
    drawn = alt.layer(*layers).properties(width=560, height=340)
    return finished(con, drawn, TITLE, _subtitle(everyone, institutions, lab, by))


def _band(means: Any, x: alt.X) -> alt.Chart:
    return alt.Chart(means).encode(x=x, y=alt.Y("low:Q", scale=PERCENT), y2="high:Q")


def _subtitle(everyone: Any, institutions: list[str], lab: str | None, by: str) -> list[str]:
    first = everyone.iloc[0]
    n_mice = int(first["n_mice_in_all"])
    n_days = counted(int(everyone.dropna(subset=["mean"])["n_days"].sum()), "day")
    where = f" of {lab}" if lab else ""
    whose = [source("performance", int(first["n_with_stored_performance"]), n_mice)]
    if by != "trials":
        whose.insert(0, source("training day", int(first["n_with_stored_days"]), n_mice))
    lines = [
        f"{counted(n_mice, 'mouse', 'mice')}{where}, {n_days} with more than 100 trials;"
        " at least three mice per point",
        "; ".join(whose),
    ]
    if len(institutions) > 1:
        lines.append("black: all, with the 68 % interval of the mean; in colour: each laboratory")
    else:
        lines.append("mean with its 68 % interval")
    return lines
