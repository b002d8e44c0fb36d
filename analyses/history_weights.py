"""Weights of stimulus, history and block in each choice, by logistic regression (figure 5c).

One regression per mouse and task: log odds of a choice to the right = bias + the side (1 right, -1
left) of each contrast + the choice before (1 right, -1 left) if it was rewarded + if it was not,
and with blocks + 1, 0 or -1 in blocks with 20, 50 or 80 % of the stimuli on the left. Basic task:
training sessions on the day that a mouse was trained and the two training days before; full task:
biased and ephys sessions on the day that it was ready for the ephys rig and the two before. As in
the paper, the few trials of 50 % contrast are left out. Small dots are mice, large dots the means
of laboratories with 95 % intervals (of t) over their mice if there are three, black ticks the means
of all mice. A weight that the trials do not determine, as of a contrast at which the mouse never
errs, has no dot: the means of 100 % are of the mice that err there.

`compared` is the paper's test of the two tasks, the paired t, for the two weights of history.

The paper takes the days from two before to three after a mouse's first biased session. Its code
takes history from the row before in a table of all sessions: the first choice of a session has
that of the last trial of another session, or another mouse. Here a choice counts only with a
choice on the trial before in the same session. The paper's bars are bootstrapped, and its accuracy
is cross-validated over folds that differ from run to run: here it is of the trials fitted.

To take from it: choices hang on what was seen, a little on the choice before, and with blocks on
the block. The published figure has cross-validated accuracies and the curves that its model
predicts (5b).
"""

import warnings
from typing import Any

import altair as alt
import duckdb
import numpy as np
import pandas as pd
from scipy import stats

from .statistics import corrected
from .style import (
    DARK,
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

TITLE = "Weights of stimulus and history"
TASKS = {"basic": "basic task, without blocks", "full": "full task, with blocks"}
CONTRASTS = {"6.25": 6.25, "12.5": 12.5, "25": 25.0, "100": 100.0}
HISTORY = ("rewarded", "unrewarded")
# Log odds. Without an error at a contrast the likelihood rises for ever with its weight, and the
# standard error is thousands; those of weights that trials determine are about 1 at most.
LARGEST_SE = 10
MOUSE = ["subject_uuid", "subject_nickname", "institution_short", "task", "n_sessions"]
# One row for all choices of a mouse that the model cannot tell apart.
CHOICES = f"""
with chosen as (
    select
        trials.subject_uuid,
        trials.subject_nickname,
        trials.institution_short,
        trials.session_start_time,
        case trials.criterion when 'trained' then 'basic' else 'full' end as task,
        trials.signed_contrast,
        case when trials.previous_rewarded = 1 then trials.previous_choice else 0 end as rewarded,
        case when trials.previous_rewarded = 0 then trials.previous_choice else 0 end
            as unrewarded,
        case trials.prob_left_block when 20 then 1 when 50 then 0 when 80 then -1 end as block,
        trials.choice_right
    from trials_at_criterion as trials
    where (
        (trials.criterion = 'trained' and trials.task = 'training')
        or (trials.criterion = 'ephys' and trials.task in ('biased', 'ephys'))
    )
        and trials.choice_right is not null
        and trials.previous_choice is not null
        and trials.previous_rewarded is not null
        and trials.contrast in (0, 6.25, 12.5, 25, 100)
        and ($lab is null or trials.lab_name = $lab)
        and {in_cohort("trials.subject_uuid")}
),
mouse as (
    select
        subject_uuid,
        task,
        any_value(subject_nickname) as subject_nickname,
        coalesce(any_value(institution_short), '{NO_LABORATORY}') as institution_short,
        count(distinct session_start_time) as n_sessions
    from chosen
    where block is not null
    group by subject_uuid, task
)
select
    mouse.subject_uuid::varchar as subject_uuid,
    mouse.subject_nickname,
    mouse.institution_short,
    mouse.task,
    mouse.n_sessions,
    chosen.signed_contrast,
    chosen.rewarded,
    chosen.unrewarded,
    chosen.block,
    chosen.choice_right,
    count(*) as n_choices
from chosen
join mouse on mouse.subject_uuid = chosen.subject_uuid and mouse.task = chosen.task
where chosen.block is not null
group by all
order by all
"""


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None, cohort: str | None = None) -> Any:
    """Draw the weights of all mice, or those of one lab or cohort."""
    weights = weighed(ask(con, CHOICES, lab=lab, cohort=cohort))
    if weights.empty:
        return nothing(con, TITLE, "no trained mice match")
    institutions = in_order(weights["institution_short"])
    tests = [_said(test) for test in compared(weights).to_dict("records")]
    panels = [
        _panel(
            weights[weights["weight"].isin(shown)],
            task,
            shown,
            institutions,
            tests if task == "full" and "block" in shown else [],
        )
        for task in TASKS
        for shown in (list(CONTRASTS), [*HISTORY, "bias", *(["block"] if task == "full" else [])])
        if task in set(weights.loc[weights["weight"].isin(shown), "task"])
    ]
    fits = weights.drop_duplicates(["subject_uuid", "task"])
    subtitle = [
        *(_counted(rows, task) for task, rows in fits.groupby("task")),
        "small: a mouse; large: mean of a laboratory, of three mice or more with its 95 % interval"
        + ("; black: mean of all mice" if len(institutions) > 1 else "")
        + "; p corrected over both weights of history, d: Cohen's",
    ]
    return finished(con, together(panels, 2), TITLE, subtitle)


def weighed(choices: pd.DataFrame) -> pd.DataFrame:
    """Fit the regression to each mouse and task, with the rows of `CHOICES`.

    One row per weight that the trials determine, log odds: `value`, its interval of 95 % (Wald's)
    from `low` to `high`, and, the same in all rows of a fit, `n_choices`, McFadden's `pseudo_r2`,
    and `accuracy`, the mean probability that the fit gives to the choice that was made.
    """
    fits = [
        _fitted(rows).assign(**dict(zip(MOUSE, mouse, strict=True)))
        for mouse, rows in choices.groupby(MOUSE)
    ]
    return pd.concat(fits, ignore_index=True) if fits else pd.DataFrame()


def _fitted(rows: pd.DataFrame) -> pd.DataFrame:
    # half a second, only for who draws this chart
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    side = np.sign(rows["signed_contrast"])
    regressors = pd.DataFrame(
        {name: side * (rows["signed_contrast"].abs() == c) for name, c in CONTRASTS.items()}
        | {name: rows[name] for name in (*HISTORY, "block")}
        | {"bias": 1},
        dtype=float,
    )
    regressors = regressors.loc[:, regressors.any()]
    if np.linalg.matrix_rank(regressors) < regressors.shape[1]:
        return pd.DataFrame()
    right, n = rows["choice_right"].to_numpy(float), rows["n_choices"].to_numpy(float)
    with warnings.catch_warnings():
        # LARGEST_SE finds what this warns of
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        fit = GLM(right, regressors.to_numpy(), family=Binomial(), freq_weights=n).fit()
    low, high = fit.conf_int().T
    found = pd.DataFrame(
        {"weight": regressors.columns, "value": fit.params, "low": low, "high": high}
    )
    return found[fit.bse < LARGEST_SE].assign(
        n_choices=int(n.sum()),
        pseudo_r2=fit.pseudo_rsquared("mcf"),
        accuracy=np.average(np.where(right, fit.mu, 1 - fit.mu), weights=n),
    )


def compared(weights: pd.DataFrame) -> pd.DataFrame:
    """Test both weights of history for a difference between the tasks, with the rows of `weighed`.

    One row per weight: the mean of full minus basic task over mice with both, its paired t, p, p
    corrected over the two weights (Benjamini and Hochberg), the effect size (Cohen's d of the
    differences: their mean over their standard deviation), and the number of mice.
    """
    tests = pd.DataFrame([_tested(weights, weight) for weight in HISTORY])
    return tests.assign(p_corrected=corrected(tests["p"]))


def _tested(weights: pd.DataFrame, weight: str) -> dict[str, Any]:
    rows = weights[weights["weight"] == weight]
    values = rows.pivot(index="subject_uuid", columns="task", values="value")
    values = values.reindex(columns=list(TASKS)).dropna()
    difference = values["full"] - values["basic"]
    row = {"weight": weight, "difference": difference.mean(), "n_mice": len(difference)}
    if len(difference) < 2 or difference.std() == 0:
        return row | {"t": np.nan, "p": np.nan, "effect": np.nan}
    t, p = stats.ttest_1samp(difference, 0)
    return row | {"t": t, "p": p, "effect": difference.mean() / difference.std()}


def laboratory_means(weights: pd.DataFrame) -> pd.DataFrame:
    """Means over the mice of each laboratory, with intervals of 95 % (of t).

    `low` and `high` are NaN with fewer than FEWEST.
    """
    known = weights[weights["institution_short"] != NO_LABORATORY]
    values = known.groupby(["institution_short", "task", "weight"])["value"]
    means = values.agg(["mean", "sem", "count"]).reset_index()
    enough = means["count"].where(means["count"] >= FEWEST)
    half = stats.t.ppf(0.975, enough - 1) * means["sem"]
    return means.assign(
        value=means["mean"], low=means["mean"] - half, high=means["mean"] + half
    ).rename(columns={"count": "n_mice"})[
        ["institution_short", "task", "weight", "n_mice", "value", "low", "high"]
    ]


def _panel(
    weights: pd.DataFrame,
    task: str,
    shown: list[str],
    institutions: list[str],
    tests: list[str],
) -> Any:
    mice = weights.rename(columns={"low": "mouse_low", "high": "mouse_high"})
    rows = pd.concat([mice.assign(kind="mouse"), laboratory_means(weights).assign(kind="mean")])
    # the same scale for both tasks
    drawn = rows[["value", "low", "high"]]
    low, high = min(drawn.min().min(), 0), drawn.max().max()
    margin = 0.04 * (high - low)
    scale = alt.Scale(domain=[low - margin, high + margin], nice=False)
    y = alt.Y("value:Q", title="weight, log odds", scale=scale)
    is_stimulus = shown[0] in CONTRASTS
    x_title = "contrast, %" if is_stimulus else "(un)rewarded: the choice before"
    rows = rows[rows["task"] == task]
    hover = under_pointer()
    beside = alt.XOffset("institution_short:N", scale=alt.Scale(domain=institutions))
    base = alt.Chart().encode(
        x=alt.X(
            "weight:N",
            title=x_title,
            scale=alt.Scale(domain=shown),
            axis=alt.Axis(labelAngle=0, labelLimit=0),
        ),
        y=y,
    )
    mouse = base.transform_filter("datum.kind == 'mouse'")
    color = institution_color(institutions).legend(symbolSize=120)
    shape = institution_shape(institutions).legend(symbolSize=120)
    mean = base.transform_filter("datum.kind == 'mean'").encode(xOffset=beside, color=color)
    dots = (
        mouse.mark_point(filled=True)
        .encode(
            xOffset=beside,
            color=color,
            shape=shape,
            opacity=alt.condition(hover, alt.value(1), alt.value(0.4)),
            size=alt.condition(hover, alt.value(100), alt.value(14)),
            tooltip=[
                alt.Tooltip("subject_nickname:N", title="mouse"),
                alt.Tooltip("institution_short:N", title="laboratory"),
                alt.Tooltip("weight:N", title="weight of"),
                alt.Tooltip("value:Q", title="log odds", format=".2f"),
                alt.Tooltip("mouse_low:Q", title="from", format=".2f"),
                alt.Tooltip("mouse_high:Q", title="to", format=".2f"),
                alt.Tooltip("pseudo_r2:Q", title="pseudo-R² (McFadden)", format=".2f"),
                alt.Tooltip("accuracy:Q", title="accuracy", format=".2f"),
                alt.Tooltip("n_choices:Q", title="choices", format=","),
                alt.Tooltip("n_sessions:Q", title="sessions"),
            ],
        )
        .add_params(hover)
    )
    zero = alt.Chart().mark_rule(color=GREY, strokeDash=[3, 3]).encode(y=alt.datum(0))
    layers = [
        zero,
        dots,
        mean.mark_rule(strokeWidth=1.5).encode(y="low:Q", y2="high:Q"),
        mean.mark_point(filled=True, size=50, opacity=1).encode(
            shape=shape,
            tooltip=[
                alt.Tooltip("institution_short:N", title="laboratory"),
                alt.Tooltip("weight:N", title="weight of"),
                alt.Tooltip("value:Q", title="mean, log odds", format=".2f"),
                alt.Tooltip("low:Q", title="from", format=".2f"),
                alt.Tooltip("high:Q", title="to", format=".2f"),
                alt.Tooltip("n_mice:Q", title="mice"),
            ],
        ),
    ]
    if len(institutions) > 1:
        layers.append(mouse.mark_tick(color=DARK, thickness=2, size=60).encode(y="mean(value):Q"))
    n_mice = counted(rows["subject_uuid"].nunique(), "mouse", "mice")
    head = alt.Chart(pd.DataFrame({"head": [f"{TASKS[task]}, {n_mice}"]}))
    heading = head.mark_text(align="left", fontSize=12, fontWeight="bold").encode(
        text="head:N", x=alt.value(0), y=alt.value(-12)
    )
    drawn = alt.layer(*layers, heading, data=rows).properties(width=85 * len(shown), height=220)
    return drawn.properties(title=said_below(tests)) if tests else drawn


def _counted(fits: pd.DataFrame, task: str) -> str:
    window = "being trained" if task == "basic" else "being ready for ephys"
    return (
        f"{task} task: {counted(len(fits), 'mouse', 'mice')},"
        f" {counted(int(fits['n_sessions'].sum()), 'session')},"
        f" {counted(int(fits['n_choices'].sum()), 'choice')} of the three days up to {window};"
        f" mean pseudo-R² {fits['pseudo_r2'].mean():.2f}, accuracy {fits['accuracy'].mean():.2f}"
    )


def _said(test: dict[Any, Any]) -> str:
    """The result of a test in words."""
    if pd.isna(test["p"]):
        return f"{test['weight']}: no test without two mice in both tasks"
    return (
        f"{test['weight']}, full minus basic {test['difference']:+.2f}: paired t = {test['t']:.2f},"
        f" {p_in_words(test['p_corrected'])}, d = {test['effect']:.2f}, n = {test['n_mice']}"
    )
