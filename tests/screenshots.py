"""Pictures of a report to look at: python tests/screenshots.py ibl.duckdb pictures.

A report is made of the mirror, and eight of its pages are taken as on a desk, on a phone, in the
dark and in print, each in full, into a folder.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import browser
from playwright.sync_api import Page

from mirror.report import build

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


def places(folder: Path) -> dict[str, str]:
    """Eight pages of a report: by name, their address; of mice the one with most to show."""
    mouse = max((folder / "data/mice").iterdir(), key=lambda file: file.stat().st_size).stem
    return {
        "index": "index.html",
        "mice": "mice.html",
        "sessions": "sessions.html",
        "mouse": f"mice/{mouse}.html",
        "compare": "compare.html",
        "dictionary": "dictionary.html#trials",
        "check": "check.html",
        "chart": "charts/learning_curves.html",
    }


def settled(page: Page) -> None:
    """Wait until every chart of the page is drawn."""
    page.wait_for_load_state()
    for chart in page.locator(".chart").all():
        chart.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('.chart')].every((chart) => chart.matches('.drawn'))"
    )
    page.evaluate("scrollTo(0, 0)")


def taken(folder: Path, pictures: Path) -> Iterator[Path]:
    """Take the pictures of a report, one after the other."""
    looks = {
        "desk": (DESK, "light"),
        "phone": (PHONE, "light"),
        "dark": (DESK, "dark"),
    }
    with browser.started() as chromium, browser.opened(chromium) as page:
        for name, place in places(folder).items():
            for look, (size, scheme) in looks.items():
                page.set_viewport_size(size)
                page.emulate_media(color_scheme=scheme, media="screen")
                page.goto("about:blank")
                page.goto(f"{folder.as_uri()}/{place}")
                settled(page)
                file = pictures / f"{name}_{look}.png"
                page.screenshot(path=file, full_page=name not in ("dictionary",))
                yield file
            # not scrolled: what is not in sight must be on paper too
            page.emulate_media(color_scheme="light", media="screen")
            page.set_viewport_size(DESK)
            page.goto("about:blank")
            page.goto(f"{folder.as_uri()}/{place}")
            page.wait_for_function(
                "[...document.querySelectorAll('.chart')].every((c) => c.matches('.drawn'))"
            )
            page.pdf(path=pictures / f"{name}_print.pdf", format="A4")
            yield pictures / f"{name}_print.pdf"


if __name__ == "__main__":
    database, pictures = sys.argv[1], Path(sys.argv[2])
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        made = build(database, Path(work) / "report").parent
        for file in taken(made, pictures):
            print(file)
