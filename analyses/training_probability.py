"""Probability of being trained by days, sessions or trials: Kaplan-Meier (figure 2d).

One curve per laboratory and one for all mice, with the 95 % interval of the curve that the
pointer touched last, at first of all mice. A mouse is trained with its first status trained_1a or a
higher one, as both 1a and 1b can be skipped. Mice that were never trained count until their last
status; mice without any status are left out, as nobody knows. The paper counts sessions with
status in_training where its axis says days: here the axis says which. The interval is that of
Greenwood's variance on the log-log scale, which stays between 0 and 1; the paper shows none, and
does not test laboratories: the log-rank test here weighs all times alike.

To take from it: half of the mice are trained after some two weeks, nearly all after ten, at
different speeds. The published figure has its axis of days in sessions, and no interval and no
test.
"""

import warnings
from typing import Any

import altair as alt
import duckdb
import pandas as pd
from scipy.stats import CensoredData, ecdf

from mirror.errors import UsageError

from .statistics import log_rank
from .style import (
    ALL,
    NO_LABORATORY,
    ask,
    counted,
    finished,
    in_cohort,
    in_order,
    institution_color,
    institution_dash,
    nothing,
    p_in_words,
)

TITLE = "Probability of being trained"
TIMES = f"""
select
    coalesce(institution_short, '{NO_LABORATORY}') as "group",
    institution_short,
    n_sessions_in_training as sessions,
    n_days as days,
    n_trials as trials,
    is_reached,
    2 * n_days_without_status > training_day as is_mostly_without_status
from time_to_criterion
where criterion = 'reached_trained_1a'
    and is_reached is not null
    and ($lab is null or lab_name = $lab)
    and {in_cohort("time_to_criterion.subject_uuid")}
"""
UNITS = {
    "days": "days with trials",
    "sessions": "sessions in training",
    "trials": "trials",
}


def chart(
    con: duckdb.DuckDBPyConnection,
    lab: str | None = None,
    cohort: str | None = None,
    by: str = "days",
) -> Any:
    """Draw the curves `by` days, sessions or trials, of all mice or one lab or cohort."""
    if by not in UNITS:
        raise UsageError(f"training_probability counts by {', '.join(UNITS)}, not by {by!r}.")
    times = ask(con, TIMES, lab=lab, cohort=cohort)
    if times.empty:
        return nothing(con, TITLE, "no mice with a training status match")
    names = in_order(times["group"])
    groups = {ALL: times} | {
        name: times[times["group"] == name] for name in names if len(names) > 1
    }
    curves = pd.concat(
        [kaplan_meier(mice[by], mice["is_reached"]).assign(group=n) for n, mice in groups.items()]
    )
    step = _step(float(times[by].max()))
    at_risk = pd.DataFrame(
        [
            {"group": name, "time": time, "n_mice": int((mice[by] >= time).sum())}
            for name, mice in groups.items()
            for time in range(0, int(times[by].max()) + 1, step)
        ]
    )
    n_trained = int(times["is_reached"].sum())
    subtitle = [
        f"{counted(len(times), 'mouse', 'mice')}, {n_trained:,} trained and"
        f" {len(times) - n_trained:,} censored; {_median(curves[curves['group'] == ALL], by)};"
        " 95 % interval of all mice",
        _difference(log_rank(times[by], times["is_reached"], times["institution_short"])),
    ]
    if n_unsure := int(times["is_mostly_without_status"].sum()):
        subtitle.append(
            f"{counted(n_unsure, 'mouse has', 'mice have')} no status on most days:"
            " trained earlier, or after more, than is known here"
        )
    hover = alt.selection_point(
        name="curve", fields=["group"], on="pointerover", clear=False, value=[{"group": ALL}]
    )
    x = alt.X(
        "time:Q",
        title=UNITS[by],
        scale=alt.Scale(domain=[0, float(times[by].max()) * 1.02 or 1], nice=False),
        axis=alt.Axis(values=sorted(set(at_risk["time"])), format=",d"),
    )
    color = institution_color(groups, "group").legend(None)
    dash = institution_dash(groups, "group").legend(None)
    panels = alt.vconcat(
        _curves(curves, x, color, dash, hover),
        _numbers(at_risk, x, color, dash, list(groups)),
        spacing=12,
    )
    return finished(con, panels, TITLE, subtitle)


def kaplan_meier(times: pd.Series, is_event: pd.Series) -> pd.DataFrame:
    """Probability of the event by each time, its 95 % interval, mice at risk and events."""
    is_event = is_event.astype(bool)
    result = ecdf(CensoredData(uncensored=times[is_event], right=times[~is_event])).sf
    with warnings.catch_warnings():
        # there is none before the first event, nor when nobody is left
        warnings.filterwarnings("ignore", message="The confidence interval is undefined")
        interval = result.confidence_interval(0.95, method="log-log")
    curve = pd.DataFrame(
        {
            "time": result.quantiles,
            "probability": 1 - result.probabilities,
            "low": 1 - interval.high.probabilities,
            "high": 1 - interval.low.probabilities,
        }
    )
    curve["n_at_risk"] = [int((times >= time).sum()) for time in curve["time"]]
    curve["n_events"] = [int(is_event[times == time].sum()) for time in curve["time"]]
    if curve["time"].iloc[0] > 0:
        start = {"time": 0, "probability": 0, "n_at_risk": len(times), "n_events": 0}
        curve = pd.concat([pd.DataFrame([start]), curve], ignore_index=True)
    return curve


def _curves(
    curves: pd.DataFrame,
    x: alt.X,
    color: alt.Color,
    dash: alt.StrokeDash,
    hover: alt.Parameter,
) -> Any:
    """A step per training time, and the interval of the curve under the pointer."""
    base = alt.Chart(curves).encode(x=x, color=color)
    band = (
        base.mark_area(interpolate="step-after")
        .transform_filter("isValid(datum.low)")
        .transform_filter(hover)
        .encode(y="low:Q", y2="high:Q", opacity=alt.value(0.2))
    )
    lines = base.mark_line(interpolate="step-after").encode(
        y=alt.Y(
            "probability:Q",
            title="probability of being trained",
            scale=alt.Scale(domain=[0, 1]),
        ),
        strokeDash=dash,
        strokeWidth=alt.condition(hover, alt.value(3.5), alt.value(1.8)),
    )
    # points that nobody sees catch the pointer
    dots = (
        base.mark_point(filled=True, size=90, opacity=0)
        .encode(
            y="probability:Q",
            tooltip=[
                alt.Tooltip("group:N", title="laboratory"),
                alt.Tooltip("time:Q", title="after", format=","),
                alt.Tooltip("probability:Q", title="trained", format=".2f"),
                alt.Tooltip("low:Q", title="95 % from", format=".2f"),
                alt.Tooltip("high:Q", title="95 % to", format=".2f"),
                alt.Tooltip("n_at_risk:Q", title="mice at risk"),
            ],
        )
        .add_params(hover)
    )
    return alt.layer(band, lines, dots).properties(width=560, height=300)


def _numbers(
    at_risk: pd.DataFrame, x: alt.X, color: alt.Color, dash: alt.StrokeDash, order: list[str]
) -> Any:
    """How many mice are still untrained and seen at each time; its names are the legend."""
    rows = alt.Chart(at_risk).encode(
        y=alt.Y(
            "group:N",
            title="mice at risk",
            sort=order,
            axis=alt.Axis(labels=False, ticks=False, domain=False, titlePadding=140),
        )
    )
    counts = rows.mark_text(fontSize=11).encode(
        x=x.axis(None),
        text="n_mice:Q",
        tooltip=[
            alt.Tooltip("group:N", title="laboratory"),
            alt.Tooltip("n_mice:Q", title="mice at risk"),
        ],
    )
    names = (
        rows.transform_filter("datum.time === 0")
        .mark_text(align="right", fontSize=11, fontWeight="bold")
        .encode(x=alt.value(-18), text="group:N", color=color)
    )
    lines = (
        rows.transform_filter("datum.time === 0")
        .mark_rule(strokeWidth=2)
        .encode(x=alt.value(-122), x2=alt.value(-94), color=color, strokeDash=dash)
    )
    return alt.layer(counts, names, lines).properties(width=560)


def _step(longest: float) -> int:
    """Time between two numbers at risk: at most ten of them, at round times."""
    sizes = (size * 10**power for power in range(6) for size in (1, 2, 5))
    return next(size for size in sizes if longest / size <= 10)


def _median(curve: pd.DataFrame, by: str) -> str:
    reached = curve[curve["probability"] >= 0.5]
    if reached.empty:
        return "less than half become trained"
    return f"half are trained after {counted(int(reached['time'].iloc[0]), by[:-1])}"


def _difference(test: dict[str, Any]) -> str:
    if pd.isna(test["p"]):
        return "no log-rank test without two laboratories at risk when a mouse is trained"
    return (
        f"laboratories: log-rank, χ²({test['df']}) = {test['statistic']:.1f},"
        f" {p_in_words(test['p'])}, {counted(test['n_mice'], 'mouse', 'mice')} in"
        f" {counted(test['n_labs'], 'laboratory', 'laboratories')}"
    )
