"""A notebook on a rig: without a network, and without the widgets that DuckDB would like."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import duckdb
import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import Page

from analyses import growth, learning_curves, training_funnel

pytestmark = pytest.mark.slow

# one of each way to put marks together
CHARTS = (growth, learning_curves, training_funnel)
CELLS = (
    """
import socket
def refuse(*_, **__):
    raise AssertionError("the network was reached for")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
""",
    """
import mirror
con = mirror.connect("demo.duckdb")
con.sql("select count(*) as mice from subjects").df()
""",
    *(
        f"from analyses import {name}\n{name}.chart(con)"
        for name in (chart.__name__.rpartition(".")[2] for chart in CHARTS)
    ),
    """
mirror.offline("demo.duckdb")
from nma_ibl import subject
len(subject.Subject())
""",
)
DRAWN = """() => {
    const pictures = [...document.querySelectorAll("svg.marks")];
    return pictures.length === 3 && pictures.every(svg => svg.querySelector(".role-mark path"));
}"""


@pytest.fixture(scope="module")
def results(
    simulated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[dict[str, Any]]]:
    """What each cell shows, by MIME type; raises where a cell fails."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "demo.duckdb").symlink_to(simulated_file)
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CELLS)))
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={**os.environ, "HOME": str(folder)})
    shown = [[output for output in cell.outputs if "data" in output] for cell in notebook.cells]
    yield [outputs[0].data if outputs else {} for outputs in shown]


def test_a_notebook_without_ipywidgets_opens_asks_and_goes_offline(
    results: list[dict[str, Any]],
) -> None:
    assert importlib.util.find_spec("ipywidgets") is None
    assert "6" in results[1]["text/plain"]
    assert results[-1]["text/plain"] == "6"


def test_charts_of_a_notebook_are_drawn_without_a_network(
    results: list[dict[str, Any]], page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "notebook.html"
    file.write_text("".join(result.get("text/html", "") for result in results[2:5]), "utf-8")

    page.goto(file.as_uri())

    page.wait_for_function(DRAWN)
    words = page.locator("body").inner_text()
    assert all(chart.TITLE in words for chart in CHARTS)


@pytest.mark.parametrize("chart", CHARTS)
def test_what_is_made_of_a_chart_needs_no_network_either(
    chart: Any, simulated: duckdb.DuckDBPyConnection
) -> None:
    drawn = chart.chart(simulated)
    shown = drawn.properties(description="</script> of mine")._repr_mimebundle_()["text/html"]

    assert isinstance(drawn, alt.TopLevelMixin)
    assert shown.count("</script>") == 1 and "//cdn" not in shown


def test_the_users_choices_of_altair_stand(simulated: duckdb.DuckDBPyConnection) -> None:
    chart = growth.chart(simulated)
    chart._repr_mimebundle_()
    assert (alt.renderers.active, alt.renderers.options) == ("default", {})
    assert "//cdn" in alt.Chart().mark_point()._repr_mimebundle_()["text/html"]

    with alt.renderers.enable("svg"):
        assert list(chart._repr_mimebundle_()) == ["image/svg+xml"]
    with alt.renderers.set_embed_options(actions=False):
        assert '"actions": false' in chart._repr_mimebundle_()["text/html"]
