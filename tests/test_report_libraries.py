"""The JavaScript libraries of the report, in a page without a network."""

import pytest

from mirror.errors import MirrorError
from mirror.report.libraries import classic, data_tables, vega

TABLE = """
<div id="chart"></div>
<table id="table"><thead><tr><th>n</th></tr></thead><tbody>{}</tbody></table>
"""
CHART = {
    "data": {"values": [{"n": 1}, {"n": 2}]},
    "mark": "point",
    "encoding": {"x": {"field": "n", "type": "quantitative"}},
}


def test_a_page_draws_charts_and_tables(page):
    script, style = data_tables()
    page.set_content(TABLE.format("".join(f"<tr><td>{n}</td></tr>" for n in range(30))))
    page.add_style_tag(content=style)
    page.add_script_tag(content=vega())
    page.add_script_tag(content=script)

    page.evaluate("chart => vegaEmbed('#chart', chart, {renderer: 'svg'})", CHART)
    assert page.locator("#chart svg path[aria-roledescription=point]").count() == 2

    page.evaluate("new DataTable('#table', {pageLength: 10})")
    assert page.locator("#table tbody tr").count() == 10
    heading = page.locator("#table th").evaluate("heading => getComputedStyle(heading).cursor")
    # the style of what sorts by a click
    assert heading == "pointer"


@pytest.mark.parametrize(
    "module",
    [
        "const a = 7; export{a as default};",
        "const a = 7, b = 1; export{b as jQuery,a as default,b as other};",
        # names that a minifier makes
        "const $a = 7, a = 1; export{a as b,$a as default};",
        "const a = 7; export{a as default}; /* the licence */",
        "const a = 7; export{a as default}; // the licence",
    ],
)
def test_the_default_export_becomes_data_table_and_no_other_name_the_page_s(page, module):
    page.add_script_tag(content=classic(module))
    assert page.evaluate("[window.DataTable, typeof a, typeof b]") == [7, "undefined", "undefined"]


@pytest.mark.parametrize(
    "module",
    [
        "",
        "window.DataTable = 7;",
        "const a = 7; export{a as DataTable};",
        "const a = 7; export{a as defaults};",
        "export default 7;",
    ],
)
def test_a_module_without_the_export_says_which_version_to_install(module):
    with pytest.raises(MirrorError, match=r"^itables [\d.]+ brings DataTables in a form not known"):
        classic(module)
