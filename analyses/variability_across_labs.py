"""Do trained mice differ between laboratories? Five measures with tests (figures 3c to 3e).

One dot per mouse, over its training sessions on the day that it was trained and the two training
days before; a line at the median. Threshold and bias are of one curve fitted to these sessions
with the paper's bounds. `compared` is the paper's test: Kruskal-Wallis where all mice together
are not normal (D'Agostino and Pearson, p < 0.05), else analysis of variance, and Benjamini and
Hochberg's correction over the measures.

The paper corrects over six measures, the sixth being trials per minute. With fewer than 20 mice,
too few to test for normality, `compared` takes Kruskal-Wallis. What analysis of variance assumes
is normality within laboratories, not of all mice together: the paper's choice of test is kept,
so that the results can be compared.
"""

from typing import Any

import altair as alt
import duckdb
import numpy as np
import pandas as pd
from scipy import stats

from analyses.curves import fitted
from analyses.psychometric_curves import MOUSE, POINTS
from analyses.style import (
    DARK,
    GREY,
    ask,
    counted,
    finished,
    in_order,
    institution_color,
    nothing,
)

TITLE = "Trained mice across laboratories"
ALL = "all"
NO_LABORATORY = "no laboratory"
MEASURES = {
    "n_trials": "trials per session",
    "performance_easy": "easy correct, %",
    "threshold": "threshold, % contrast",
    "bias": "bias, % contrast",
    "reaction_time": "median reaction time, s",
}
MICE = """
select
    trials.subject_uuid::varchar as subject_uuid,
    count(*) / count(distinct trials.session_start_time) as n_trials,
    count(distinct trials.session_start_time) as n_sessions,
    100 * avg(trials.correct) filter (where trials.contrast >= 49.9) as performance_easy,
    median(trials.reaction_time_stim_on) filter (where trials.choice <> 0) as reaction_time
from trials
join days_from_criterion as days
    on days.subject_uuid = trials.subject_uuid
    and days.session_date = trials.session_date
where days.criterion = 'trained'
    and days.days_from_criterion between -2 and 0
    and trials.task = 'training'
    and ($lab is null or trials.lab_name = $lab)
    and ($cohort is null or exists (
        select 1 from cohorts
        where cohorts.cohort = $cohort and cohorts.subject_uuid = trials.subject_uuid
    ))
group by trials.subject_uuid
order by all
"""


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the measures of all mice, or those of one lab or cohort."""
    mice = measured(con, lab=lab, cohort=cohort)
    if mice.empty:
        return nothing(con, TITLE, "no trained mice match")
    tests = compared(mice).to_dict("records")
    panels = [_panel(mice, test["measure"], test) for test in tests]
    n_sessions = counted(int(mice["n_sessions"].sum()), "session")
    subtitle = [
        f"{counted(len(mice), 'mouse', 'mice')}, {n_sessions} of the three days up to being"
        " trained; lines at the medians",
        "p is corrected over the five measures (Benjamini-Hochberg)",
    ]
    return finished(con, alt.concat(*panels, columns=3, spacing=30), TITLE, subtitle)


def measured(
    con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None
) -> pd.DataFrame:
    """One row per mouse that was trained: the five measures, NaN where there is none."""
    mice = ask(con, MICE, lab=lab, cohort=cohort)
    points = ask(con, POINTS, lab=lab, cohort=cohort)
    names = points[MOUSE].drop_duplicates()
    curves = fitted(points, ["subject_uuid"])[["subject_uuid", "threshold", "bias"]]
    return names.merge(mice, on="subject_uuid").merge(curves, on="subject_uuid", how="left")


def compared(mice: pd.DataFrame) -> pd.DataFrame:
    """Test each measure for differences between laboratories, as the paper does.

    One row per measure: the test, its statistic, p, p corrected over the measures, the effect
    size (epsilon squared of Kruskal-Wallis, eta squared of the analysis of variance: 0 none, 1
    all), how many mice and laboratories. Without two laboratories of two mice there is no test.
    """
    rows = [_tested(mice, measure) for measure in MEASURES]
    tests = pd.DataFrame(rows)
    known = tests["p"].notna()
    tests["p_corrected"] = np.nan
    if known.any():
        corrected = stats.false_discovery_control(tests.loc[known, "p"].astype(float))
        tests.loc[known, "p_corrected"] = corrected
    return tests


def _tested(mice: pd.DataFrame, measure: str) -> dict[str, Any]:
    known = mice[mice["institution_short"] != NO_LABORATORY].dropna(subset=[measure])
    groups = [
        values.to_numpy(float)
        for _, values in known.groupby("institution_short")[measure]
        if len(values) > 1
    ]
    row = {"measure": measure, "test": None, "statistic": np.nan, "p": np.nan, "effect": np.nan}
    row |= {"n_mice": sum(map(len, groups)), "n_labs": len(groups)}
    everything = np.concatenate(groups) if groups else np.array([])
    if len(groups) < 2 or np.ptp(everything) == 0:
        return row
    if len(everything) >= 20 and stats.normaltest(everything).pvalue >= 0.05:
        statistic, p = stats.f_oneway(*groups)
        between = sum(len(group) * (group.mean() - everything.mean()) ** 2 for group in groups)
        effect = between / ((everything - everything.mean()) ** 2).sum()
        return row | {"test": "ANOVA", "statistic": statistic, "p": p, "effect": effect}
    statistic, p = stats.kruskal(*groups)
    effect = statistic / (len(everything) - 1)
    return row | {"test": "Kruskal-Wallis", "statistic": statistic, "p": p, "effect": effect}


def _panel(mice: pd.DataFrame, measure: str, test: dict[Any, Any]) -> Any:
    known = mice.dropna(subset=[measure])
    columns = [*MOUSE, measure]
    institutions = in_order(mice["institution_short"])
    several = len(institutions) > 1
    rows = known[columns].assign(column=known["institution_short"])
    if several:
        rows = pd.concat([rows, rows.assign(column=ALL)])
    # dots beside each other in turn, by their value: no two of about the same height collide
    rows = rows.sort_values(["column", measure])
    rows["aside"] = (rows.groupby("column").cumcount() % 5 - 2) / 2
    hover = alt.selection_point(
        name=f"mouse_{measure}",
        fields=["subject_uuid"],
        on="pointerover",
        clear="pointerout",
        empty=False,
    )
    base = alt.Chart(rows).encode(
        x=alt.X(
            "column:N",
            sort=[*institutions, ALL],
            title=None,
            axis=alt.Axis(labelAngle=-45),
        ),
        y=alt.Y(f"{measure}:Q", title=MEASURES[measure], scale=alt.Scale(zero=False)),
    )
    color = institution_color(institutions).legend(None)
    dots = (
        base.mark_point(filled=True)
        .encode(
            xOffset=alt.XOffset("aside:Q", scale=alt.Scale(domain=[-3, 3])),
            color=alt.condition(alt.datum.column == ALL, alt.value(GREY), color),
            opacity=alt.value(0.8),
            size=alt.condition(hover, alt.value(120), alt.value(22)),
            tooltip=[
                alt.Tooltip("subject_nickname:N", title="mouse"),
                alt.Tooltip("institution_short:N", title="laboratory"),
                alt.Tooltip(f"{measure}:Q", title=MEASURES[measure], format=",.2f"),
            ],
        )
        .add_params(hover)
    )
    medians = base.mark_tick(color=DARK, thickness=2, size=18).encode(
        y=alt.Y(f"median({measure}):Q", title=MEASURES[measure])
    )
    return alt.layer(medians, dots).properties(width=230, height=170, title=_said(test))


def _said(test: dict[Any, Any]) -> alt.TitleParams:
    """The result of a test, in words above its panel."""
    if pd.isna(test["p"]):
        words = "no test without two laboratories of two mice"
    else:
        p = test["p_corrected"]
        shown = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
        words = f"{test['test']}, {shown}, n = {test['n_mice']}"
    return alt.TitleParams(words, fontSize=11, fontWeight="normal", anchor="start", frame="group")
