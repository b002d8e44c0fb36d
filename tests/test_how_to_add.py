"""The recipes of the READMEs, followed word for word in a copy, which the tests then accept."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mirror import connect

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TREES = ("analyses", "mirror", "sql", "tests")
MOST_LINES = 10
PYTEST = ("pytest", "-q", "-n", "0", "-p", "no:cacheprovider")

WEEKDAYS = """\
-- Grain: one row per day of the week with sessions.
--
-- Sources: sessions.
create or replace view weekdays as

select
    weekday,
    count(*) as n_sessions
from sessions
group by weekday;

comment on view weekdays is
'One row per day of the week with sessions: how many there are.';

comment on column weekdays.weekday is
'English name of the day of the week, Monday to Sunday.';
comment on column weekdays.n_sessions is
'Sessions on that day, with or without trials.';
"""
WEEKDAYS_TEST = """

def test_sessions_are_counted_by_weekday(con):
    add_mouse(con)
    add_session(con, MONDAY)
    add_session(con, MONDAY.replace(hour=15))
    assert rows(con, "from weekdays") == [("Monday", 2)]
"""
MICE_BY_SEX = '''\
"""Mice by sex: how many there are of each, one bar for females, males and unknown.

To take from it: whether the mice of a question are of both sexes. There is no published figure.
"""

from typing import Any

import altair as alt
import duckdb

from .style import ask, counted, finished, nothing

TITLE = "Mice by sex"
MICE = """
select sex, count(*) as n_mice
from subjects
where $lab is null or lab_name = $lab
group by sex
"""


def chart(con: duckdb.DuckDBPyConnection, lab: str | None = None) -> Any:
    """Draw all mice, or those of one lab."""
    mice = ask(con, MICE, lab=lab)
    if mice.empty:
        return nothing(con, TITLE, "no mice match")
    bars = alt.Chart(mice).mark_bar().encode(x="n_mice:Q", y="sex:N").properties(width=300)
    return finished(con, bars, TITLE, counted(int(mice["n_mice"].sum()), "mouse", "mice"))
'''
MICE_BY_SEX_TEST = """

def test_mice_are_counted_by_sex(three_mice):
    from analyses import mice_by_sex

    drawn = gallery.draw(three_mice, "mice_by_sex").to_dict()
    assert mice_by_sex.TITLE == drawn["title"]["text"]
    assert list(drawn["datasets"].values()) == [[{"sex": "F", "n_mice": 3}]]
"""
MICE_BY_SEX_ROW = (
    "| [`mice_by_sex`](mice_by_sex.py)"
    " | Mice by sex: how many there are of each, one bar for females, males and unknown"
    ' | <img src="images/mice_by_sex.png" width="360" alt="mice_by_sex"> |\n'
)
NVL2 = """

@function(as_is, integer, integer, returns=INTEGER)
def nvl2(a: Typed, known: str, unknown: str) -> str:
    return f"case when {a.sql} is null then {unknown} else {known} end"
"""
NVL2_PAIR = """
-- NVL2 tells what is NULL
select nvl2(word, tiny, 0) as x from specimen;
select case when t0."word" is null then 0 else cast(t0."tiny" as bigint) end as "x"
from "mirror"."action"."specimen" as t0;
"""
NVL2_TEMPLATE = '    (NUMBERS, "nvl2({}, 2, -1)"),\n'
NOTEBOOK = '''\
"""Laboratories as a notebook lists them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

import pyarrow as pa

from mirror.sources import Census, Parts, ReadAgain, Reading, Request, Share, Stamp
from mirror.tables import Column, LeftOut, Restriction, Table
from mirror.types import Conversion

LABS = (("danlab", "Berkeley"), ("zadorlab", "CSHL"))
LAB = Table(
    schema="reference",
    name="lab",
    mysql_schema="ibl_reference",
    mysql_table="#lab",
    comment="A laboratory.",
    columns=(
        Column("lab_name", "varchar(255)", nullable=False),
        Column("institution_short", "varchar(255)", nullable=False),
    ),
    primary_key=("lab_name",),
)


class NotebookSource:
    kind = "notebook"
    address = "a notebook"
    is_simulated = False
    is_whole = True
    plan = None

    def versions(self) -> Mapping[str, str]:
        return {}

    def schemas(self) -> Sequence[str]:
        return ("reference",)

    def tables(self) -> tuple[Sequence[Table], Sequence[LeftOut]]:
        return (LAB,), ()

    def hides(self, mysql_schema: str, mysql_table: str) -> bool:
        return False

    def subjects(self, names: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
        return {name: () for name in names}

    def prepare(self, tables: Sequence[Table], anew: bool) -> None: ...

    def stamps(self, tables: Sequence[Table]) -> Mapping[Table, Stamp]:
        return {}

    def checksums(self, tables: Sequence[Table]) -> Mapping[Table, str]:
        return {}

    def read_ahead(self, requests: Sequence[Request]) -> Collection[Table]:
        return ()

    def census(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        with_checksum: bool,
    ) -> Callable[[], Census]:
        return lambda: Census(len(LABS))

    def parts(self, table: Table, wanted: Restriction) -> Parts | None:
        return None

    def digests(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        by: Sequence[str],
        wanted: Restriction,
    ) -> Mapping[tuple[str, ...], Share]:
        raise ReadAgain

    def read(
        self,
        table: Table,
        columns: Mapping[str, Conversion],
        wanted: Restriction,
        batch_rows: int,
        keys: Sequence[Mapping[str, object]] | None = None,
    ) -> Reading:
        rows = pa.table(list(map(list, zip(*LABS))), names=list(columns))
        return Reading(columns, rows.schema, (batch for batch in rows.to_batches()))

    def close(self) -> None: ...
'''
NOTEBOOK_LINES = """\
    if kind == "notebook":
        from mirror.sources.notebook import NotebookSource

        return NotebookSource()
"""
INET4 = '    (r"inet4", Conversion("VARCHAR", select="cast({c} as char)")),\n'
INET4_VALUES = """        "inet4": {"'1.2.3.4'": "1.2.3.4"},\n"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree as it is here, to add to."""
    for tree in TREES:
        shutil.copytree(
            ROOT / tree, tmp_path / tree, ignore=shutil.ignore_patterns("__pycache__", "*.duckdb")
        )
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


@pytest.fixture
def run(copy: Path) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "MIRROR_DATABASE": ""},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def accepted(run: Callable[..., str]) -> Callable[..., None]:
    """Have the tests that a recipe names pass, those that are of what was added."""

    def accepted(recipe: str, chosen: str) -> None:
        [files] = re.findall(r"bash tests/run.sh ((?:tests/\w+\.py ?)+)", recipe)
        said = run(*PYTEST, *files.split(), "-k", chosen)
        assert re.search(r"^\d+ passed", said, re.MULTILINE), said

    return accepted


def recipe(readme: str, heading: str) -> str:
    """The steps under a heading."""
    text = (ROOT / readme).read_text("utf-8").partition(f"\n## {heading}\n\n")[2]
    steps = text.partition("\n\n")[0]
    assert steps.startswith("1. ")
    assert len(steps.splitlines()) <= MOST_LINES
    return steps


def insert(file: Path, before: str, text: str) -> None:
    """Put text before a line that is there, or at the end."""
    found = file.read_text("utf-8")
    place = found.index(before) if before else len(found)
    file.write_text(found[:place] + text + found[place:], "utf-8")


def changed(copy: Path) -> set[str]:
    """The files that are not as they are here."""
    return {
        str(file.relative_to(copy))
        for tree in TREES
        for file in (copy / tree).rglob("*")
        if file.is_file()
        and "__pycache__" not in file.parts
        and not (
            (here := ROOT / file.relative_to(copy)).exists()
            and here.read_bytes() == file.read_bytes()
        )
    }


def named(steps: str, copy: Path) -> set[str]:
    """The files that steps tell to write or to change, rather than to run."""
    told = set(re.findall(r"`((?:analyses|mirror|sql|tests)/[\w./]+\.\w+)`", steps))
    return {name for name in told if (copy / name).exists()}


def add_view(copy: Path) -> None:
    (copy / "sql/activity/weekdays.sql").write_text(WEEKDAYS)
    insert(copy / "tests/test_activity_views.py", "", WEEKDAYS_TEST)
    insert(copy / "sql/README.md", "`sessions_per_day`, `growth`", "`weekdays`, ")


def test_a_view(copy: Path, accepted: Callable[..., None]) -> None:
    steps = recipe("sql/README.md", "One more view")
    add_view(copy)

    assert changed(copy) == named(steps, copy)
    accepted(steps, "weekday and not session_hours")


@pytest.mark.parametrize(
    ("forgotten", "told"),
    {
        "tests/test_activity_views.py": "no test of its rows",
        "sql/README.md": "not in the table of sql/README.md",
    }.items(),
)
def test_a_view_is_refused_without(
    forgotten: str, told: str, copy: Path, run: Callable[..., str]
) -> None:
    add_view(copy)
    shutil.copy(ROOT / forgotten, copy / forgotten)
    with pytest.raises(AssertionError, match=told):
        run(
            *[
                "pytest",
                "-q",
                "-n",
                "0",
                "-p",
                "no:cacheprovider",
                "tests/test_view_rules.py",
                "-k",
                "weekdays",
            ]
        )


def test_a_stored_view(
    copy: Path, run: Callable[..., str], accepted: Callable[..., None], simulated_file: Path
) -> None:
    steps = recipe("sql/README.md", "One more stored view")
    [line] = re.findall(r"`(-- Stored: [^`]*)`", steps)
    add_view(copy)
    before = changed(copy)
    insert(copy / "sql/activity/weekdays.sql", "--\n", f"{line}\n")
    shutil.copy(simulated_file, copy / "demo.duckdb")
    run("mirror", "views", "--database", "demo.duckdb")
    with connect(copy / "demo.duckdb") as mirror:
        stored = "select is_stored from _mirror.views where view_name = 'weekdays'"
        assert mirror.execute(stored).fetchall() == [(True,)]

    assert changed(copy) == before
    assert named(steps, copy) == {"sql/activity/weekdays.sql"}
    accepted(steps, "weekdays")


def test_a_chart(copy: Path, accepted: Callable[..., None]) -> None:
    steps = recipe("analyses/README.md", "One more chart")
    (copy / "analyses/mice_by_sex.py").write_text(MICE_BY_SEX)
    insert(
        copy / "analyses/gallery.py", '        "sessions_per_lab",\n', '        "mice_by_sex",\n'
    )
    insert(copy / "analyses/README.md", "| [`sessions_per_lab`]", MICE_BY_SEX_ROW)
    insert(copy / "tests/test_charts_activity.py", "", MICE_BY_SEX_TEST)
    image = copy / "analyses/images/mice_by_sex.png"
    shutil.copy(image.with_stem("growth"), image)

    assert changed(copy) == named(steps, copy)
    accepted(steps, "by_sex or gallery")


def test_a_source(copy: Path, run: Callable[..., str], accepted: Callable[..., None]) -> None:
    steps = recipe("mirror/sources/README.md", "One more source")
    room = copy / "mirror/sources/notebook"
    room.mkdir()
    (room / "__init__.py").write_text(NOTEBOOK)
    choose = copy / "mirror/sources/choose.py"
    choose.write_text(choose.read_text().replace('"demo")\n', '"demo", "notebook")\n', 1))
    insert(choose, '    if kind == "demo":\n', NOTEBOOK_LINES)
    run("mirror", "sync", "--source", "notebook", "--database", "notebook.duckdb")
    with connect(copy / "notebook.duckdb") as mirror:
        rows = mirror.execute("from reference.lab").fetchall()

    assert rows == [("danlab", "Berkeley"), ("zadorlab", "CSHL")]
    assert changed(copy) == named(steps, copy)
    accepted(steps, "importing or module")


def test_a_function_of_mysql(copy: Path, accepted: Callable[..., None]) -> None:
    steps = recipe("mirror/serve/README.md", "One more function of MySQL")
    insert(copy / "mirror/serve/translate/numbers.py", "", NVL2)
    insert(copy / "tests/fixtures/translate/numbers.sql", "", NVL2_PAIR)
    insert(copy / "tests/test_serve_rules.py", '    (NUMBERS, "abs({})"', NVL2_TEMPLATE)

    assert changed(copy) == named(steps, copy)
    accepted(steps, "NVL2 or nvl2 or every_rule")


def test_a_type(copy: Path, accepted: Callable[..., None]) -> None:
    steps = recipe("mirror/README.md", "One more type")
    insert(copy / "mirror/types.py", '    (r"uuid", ', INET4)
    insert(copy / "tests/test_types.py", '        "inet6": {"\'::1\'"', INET4_VALUES)

    assert changed(copy) == named(steps, copy) - {"mirror/mysql_types.py"}
    accepted(steps, "edge_values")
