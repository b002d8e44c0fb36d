"""What blocks do to the curve of each mouse: threshold, lapses and bias (figures 4f to 4i).

One small dot per mouse: the parameter in blocks with 80 % of the stimuli on the left against that
in blocks with 20 %; large dots are the laboratories' means with bars of one standard error both
ways. On the dashed line blocks make no difference. One curve per mouse and block, fitted with the
paper's bounds to biased and ephys sessions on the day that a mouse was ready for the ephys rig and
the two training days before it. Mice that lack either curve are left out.

`compared` is the paper's test of the blocks, Wilcoxon's of signed ranks, to which are added the
correction over the four parameters (Benjamini and Hochberg) and the effect size. `across` is its
test of the laboratories: of each parameter in each block, corrected over the eight.

The vertical bars of the paper's figures of threshold, lapse right and bias show the standard
error of the horizontal parameter; here each bar is of its own.

To take from it: blocks change bias and lapses, and leave the threshold as it is, alike in all
laboratories. The published figure has the decoding of laboratories (4i), which is not here.
"""

from typing import Any

import altair as alt
import duckdb
import numpy as np
import pandas as pd
from scipy import stats

from .curves import fitted
from .statistics import ANOVA, compare, corrected
from .style import (
    FEWEST,
    GREY,
    NO_LABORATORY,
    ask,
    counted,
    finished,
    in_cohort,
    in_order,
    institution_color,
    institution_shape,
    nothing,
    p_in_words,
    said_below,
    together,
    under_pointer,
)

TITLE = "Parameters of the psychometric curve by block"
PARAMETERS = {
    "threshold": "threshold, % contrast",
    "lapse_low": "lapse left",
    "lapse_high": "lapse right",
    "bias": "bias, % contrast",
}
# With fewer pairs that differ, no signed ranks reach p < 0.05.
FEWEST_PAIRS = 6
MOUSE = ["subject_uuid", "subject_nickname", "institution_short", "n_sessions"]
POINTS = f"""
with shown as (
    select curves.*
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
),
mouse as (
    select
        subject_uuid,
        any_value(subject_nickname) as subject_nickname,
        coalesce(any_value(institution_short), '{NO_LABORATORY}') as institution_short,
        count(distinct session_start_time) as n_sessions
    from shown
    group by subject_uuid
)
select
    mouse.subject_uuid::varchar as subject_uuid,
    mouse.subject_nickname,
    mouse.institution_short,
    mouse.n_sessions,
    shown.prob_left_block,
    shown.signed_contrast,
    sum(shown.n_trials) as n_trials,
    sum(shown.n_right) / sum(shown.n_trials - shown.n_no_go) as p_right
from shown
join mouse on mouse.subject_uuid = shown.subject_uuid
group by all
having sum(shown.n_trials - shown.n_no_go) > 0
order by all
"""


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the parameters of all mice, or those of one lab or cohort."""
    mice = paired(ask(con, POINTS, lab=lab, cohort=cohort))
    if mice.empty:
        return nothing(con, TITLE, "no mice with curves in both blocks match")
    institutions = in_order(mice["institution_short"])
    tests = compared(mice).set_index("parameter").to_dict("index")
    labs = across(mice)
    each = mice[mice["parameter"] == "bias"]
    panels = [
        _panel(
            mice[mice["parameter"] == parameter],
            parameter,
            [
                _said(tests[parameter]),
                *_said_of_labs(labs[labs["parameter"] == parameter]),
            ],
            institutions,
        )
        for parameter in PARAMETERS
    ]
    subtitle = [
        f"{counted(len(each), 'mouse', 'mice')},"
        f" {counted(int(each['n_sessions'].sum()), 'session')},"
        f" {counted(int(each['n_trials'].sum()), 'trial')} in these blocks of the three days up to"
        " being ready for the ephys rig",
        "small: a mouse; large: mean of a laboratory, of three mice or more with bars of ± s.e.m.;"
        " on the dashed line blocks make no difference",
        "blocks: Wilcoxon's signed ranks, p corrected over the four parameters; r: rank-biserial,"
        " positive if larger in 80:20, where 80 % of the stimuli are on the left",
    ]
    if labs["p"].notna().any():
        n, k = labs.loc[labs["p"].notna(), ["n_mice", "n_labs"]].iloc[0]
        subtitle.append(
            f"laboratories, {k} of them with {n} mice, are compared in each block; p corrected over"
            " these eight tests; ε² and η²: share of the variance between laboratories"
        )
    return finished(con, together(panels, 2), TITLE, subtitle)


def paired(points: pd.DataFrame) -> pd.DataFrame:
    """One row per parameter and mouse with curves in both blocks: `block_80` and `block_20`."""
    fits = fitted(points, [*MOUSE, "prob_left_block"])
    long = fits.melt(
        [*MOUSE, "prob_left_block", "n_trials"], list(PARAMETERS), "parameter", "value"
    )
    both = long[long["prob_left_block"] == 80].merge(
        long[long["prob_left_block"] == 20], on=[*MOUSE, "parameter"], suffixes=("_80", "_20")
    )
    both["n_trials"] = both["n_trials_80"] + both["n_trials_20"]
    both = both.rename(columns={"value_80": "block_80", "value_20": "block_20"})
    return both[[*MOUSE, "parameter", "n_trials", "block_80", "block_20"]]


def compared(mice: pd.DataFrame) -> pd.DataFrame:
    """Test each parameter for a difference between the blocks, with the rows of `paired`.

    One row per parameter: Wilcoxon's statistic, p, p corrected over the parameters, the
    rank-biserial correlation of matched pairs (1: larger in 80:20 in all mice, -1: smaller; Kerby
    2014, doi 10.2466/11.IT.3.1) and the number of mice. Mice without a difference have no rank.
    """
    tests = pd.DataFrame([_tested(mice, parameter) for parameter in PARAMETERS])
    return tests.assign(p_corrected=corrected(tests["p"]))


def across(mice: pd.DataFrame) -> pd.DataFrame:
    """Test each parameter for differences between laboratories in each block, as the paper does.

    One row per parameter and `block` with the columns of `statistics.compare`, p corrected over
    the eight; mice of no laboratory are left out. Takes the rows of `paired`.
    """
    known = mice[mice["institution_short"] != NO_LABORATORY]
    wide = known.pivot(
        index=["subject_uuid", "institution_short"],
        columns="parameter",
        values=["block_80", "block_20"],
    )
    wide.columns = [f"{parameter} {block}" for block, parameter in wide.columns]
    tests = compare(
        wide.reset_index(),
        [f"{parameter} {block}" for parameter in PARAMETERS for block in ("block_80", "block_20")],
    )
    tests[["parameter", "block"]] = tests.pop("measure").str.split(" ", expand=True).to_numpy()
    return tests


def _tested(mice: pd.DataFrame, parameter: str) -> dict[str, Any]:
    rows = mice[mice["parameter"] == parameter]
    difference = (rows["block_80"] - rows["block_20"]).to_numpy(float)
    row = {"parameter": parameter, "n_mice": len(rows)}
    differing = difference[difference != 0]
    if len(differing) < FEWEST_PAIRS:
        return row | {"statistic": np.nan, "p": np.nan, "effect": np.nan}
    statistic, p = stats.wilcoxon(differing)
    ranks = stats.rankdata(abs(differing))
    effect = (ranks * np.sign(differing)).sum() / ranks.sum()
    return row | {"statistic": statistic, "p": p, "effect": effect}


def _panel(rows: pd.DataFrame, parameter: str, words: list[str], institutions: list[str]) -> Any:
    name = PARAMETERS[parameter]
    values = rows[["block_80", "block_20"]].to_numpy(float)
    margin = 0.04 * (np.ptp(values) or 1)
    ends = [values.min() - margin, values.max() + margin]
    scale = alt.Scale(domain=ends, nice=False, zero=False)
    x = alt.X("block_80:Q", title=f"{name}, in blocks 80:20", scale=scale)
    y = alt.Y("block_20:Q", title=f"{name}, in blocks 20:80", scale=scale)
    digits = ".3f" if parameter.startswith("lapse") else ".1f"
    color = institution_color(institutions).legend(symbolSize=120)
    shape = institution_shape(institutions).legend(symbolSize=120)
    same = alt.Chart(pd.DataFrame({"block_80": ends, "block_20": ends}))
    hover = under_pointer()
    dots = (
        alt.Chart(rows[[*MOUSE, "n_trials", "block_80", "block_20"]])
        .mark_point(filled=True)
        .encode(
            x=x,
            y=y,
            color=color,
            shape=shape,
            opacity=alt.condition(hover, alt.value(1), alt.value(0.6)),
            size=alt.condition(hover, alt.value(120), alt.value(22)),
            tooltip=[
                alt.Tooltip("subject_nickname:N", title="mouse"),
                alt.Tooltip("institution_short:N", title="laboratory"),
                alt.Tooltip("block_80:Q", title="in 80:20", format=digits),
                alt.Tooltip("block_20:Q", title="in 20:80", format=digits),
                alt.Tooltip("n_sessions:Q", title="sessions"),
                alt.Tooltip("n_trials:Q", title="trials", format=","),
            ],
        )
        .add_params(hover)
    )
    means = alt.Chart(laboratory_means(rows)).encode(color=color)
    layers = [
        same.mark_line(color=GREY, strokeDash=[4, 3]).encode(x=x, y=y),
        dots,
        means.mark_rule(strokeWidth=1.5).encode(x=alt.X("left:Q"), x2="right:Q", y=y),
        means.mark_rule(strokeWidth=1.5).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        means.mark_point(filled=True, size=90, opacity=1, stroke="white", strokeWidth=1).encode(
            x=x,
            y=y,
            shape=shape,
            tooltip=[
                alt.Tooltip("institution_short:N", title="laboratory"),
                alt.Tooltip("block_80:Q", title="mean in 80:20", format=digits),
                alt.Tooltip("block_20:Q", title="mean in 20:80", format=digits),
                alt.Tooltip("n_mice:Q", title="mice"),
            ],
        ),
    ]
    return alt.layer(*layers).properties(width=290, height=290, title=said_below(words))


def laboratory_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Means of laboratories in both blocks, and one standard error to each side.

    `left` and `right` are of `block_80`, `low` and `high` of `block_20`; NaN below three mice.
    """
    known = rows[rows["institution_short"] != NO_LABORATORY]
    labs = known.groupby("institution_short")[["block_80", "block_20"]]
    mean, sem = labs.mean(), labs.sem().where(labs.count() >= FEWEST)
    return mean.assign(
        left=mean["block_80"] - sem["block_80"],
        right=mean["block_80"] + sem["block_80"],
        low=mean["block_20"] - sem["block_20"],
        high=mean["block_20"] + sem["block_20"],
        n_mice=labs.size(),
    ).reset_index()


def _said(test: dict[str, Any]) -> str:
    """The result of a test of the blocks, in words above its panel."""
    if pd.isna(test["p"]):
        return f"no test with fewer than {FEWEST_PAIRS} mice that differ"
    p = p_in_words(test["p_corrected"])
    return f"blocks: Wilcoxon, {p}, r = {test['effect']:.2f}, n = {test['n_mice']}"


def _said_of_labs(tests: pd.DataFrame) -> list[str]:
    """The results of the tests of laboratories, a line for each block; none if there are none."""
    names = {"block_80": "80:20", "block_20": "20:80"}
    return [
        f"laboratories, {names[test['block']]}: {test['test']}, {p_in_words(test['p_corrected'])},"
        f" {'η²' if test['test'] == ANOVA else 'ε²'} = {test['effect']:.2f}, n = {test['n_mice']}"
        for test in tests.dropna(subset="p").to_dict("records")
    ]
