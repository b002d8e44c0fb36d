"""Compares an answer with the right one for the mirror at hand, and says what is off in it."""

import math
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from mirror import views
from mirror.errors import UsageError

from .questions import QUESTIONS, Question

UNANSWERED = "not answered yet"


def check(con: duckdb.DuckDBPyConnection, question: str, answer: Any) -> None:
    """Print whether an answer is right, or what is off in it, but not the right answer.

    An answer is a frame, a relation of DuckDB or a number, as the question asks for. The order of
    rows, and columns that were not asked for, do not count.
    """
    found = faults(con, question, answer)
    print(f"{question}: {'right' if not found else '; '.join(found)}.")


def faults(con: duckdb.DuckDBPyConnection, question: str, answer: Any) -> list[str]:
    """What is off in an answer, a phrase each. Raises UsageError for an unknown question."""
    if question not in QUESTIONS:
        raise UsageError(f"There is no question {question!r}: there are {', '.join(QUESTIONS)}.")
    asked = QUESTIONS[question]
    if answer is ...:
        return [UNANSWERED]
    if isinstance(answer, duckdb.DuckDBPyRelation):
        answer = answer.df()
    with views.found(f"Question {question} cannot be answered"):
        right = con.sql(asked.answer).df()
    found = _compared(asked, answer, right)
    if found:
        for trap in asked.traps:
            wrong = con.sql(trap.answer).df()
            if _compared(asked, wrong, right) and not _compared(asked, answer, wrong):
                return [trap.hint]
    return found


def _compared(asked: Question, answer: Any, right: pd.DataFrame) -> list[str]:
    return _frame(asked, answer, right) if asked.key else _number(answer, right.iloc[0, 0])


def _number(answer: Any, right: Any) -> list[str]:
    if isinstance(answer, pd.DataFrame | pd.Series):
        if answer.size != 1:
            return [f"one number is asked for, and this has {answer.size} values"]
        answer = answer.to_numpy().flat[0]
    try:
        value = float("nan") if pd.isna(answer) else float(answer)
    except (TypeError, ValueError):
        return [f"a number is asked for, not {type(answer).__name__}"]
    expected = float("nan") if pd.isna(right) else float(right)
    if _is_close(value, expected):
        return []
    if math.isnan(value) or math.isnan(expected):
        return [f"there {'is such a number' if math.isnan(value) else 'is no such number here'}"]
    return [_unit(np.array([value]), np.array([expected])) or _direction(value - expected)]


def _frame(asked: Question, answer: Any, right: pd.DataFrame) -> list[str]:
    if isinstance(answer, pd.Series):
        answer = answer.to_frame()
    if not isinstance(answer, pd.DataFrame):
        return [f"a frame is asked for, not {type(answer).__name__}"]
    # a plain count of rows is no column
    if any(name is not None for name in answer.index.names):
        answer = answer.reset_index()
    missing = [name for name in right.columns if name not in answer.columns]
    if missing:
        return [f"it lacks {', '.join(missing)}"]
    key, alike = list(asked.key), answer[list(right.columns)].copy()
    right = right.copy()
    for name in right.columns:
        alike[name], right[name] = _alike(alike[name], right[name])
    found = []
    if repeated := int(alike.duplicated(key).sum()):
        found.append(f"{_rows(repeated)} too many with the same {' and '.join(key)}")
    both = right.merge(
        alike.drop_duplicates(key), on=key, how="outer", suffixes=("", " given"), indicator=True
    )
    if n := int((both["_merge"] == "left_only").sum()):
        found.append(f"{_rows(n)} too few")
    extra = both[both["_merge"] == "right_only"]
    if len(extra):
        found.append(f"{_rows(len(extra))} not asked for, such as where {_place(extra, key)}")
    shared = both[both["_merge"] == "both"]
    for name in (name for name in right.columns if name not in key):
        found += _column(name, shared, key)
    return found


def _column(name: str, shared: pd.DataFrame, key: list[str]) -> list[str]:
    """What is off in a column, over the rows that are in both frames."""
    expected, given = shared[name], shared[f"{name} given"]
    if not pd.api.types.is_numeric_dtype(expected):
        off = (expected != given) & ~(expected.isna() & given.isna())
        how = "is off"
    else:
        left, right = given.to_numpy(float), expected.to_numpy(float)
        off = pd.Series(~np.isclose(left, right, 1e-6, 1e-9, equal_nan=True), shared.index)
        rises = left[off] - right[off]
        one_way = len(rises) > 0 and (np.all(rises > 0) or np.all(rises < 0))
        how = _unit(left[off], right[off]) or (_direction(rises[0]) if one_way else "is off")
    if not off.any():
        return []
    if off.all():
        return [f"{name} {how} everywhere"]
    n = _rows(int(off.sum()))
    return [f"{name} {how} in {n} of {len(shared):,}, such as where {_place(shared[off], key)}"]


def _alike(answer: pd.Series, right: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Both columns as numbers, times or texts, as the right one is."""
    if pd.api.types.is_numeric_dtype(right):
        return pd.to_numeric(answer, errors="coerce").astype(float), right.astype(float)
    if pd.api.types.is_datetime64_any_dtype(right):
        return pd.to_datetime(answer, errors="coerce").astype("datetime64[us]"), right.astype(
            "datetime64[us]"
        )
    return answer.map(str, na_action="ignore"), right.map(str, na_action="ignore")


def _is_close(value: float, expected: float) -> bool:
    return bool(np.isclose(value, expected, 1e-6, 1e-9, equal_nan=True))


def _unit(given: np.ndarray, expected: np.ndarray) -> str:
    """Whether all numbers are shares in the place of percent, or the other way round."""
    if len(given) and np.any(given != 0):
        if np.allclose(100 * given, expected):
            return "is a share where percent is asked for"
        if np.allclose(given, 100 * expected):
            return "is in percent where a share is asked for"
    return ""


def _direction(difference: float) -> str:
    return "is too high" if difference > 0 else "is too low"


def _rows(n: int) -> str:
    return f"{n:,} row" if n == 1 else f"{n:,} rows"


def _place(rows: pd.DataFrame, key: list[str]) -> str:
    """The first of the rows, by its key."""
    first = rows.iloc[0]
    return " and ".join(
        f"{name} is {first[name]:g}"
        if isinstance(first[name], float)
        else f"{name} is {first[name]}"
        for name in key
    )
