"""The report: its pages are whole, say what the mirror says, and work in Chromium from a folder."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb
import pytest
import screenshots
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from analyses import gallery
from mirror import connect
from mirror.background import beside
from mirror.errors import MirrorError, UsageError
from mirror.folders import replacing
from mirror.report import MARK, build
from mirror.sources.demo import DemoSource
from mirror.syncing import Options, sync

pytestmark = pytest.mark.slow

TABLES = ("mice", "sessions", "daily")
PAGES = ("index", *TABLES, "compare", "check", "dictionary")
PHONE = {"width": 360, "height": 740}
# A name that a page must show and not obey.
WICKED = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "demo.duckdb"
    source = DemoSource(6)
    sync(source, file)
    source.close()
    with duckdb.connect(str(file)) as con:
        con.execute(
            "update subject.subject set subject_nickname = ? where subject_uuid = ("
            " select min(subject_uuid) from subjects where is_alive)",
            [WICKED],
        )
    return file


@pytest.fixture(scope="module")
def folder(file: Path) -> Path:
    return build(file, file.with_name("pages")).parent


@pytest.fixture(scope="module")
def con(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(file) as connection:
        yield connection


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return con.execute(query).fetchall()


def value(con: duckdb.DuckDBPyConnection, query: str) -> object:
    [(found,)] = rows(con, query)
    return found


def cells(page: Page, column: int) -> list[str]:
    return page.locator(f"tbody tr td:nth-child({column})").all_inner_texts()


def info(page: Page) -> str:
    return page.locator(".dt-info").inner_text()


def longest_trained(con: duckdb.DuckDBPyConnection) -> tuple:
    """Page and nickname of the mouse with most trials, whose nickname is harmless."""
    [found] = rows(
        con,
        "select subject_nickname, subject_uuid from sessions_by_subject"
        f" where subject_nickname <> '{WICKED}' order by n_trials desc limit 1",
    )
    return found


# the folder


def test_every_mouse_and_chart_has_a_page(folder: Path, con: duckdb.DuckDBPyConnection) -> None:
    n_mice = value(con, "select count(*) from subjects")

    assert (
        len(list(folder.glob("mice/*.html"))) == len(list(folder.glob("data/mice/*.js"))) == n_mice
    )
    assert sorted(page.stem for page in folder.glob("charts/*.html")) == gallery.names()
    assert {page.stem for page in folder.glob("*.html")} == {*PAGES, "session"}


def test_vega_is_there_once(folder: Path) -> None:
    scripts = [script for script in folder.rglob("*.js") if "vegaEmbed=" in script.read_text()]

    assert [script.name for script in scripts] == ["vega.js"]
    assert all("<script>" not in page.read_text() for page in folder.rglob("*.html"))


def test_every_page_says_that_the_data_are_simulated(folder: Path) -> None:
    assert all("Simulated data" in page.read_text() for page in folder.rglob("*.html"))


def test_links_lead_to_pages_that_are_there(folder: Path) -> None:
    for page in folder.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#]+)', page.read_text()):
            assert link.startswith("data:") or (page.parent / link).exists(), (page, link)


def test_numbers_of_the_overview(folder: Path, con: duckdb.DuckDBPyConnection) -> None:
    text = (folder / "index.html").read_text()
    shown = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", text))

    assert shown["mice"] == "6"
    assert shown["sessions"] == f"{value(con, 'select count(*) from sessions'):,}"
    assert shown["trials"] == f"{value(con, 'select count(*) from trials'):,}"
    counted = value(con, "select sum(stored_n_trials)::bigint from sessions")
    assert shown["trials the server counted"] == f"{counted:,}"
    assert shown["last session"] == str(value(con, "select max(session_date) from sessions"))


def test_a_folder_of_something_else_is_left_alone(file: Path, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("mine")

    with pytest.raises(UsageError, match="letters is there and no report"):
        build(file, tmp_path / "letters")

    assert [entry.name for entry in tmp_path.rglob("*")] == ["letters", "dear.txt"]


def test_a_folder_that_cannot_be_is_told(file: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")

    with pytest.raises(MirrorError, match=r"letter/report cannot be written \(Not a directory\)"):
        build(file, tmp_path / "letter" / "report")

    assert (tmp_path / "letter").read_text() == "mine"


def test_a_report_that_fails_leaves_the_earlier_one(
    folder: Path, file: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.duckdb"
    shutil.copyfile(file, broken)
    with duckdb.connect(str(broken)) as con:
        con.execute("drop view psychometrics_by_block")
    earlier = shutil.copytree(folder, tmp_path / "report")
    before = (earlier / "index.html").read_bytes()

    with pytest.raises(UsageError, match=r"psychometrics_by_block.*'mirror status' says why"):
        build(broken, earlier)

    assert (earlier / "index.html").read_bytes() == before
    assert sorted(e.name for e in tmp_path.iterdir()) == ["broken.duckdb", "report"]


def test_of_a_mirror_that_derives_nothing_no_trials_are_told(tmp_path: Path) -> None:
    file = tmp_path / "copied.duckdb"
    source = DemoSource(2)
    sync(source, file, with_derived=False)
    source.close()
    build(file, tmp_path / "report")

    [page, *_] = sorted((tmp_path / "report" / "mice").glob("*.html"))
    for fact in ("of them with trials", "trials"):
        assert f'<dt>{fact}</dt><dd><span class="none">not known</span></dd>' in page.read_text()


def test_a_mirror_without_sessions_has_a_report(tmp_path: Path, page: Page) -> None:
    file = tmp_path / "empty.duckdb"
    source = DemoSource(5)
    sync(source, file, Options(since=date(2030, 1, 1)))
    source.close()
    first = build(file, tmp_path / "report")
    mouse = min((first.parent / "mice").iterdir())

    for where in (first, *(first.with_name(f"{name}.html") for name in PAGES[1:]), mouse):
        page.goto(where.as_uri())
    expect(page.get_by_text("No sessions.")).to_be_visible()


def test_a_link_keeps_leading_to_the_report(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    link = tmp_path / "report"
    link.symlink_to("shared")
    for words in ("first", "second"):
        with replacing(link, MARK, "report", "-o") as work:
            (work / MARK).parent.mkdir()
            (work / MARK).touch()
            (work / "index.html").write_text(words)

        assert link.is_symlink() and (tmp_path / "shared/index.html").read_text() == words
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["report", "shared"]


# the command


def test_a_mirror_without_weighings_has_a_report_without_them(file: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.duckdb"
    shutil.copyfile(file, bare)
    with duckdb.connect(str(bare)) as con:
        con.execute("drop view weights_and_water")
    first = build(bare, tmp_path / "report")

    assert "mouse_weights cannot be drawn from this mirror" in first.read_text()
    assert not (tmp_path / "report" / "charts" / "mouse_weights.html").exists()
    assert "Weight and water" not in next((tmp_path / "report" / "mice").iterdir()).read_text()


def test_the_command_replaces_an_earlier_report(file: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "report"
    (earlier / "assets").mkdir(parents=True)
    (earlier / "assets" / "report.js").touch()
    (earlier / "stale.html").touch()
    done = subprocess.run(
        [sys.executable, "-m", "mirror", "report", "--database", str(file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "report/index.html\n")
    assert (earlier / "index.html").exists() and not (earlier / "stale.html").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["report"]


def test_an_error_is_told_while_another_question_is_still_asked() -> None:
    def ask(cursor: duckdb.DuckDBPyConnection) -> None:
        while True:
            cursor.execute("select count(*) from range(100_000_000) as r(x) where x % 7 = 3")

    with (
        duckdb.connect() as con,
        pytest.raises(ValueError, match="this one"),
        beside(con, ask),
    ):
        time.sleep(0.1)
        raise ValueError("this one")


def test_an_interrupted_report_leaves_nothing(file: Path, tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "mirror", "report", "--database", str(file)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(tmp_path.glob(".report.*.partial/charts/*.html")):
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)

    assert (running.returncode, said) == (130, "mirror: interrupted.\n")
    assert not list(tmp_path.iterdir())


def test_two_runs_into_one_folder_keep_apart(tmp_path: Path) -> None:
    other = (
        "from pathlib import Path; from mirror.folders import replacing\n"
        "with replacing(Path('report'), 'index.html', 'report', '-o') as work:\n"
        "    (work / 'index.html').touch()\n"
        "    (work / 'other.html').touch()\n"
    )
    with replacing(tmp_path / "report", "index.html", "report", "-o") as work:
        (work / "index.html").touch()
        subprocess.run([sys.executable, "-c", other], cwd=tmp_path, check=True)
        assert (tmp_path / "report" / "other.html").exists()

    assert [entry.name for entry in tmp_path.iterdir()] == ["report"]
    assert [entry.name for entry in (tmp_path / "report").iterdir()] == ["index.html"]


# in the browser


def test_filters_narrow_each_other_and_stay_in_the_address(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    [(lab, n)] = rows(
        con,
        "select lab_name, count(*) from subjects where lab_name is not null"
        " group by all order by 2 desc, 1 limit 1",
    )
    sexes = {
        sex for (sex,) in rows(con, f"select distinct sex from subjects where lab_name = '{lab}'")
    }
    page.goto((folder / "mice.html").as_uri())
    page.get_by_label("lab", exact=True).select_option(lab)

    assert set(cells(page, 2)) == {lab} and len(cells(page, 2)) == n
    options = page.get_by_label("sex", exact=True).locator("option").all_inner_texts()
    assert {option.split(" ")[0] for option in options} == {"all", *sexes}
    assert f"lab_name={lab}" in page.url

    page.get_by_label("sex", exact=True).select_option(min(sexes))
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    assert set(cells(page, 3)) == {min(sexes)} and set(cells(page, 2)) == {lab}

    page.get_by_role("button", name="clear all").click()
    assert len(cells(page, 1)) == 6


def test_a_table_is_sorted_and_searched(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    most, least = rows(con, "select max(n_trials), min(n_trials) from sessions_by_subject")[0]
    page.goto((folder / "mice.html").as_uri())
    trials = page.get_by_role("columnheader", name="trials")
    first = page.locator("tbody tr:first-child td:nth-child(12)")
    trials.click()
    expect(first).to_have_text(f"{least:,}")
    trials.click()
    expect(first).to_have_text(f"{most:,}")
    page.wait_for_url("**order=n_trials.desc")
    trials.click()
    page.wait_for_url("**#order=n_trials.asc")

    nickname, _ = longest_trained(con)
    page.get_by_label("search").fill(nickname)
    expect(page.locator("tbody tr td:nth-child(1)")).to_have_text([nickname])


def test_sessions_by_date_and_flag(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    [(day,)] = rows(con, "select median(session_date)::date from sessions")
    page.goto((folder / "sessions.html").as_uri())
    page.get_by_label("from", exact=True).fill(str(day))
    page.get_by_label("to", exact=True).fill(str(day))
    assert set(start[:10] for start in cells(page, 1)) == {str(day)}

    page.get_by_role("button", name="clear all").click()
    first = cells(page, 1)[0]
    page.get_by_label("Next").click()
    page.wait_for_url("**page=2")
    page.get_by_role("link", name=cells(page, 1)[0]).click()
    page.go_back()
    assert cells(page, 1)[0] != first and page.url.endswith("page=2")

    page.get_by_label("quality flags", exact=True).select_option("missing_stim_on")
    n = value(
        con,
        "select count(*) from session_quality"
        " where list_contains(string_split(flags, ','), 'missing_stim_on')",
    )
    assert info(page).startswith("Showing") and f" of {n:,} entries" in info(page)


def test_the_daily_summary_has_the_living_with_their_latest_session(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    latest = rows(
        con,
        "select mouse.subject_nickname, coalesce(max(session_start_time)::varchar, '')"
        " from subjects as mouse left join sessions using (subject_uuid)"
        " where is_alive group by mouse.subject_uuid, mouse.subject_nickname",
    )
    page.goto((folder / "daily.html").as_uri())

    assert sorted(zip(cells(page, 2), cells(page, 3), strict=True)) == sorted(latest)


def test_from_a_mouse_to_its_figures_and_neighbours(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    nickname, uuid = longest_trained(con)
    page.goto((folder / "mice.html").as_uri())
    page.get_by_role("link", name=nickname).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(nickname)
    expect(page.get_by_text(str(uuid), exact=True)).to_be_visible()
    n_days = value(con, f"select count(*) from days where subject_uuid = '{uuid}' and n_trials > 0")
    expect(page.get_by_text(re.compile(f"^{n_days} days with"))).to_be_visible()

    drawn_through(page)
    names = [drawn.get_attribute("aria-label") for drawn in page.locator(PICTURES).all()]
    assert len(names) == 5 and all(nickname in (name or "") for name in names)

    # a point of the first figure says its date under the pointer
    page.locator('[data-spec="progress"] .mark-symbol path').nth(8).hover(force=True)
    expect(page.locator("#vg-tooltip-element")).to_contain_text("date")

    neighbour = page.locator(".neighbours [rel=prev], .neighbours [rel=next]").first
    name = neighbour.inner_text().strip("←→ ")
    neighbour.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_from_a_mouse_to_a_session_and_the_next(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    nickname, uuid = longest_trained(con)
    starts = [
        start
        for (start,) in rows(
            con,
            "select session_start_time::varchar from sessions"
            f" where subject_uuid = '{uuid}' order by 1 desc",
        )
    ]
    page.goto(next(folder.glob(f"mice/{nickname}.html")).as_uri())
    page.get_by_role("link", name=starts[2]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{nickname}, {starts[2]}")
    drawn_through(page)
    assert page.locator(".chart.drawn").count() == 3

    page.locator("[rel=next]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{nickname}, {starts[1]}")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{nickname}, {starts[2]}")

    page.goto((folder / "session.html").as_uri() + f"#{nickname}/1999-01-01")
    expect(page.get_by_text("has no session of 1999-01-01")).to_be_visible()


def test_two_mice_are_compared_on_one_pair_of_axes(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    first, second, third = (
        name
        for (name,) in rows(
            con,
            "select subject_nickname from sessions_by_subject"
            f" where subject_nickname <> '{WICKED}' order by n_trials desc limit 3",
        )
    )
    page.goto((folder / "compare.html").as_uri())
    # two mice are there to begin with
    page.get_by_label("the first mouse").select_option(first)
    page.get_by_label("the second mouse").select_option(second)
    expect(page.locator("thead th")).to_have_text(["fact", first, second])
    expect(page.locator(".chart.drawn")).to_have_count(1)
    expect(page.get_by_label(f"{first} and {second} by training day")).to_be_visible()
    legend = page.locator(".chart .role-legend-label text")
    expect(legend.filter(has_text=second).first).to_be_visible()
    assert page.url.endswith(f"#{first},{second}")

    page.evaluate(f"location.hash = '{third},{first}'")
    expect(page.locator("thead th")).to_have_text(["fact", third, first])
    page.get_by_role("link", name=third).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(third)


def test_a_comparison_begins_with_the_mice_of_most_trials(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    """It opened empty."""
    most = rows(
        con, "select subject_nickname from sessions_by_subject order by n_trials desc limit 2"
    )
    page.goto((folder / "compare.html").as_uri())
    expect(page.locator("thead th")).to_have_text(["fact", *(name for (name,) in most)])


def test_sessions_with_trials_come_first(folder: Path, page: Page) -> None:
    """The newest had none: three columns of nothing."""
    page.goto((folder / "sessions.html").as_uri())
    assert all(cells(page, 8))
    assert "order" not in page.url


def test_a_chart_says_how_it_is_asked_for_and_hands_over_its_rows(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    page.goto((folder / "charts/growth.html").as_uri())
    page.get_by_text("this chart in SQL").click()
    sql = page.locator(".tools pre").inner_text()
    n = len(con.execute(sql).fetchall())
    with page.expect_download() as download:
        page.get_by_role("button", name="this chart as CSV").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert download.value.suggested_filename == "growth.csv"
    assert lines[0].startswith("session_date,n_mice") and len(lines) == n + 1


def test_a_figure_of_a_mouse_is_asked_for_by_its_uuid(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    nickname, uuid = longest_trained(con)
    page.goto(next(folder.glob(f"mice/{nickname}.html")).as_uri())
    figure = page.locator("figure", has=page.locator('[data-spec="progress"]'))
    drawn_through(page)
    figure.get_by_text("this chart in SQL").click()
    sql = figure.locator(".tools pre").inner_text()
    assert f"'{uuid}'" in sql and "$" not in sql
    first, _ = duckdb.extract_statements(sql)
    n = value(con, f"select count(*) from days where subject_uuid = '{uuid}' and n_trials > 0")
    assert len(con.execute(first).fetchall()) == n


def test_a_table_hands_over_the_rows_that_its_filters_leave(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    page.goto((folder / "mice.html").as_uri() + "#sex=F")
    with page.expect_download() as download:
        page.get_by_role("button", name="this table as CSV").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) - 1 == value(con, "select count(*) from subjects where sex = 'F'")
    page.get_by_text("this table in SQL").click()
    assert len(con.execute(page.locator(".tools pre").inner_text()).fetchall()) == 6


def test_published_figures_stand_beside_what_is_computed(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    page.goto((folder / "check.html").as_uri())
    n = value(con, "select count(*) from published_figures")
    expect(page.locator("tbody tr")).to_have_count(int(str(n)))
    mice = page.locator("tbody tr", has_text="mice, mice")
    expect(mice).to_contain_text("140")
    query = mice.locator("pre").text_content()
    n_mice = value(con, "select count(*) from cohorts where cohort = 'paper'")
    assert query and con.execute(query).fetchall() == [(n_mice,)]


def test_the_dictionary_says_what_columns_hold(folder: Path, page: Page) -> None:
    page.goto((folder / "dictionary.html").as_uri() + "#sessions")
    row = page.locator("#sessions tbody tr", has_text="task_protocol")
    expect(row.locator(".holds")).to_contain_text("values")
    trials = page.locator(
        "#sessions tbody tr", has=page.locator("th", has_text=re.compile("^n_trials$"))
    )
    expect(trials.locator(".holds rect")).to_have_count(12)


def test_paper_has_the_banner_and_charts_that_nobody_scrolled_to(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    nickname, _ = longest_trained(con)
    page.goto(next(folder.glob(f"mice/{nickname}.html")).as_uri())
    n = page.locator(".chart").count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".chart.drawn")).to_have_count(n)
    page.emulate_media(media="print")
    expect(page.locator(".simulated")).to_be_visible()
    expect(page.locator("header nav")).to_be_hidden()


def test_pages_are_dark_where_the_reader_wants_it(folder: Path, page: Page) -> None:
    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    page.emulate_media(color_scheme="dark")
    page.goto((folder / "mice.html").as_uri())
    assert ground() == "rgb(24, 24, 23)"
    page.emulate_media(color_scheme="light")
    assert ground() == "rgb(255, 255, 255)"


@pytest.mark.parametrize(
    "place, shown",
    [
        ("session.html#%E0%A4%A/2019", "Choose one of the sessions"),
        ("session.html#one", "Choose one of the sessions"),
        ("compare.html#%E0%A4%A", "Facts of both mice"),
        ("dictionary.html#%E0%A4%A", "Every view and table"),
        ("mice.html#order=%E0%A4%A.up&lab_name=nowhere", "Showing 0 to 0"),
    ],
)
def test_a_mistyped_address_still_has_a_page(
    folder: Path, page: Page, place: str, shown: str
) -> None:
    page.goto(f"{folder.as_uri()}/{place}")
    expect(page.locator("main")).to_contain_text(shown)


def test_the_way_to_the_content_keeps_what_was_chosen(folder: Path, page: Page) -> None:
    page.goto((folder / "mice.html").as_uri() + "#sex=F&order=n_trials.desc")
    page.get_by_role("link", name="To the content").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    assert "sex=F" in page.url and set(cells(page, 3)) <= {"F"}


def test_the_dictionary_is_searched(
    folder: Path, con: duckdb.DuckDBPyConnection, page: Page
) -> None:
    page.goto((folder / "dictionary.html").as_uri())
    n = value(
        con,
        "select count(*) from (select schema_name, table_name from duckdb_tables() union all"
        " select schema_name, view_name from duckdb_views() where not internal)",
    )
    assert page.locator(".definition").count() == n

    page.get_by_label("search names and comments").fill("local_hour")
    expect(page.locator("#sessions tbody tr:visible")).to_have_count(1)
    expect(page.locator("#sessions tbody tr:visible")).to_contain_text("hours since local midnight")
    expect(page.locator("#subjects")).to_be_hidden()


def test_names_are_words_and_no_markup(folder: Path, page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"the page obeyed a name: {dialog.message}"))
    for table in TABLES:
        page.goto((folder / f"{table}.html").as_uri())
        page.get_by_label("search").fill("onerror")
        expect(page.get_by_role("link", name=WICKED).first).to_be_visible()
    page.get_by_role("link", name=WICKED).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WICKED)
    drawn_through(page)
    assert not page.locator("img[src=x]").count()


@pytest.mark.parametrize("width", [1280, PHONE["width"]])
def test_pages_are_named_and_fit(folder: Path, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": PHONE["height"]})
    mouse = max((folder / "data" / "mice").iterdir(), key=lambda file: file.stat().st_size).stem
    session = json.loads(
        re.search(
            r'"sessions": (\{.*\}), "measures"', (folder / "data/mice" / f"{mouse}.js").read_text()
        )[1]
    )
    start = session["data"][1][session["columns"].index("session_start_time")]
    places = [
        *(f"{name}.html" for name in PAGES),
        f"mice/{mouse}.html",
        f"session.html#{mouse}/{start}",
        "charts/learning_curves.html",
        "charts/days_to_trained.html",
    ]
    for place in places:
        page.goto(f"{folder.as_uri()}/{place}")
        drawn_through(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, place
        assert page.get_by_role("heading", level=1).count() == 1
        assert page.evaluate(UNNAMED) == [], place


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_out_of_a_page(
    folder: Path, page: Page, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    found = []
    for name, place in screenshots.places(folder).items():
        page.goto(f"{folder.as_uri()}/{place}")
        screenshots.settled(page)
        # a page of a folder may not fetch its style sheets, which axe would
        response = Axe().run(page, options={"preload": False}).response
        found += [
            (name, rule["id"], rule["nodes"][0]["html"][:120])
            for rule in response["violations"]
            if rule["impact"] in ("serious", "critical")
        ]
    assert found == []


# What Vega draws, named by what it shows.
PICTURES = "[role=graphics-document]"
# What a screen reader would have no name for.
UNNAMED = """
[...document.querySelectorAll(
    "select, input, button, a[href], img, [role=graphics-document], [role=region]"
)].filter((element) => {
    const isPicture = element.getAttribute("role") === "graphics-document";
    const named = element.getAttribute("aria-label") || element.getAttribute("alt") !== null
        || element.title || (!isPicture && element.textContent.trim()) || element.labels?.length;
    return !named;
}).map((element) => element.outerHTML.slice(0, 120))
"""


def drawn_through(page: Page) -> None:
    """Scroll to the end, so that every chart is drawn."""
    for chart in page.locator(".chart").all():
        chart.scroll_into_view_if_needed()
        expect(chart).to_have_class(re.compile("drawn"))
