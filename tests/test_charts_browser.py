"""The charts' HTML in a browser, from a folder and without a network: drawn, told, pointed at."""

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page

from analyses import gallery

pytestmark = pytest.mark.slow

Open = Callable[..., None]

# A place at which nothing lies over a mark of the selector, else null.
TOUCHABLE = """([selector, nth]) => {
    let found = 0;
    for (const mark of document.querySelectorAll(selector)) {
        const length = mark.getTotalLength?.() ?? 0;
        if (!length) continue;
        const box = mark.getBBox();
        const places = [{x: box.x + box.width / 2, y: box.y + box.height / 2}];
        for (let part = 0; part < 50; part++)
            places.push(mark.getPointAtLength(part / 50 * length));
        const toScreen = mark.getScreenCTM();
        for (const place of places) {
            const {x, y} = new DOMPoint(place.x, place.y).matrixTransform(toScreen);
            if (document.elementFromPoint(x, y) === mark) {
                if (found++ === nth) return {x, y};
                break;
            }
        }
    }
    return null;
}"""
# Texts that reach over the edge of the picture.
CLIPPED = """() => {
    const picture = document.querySelector("svg.marks").getBoundingClientRect();
    return [...document.querySelectorAll("svg.marks text")].filter(text => {
        const box = text.getBoundingClientRect();
        return box.width && (box.left < picture.left - 1 || box.right > picture.right + 1
            || box.top < picture.top - 1 || box.bottom > picture.bottom + 1);
    }).map(text => text.textContent);
}"""
LINE, DOT, BAR = (f"svg.marks .mark-{m}.role-mark path" for m in ("line", "symbol", "rect"))
WIDE = f"{LINE}[stroke-width='8']"


@pytest.fixture
def opened(page: Page, simulated: duckdb.DuckDBPyConnection, tmp_path: Path) -> Open:
    """Show a chart of the simulated mice."""

    def opened(name: str) -> None:
        file = tmp_path / f"{name}.html"
        gallery.save(gallery.draw(simulated, name), file)
        page.set_viewport_size({"width": 1280, "height": 1400})
        page.goto(file.as_uri())
        page.wait_for_selector("svg.marks")

    return opened


def looks(page: Page) -> str:
    return page.locator("svg.marks").inner_html()


def touch(page: Page, selector: str, nth: int = 0) -> tuple[float, float]:
    """Move the pointer to a mark that can be touched; returns the place."""
    place = page.evaluate(TOUCHABLE, [selector, nth])
    assert place, f"no mark {selector} can be touched"
    page.mouse.move(place["x"], place["y"])
    return place["x"], place["y"]


def become(page: Page, condition: str, *values: object) -> None:
    """Wait until a condition holds, which the browser may take a frame or two for."""
    page.wait_for_function(condition, arg=list(values))


def told(page: Page) -> str:
    """The words of the tooltip."""
    return page.locator("#vg-tooltip-element.visible").inner_text()


CHANGED = "([before]) => document.querySelector('svg.marks').innerHTML !== before"
SAME = "([before]) => document.querySelector('svg.marks').innerHTML === before"


@pytest.mark.parametrize("name", gallery.names())
def test_a_chart_is_drawn_whole_and_told_in_words(name: str, opened: Open, page: Page) -> None:
    opened(name)

    assert page.evaluate(CLIPPED) == []
    words = page.locator("[role=graphics-document]").get_attribute("aria-label")
    title = page.evaluate("spec.title")
    assert all(line in words for line in (title["text"], *title["subtitle"]))
    assert re.search(r"\d", words) and "SIMULATED DATA" in words


@pytest.mark.parametrize(
    ("name", "mark", "words"),
    [
        ("learning_curves", WIDE, ("mouse", "training day", "easy correct, %")),
        ("psychometric_curves", WIDE, ("mouse", "threshold, %", "lapse left")),
        ("days_to_trained", DOT, ("mouse", "days", "trials")),
        ("variability_across_labs", DOT, ("mouse", "laboratory")),
        ("choice_history", f"{DOT}[fill-opacity='1']", ("mouse", "with blocks")),
        ("choice_history", f"{DOT}[fill-opacity='0']", ("mouse", "basic")),
        ("growth", "svg.marks .mark-path path", ("date", "mice", "trials")),
    ],
)
def test_pointing_at_a_mark_tells_about_it_and_brings_it_out(
    name: str, mark: str, words: tuple[str, ...], opened: Open, page: Page
) -> None:
    opened(name)
    before = looks(page)

    touch(page, mark)

    become(page, CHANGED, before)
    assert all(word in told(page) for word in words)
    page.mouse.move(1, 1)
    become(page, SAME, before)
    assert page.locator("#vg-tooltip-element.visible").count() == 0


@pytest.mark.parametrize("name", ["bias_shift", "chronometric_curves"])
def test_pointing_at_a_mouse_between_two_contrasts_brings_it_out(
    name: str, opened: Open, page: Page
) -> None:
    opened(name)
    before = looks(page)

    touch(page, WIDE)

    become(page, CHANGED, before)


def test_pointing_at_a_laboratory_shows_its_curve(opened: Open, page: Page) -> None:
    opened("training_probability")
    thick = f"{LINE}[stroke-width='3.5']"
    all_mice = page.locator(thick).get_attribute("stroke")
    # the laboratories' points lie over those of all mice
    for nth in range(20):
        touch(page, DOT, nth)
        if "laboratory all" not in " ".join(told(page).split()):
            break

    become(
        page, "([s, c]) => document.querySelector(s).getAttribute('stroke') !== c", thick, all_mice
    )
    assert all(word in told(page) for word in ("laboratory", "trained", "mice at risk"))
    assert page.locator(thick).count() == 1


@pytest.mark.parametrize(("name", "dim"), [("session_hours", "0.3"), ("sessions_per_lab", "0.15")])
def test_a_click_brings_out_a_laboratory_and_two_end_it(
    name: str, dim: str, opened: Open, page: Page
) -> None:
    opened(name)
    dimmed = page.locator(f"{BAR}[opacity='{dim}']")
    assert dimmed.count() == 0

    place = touch(page, BAR)
    page.mouse.click(*place)
    become(page, "([s]) => document.querySelector(s)", f"{BAR}[opacity='{dim}']")
    assert dimmed.count() < page.locator(BAR).count()

    page.mouse.dblclick(*place)
    become(page, "([s]) => !document.querySelector(s)", f"{BAR}[opacity='{dim}']")


def test_a_click_in_the_legend_brings_out_a_laboratory(opened: Open, page: Page) -> None:
    opened("training_funnel")

    page.locator("svg.marks .role-legend-symbol path").first.click()

    become(page, "([s]) => document.querySelector(s)", f"{BAR}[opacity='0.2']")
    assert page.locator(f"{BAR}[opacity='1']").count() > 0


def test_the_wheel_zooms_into_dates(opened: Open, page: Page) -> None:
    opened("sessions_per_day")
    touch(page, BAR)
    before = looks(page)
    dates = page.locator("svg.marks .role-axis-label").all_text_contents()

    page.mouse.wheel(0, -300)

    become(page, CHANGED, before)
    assert page.locator("svg.marks .role-axis-label").all_text_contents() != dates
