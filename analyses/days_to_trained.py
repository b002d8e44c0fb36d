"""Days and trials until a mouse is trained, by laboratory: a dot per mouse (figure 2g).

The bar is the median. Days with trials up to and including the one on which the mouse was trained,
as the paper's queries count; its published table counts one day less. As in the paper, all mice
together are tested for normality (D'Agostino and Pearson), and laboratories for a difference with
one-way ANOVA if normal and Kruskal-Wallis if not; the tests of pairs that followed are not made.
Laboratories with fewer than two mice, and mice of no institution, are drawn and not tested.
"""

from typing import Any

import altair as alt
import duckdb
import pandas as pd
from scipy.stats import f_oneway, kruskal, normaltest

from analyses.style import (
    DARK,
    GREY,
    INSTITUTION_COLORS,
    INSTITUTIONS,
    ask,
    counted,
    finished,
    in_order,
    nothing,
)

TITLE = "Days and trials until trained"
MICE = """
select
    coalesce(institution_short, 'no institution') as "group",
    institution_short,
    lab_name,
    subject_nickname,
    n_days,
    n_trials,
    -- spread the dots of a laboratory, always in the same way
    0.5 * (row_number() over (partition by institution_short order by n_days, subject_uuid) % 5)
        - 1 as place,
    2 * n_days_without_status > training_day as is_mostly_without_status
from time_to_criterion
where criterion = 'trained'
    and is_reached
    and ($lab is null or lab_name = $lab)
    and ($cohort is null or exists (
        select 1 from cohorts
        where cohorts.cohort = $cohort
            and cohorts.subject_uuid = time_to_criterion.subject_uuid
    ))
"""
ALL = "All"


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw all trained mice, or those of one lab or cohort."""
    mice = ask(con, MICE, lab=lab, cohort=cohort)
    if mice.empty:
        return nothing(con, TITLE, "no trained mice match")
    groups, dots = in_order(mice["group"]), mice
    if len(groups) > 1:
        groups, dots = [*groups, ALL], pd.concat([mice, mice.assign(group=ALL)])
    panels = alt.hconcat(
        _panel(dots, "n_days", "days until trained", groups),
        _panel(dots, "n_trials", "trials until trained", groups),
        spacing=30,
    )
    subtitle = [
        f"{counted(len(mice), 'trained mouse', 'trained mice')} of"
        f" {counted(mice['institution_short'].nunique(), 'laboratory', 'laboratories')}; median"
        f" {mice['n_days'].median():,.0f} days and {mice['n_trials'].median():,.0f} trials",
        f"days: {in_words(difference(mice, 'n_days'))}",
        f"trials: {in_words(difference(mice, 'n_trials'))}",
    ]
    if n_unsure := int(mice["is_mostly_without_status"].sum()):
        subtitle.append(
            f"{counted(n_unsure, 'mouse has', 'mice have')} no status on most days before:"
            " perhaps trained earlier"
        )
    return finished(con, panels, TITLE, subtitle)


def difference(mice: pd.DataFrame, field: str) -> dict[str, Any] | None:
    """The test across laboratories with its n and effect size; None with too few mice."""
    values = [v for _, v in mice.groupby("institution_short")[field] if len(v) > 1]
    n_mice, n_labs = sum(map(len, values)), len(values)
    # below 20 mice the test for normality warns that it does not hold
    if n_labs < 2 or n_mice < 20 or pd.concat(values).nunique() == 1:
        return None
    normal_p = float(normaltest(pd.concat(values)).pvalue)
    is_normal = normal_p >= 0.05
    statistic, p = f_oneway(*values) if is_normal else kruskal(*values)
    if is_normal:
        # eta squared from F and its degrees of freedom
        explained = statistic * (n_labs - 1)
        effect = explained / (explained + n_mice - n_labs)
    else:
        # eta squared of H, below 0 for less than chance
        effect = (statistic - n_labs + 1) / (n_mice - n_labs)
    return {
        "test": "one-way ANOVA" if is_normal else "Kruskal-Wallis",
        "symbol": "F" if is_normal else "H",
        "statistic": float(statistic),
        "p": float(p),
        "effect": float(effect),
        "normal_p": normal_p,
        "n_mice": n_mice,
        "n_labs": n_labs,
    }


def in_words(test: dict[str, Any] | None) -> str:
    """A test as journals print it."""
    if test is None:
        return "too few mice for a test across laboratories"
    p = "p < 0.001" if test["p"] < 0.001 else f"p = {test['p']:.3f}"
    how = "" if test["test"] == "one-way ANOVA" else "not "
    return (
        f"{test['test']} ({how}normal), {test['symbol']} = {test['statistic']:.1f}, {p},"
        f" eta² = {test['effect']:.2f}, {test['n_mice']} mice in {test['n_labs']} laboratories"
    )


def _panel(dots: pd.DataFrame, field: str, title: str, groups: list[str]) -> Any:
    """A dot per mouse and a bar at the median of each laboratory and of all."""
    known = dict(zip(INSTITUTIONS, INSTITUTION_COLORS, strict=True)) | {ALL: DARK}
    color = alt.Color(
        "group:N",
        scale=alt.Scale(domain=groups, range=[known.get(name, GREY) for name in groups]),
        legend=None,
    )
    base = alt.Chart(dots).encode(
        x=alt.X("group:N", title="laboratory", sort=groups, axis=alt.Axis(labelAngle=-40)),
        y=alt.Y(f"{field}:Q", title=title, axis=alt.Axis(format=",d", tickMinStep=1)),
    )
    hover = alt.selection_point(
        name=f"mouse_{field}",
        fields=["subject_nickname"],
        on="pointerover",
        clear="pointerout",
        empty=False,
    )
    mice = (
        base.mark_point(filled=True, size=35)
        .encode(
            xOffset=alt.XOffset("place:Q", scale=alt.Scale(domain=[-2.5, 2.5])),
            color=color,
            opacity=alt.condition(hover, alt.value(1), alt.value(0.6)),
            size=alt.condition(hover, alt.value(110), alt.value(35)),
            tooltip=[
                alt.Tooltip("subject_nickname:N", title="mouse"),
                alt.Tooltip("lab_name:N", title="laboratory"),
                alt.Tooltip("n_days:Q", title="days"),
                alt.Tooltip("n_trials:Q", title="trials", format=","),
            ],
        )
        .add_params(hover)
    )
    medians = base.mark_tick(thickness=2.5, width=24, color=DARK).encode(
        y=f"median({field}):Q",
        tooltip=[
            alt.Tooltip("group:N", title="laboratory"),
            alt.Tooltip(f"median({field}):Q", title="median", format=",.0f"),
            alt.Tooltip("count():Q", title="mice"),
        ],
    )
    return alt.layer(mice, medians).properties(width=alt.Step(42), height=300)
