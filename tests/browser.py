"""Debian's Chromium, and a page of it that complains: of errors, and of any use of a network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

HOW_TO_GET_IT = "Chromium is not installed: run 'bash tests/run.sh', or apt-get install chromium"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCAL = ("file:", "data:", "blob:", "about:")


@contextmanager
def started() -> Iterator[Browser]:
    """A browser, gone with the block."""
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError(HOW_TO_GET_IT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own; raises AssertionError at the end if it complained."""
    complaints: list[str] = []
    context = browser.new_context(offline=True)
    context.set_default_timeout(10_000)
    context.on(
        "console",
        lambda said: complaints.append(f"console: {said.text}") if said.type == "error" else None,
    )
    context.on("weberror", lambda raised: complaints.append(f"error: {raised.error}"))
    context.on(
        "request",
        lambda asked: None if asked.url.startswith(LOCAL) else complaints.append(asked.url),
    )
    page = context.new_page()
    page.on("websocket", lambda socket: complaints.append(socket.url))
    yield page
    context.close()
    assert not complaints, "\n".join(complaints)
