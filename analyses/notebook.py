"""Charts in a notebook, drawn with the Vega that comes with them: a rig may have no network.

Altair by itself has the notebook fetch Vega. Its settings stay as they are, for the user's own
charts, and for these where the user has chosen a renderer.
"""

from typing import Any

import altair as alt
import jinja2
import vl_convert

# JupyterLab may show an output twice, so a script looks beside itself first.
TEMPLATE = jinja2.Environment().from_string(
    """\
<div id="{{ output_div }}"></div>
<script>
(() => {
const beside = document.currentScript?.previousElementSibling;
const place = beside?.id === "{{ output_div }}"
    ? beside : document.getElementById("{{ output_div }}");
{{ vega() }}
vegaEmbed(place, {{ spec | replace("<", "\\\\u003c") }}, {{ embed_options }})
    .catch(error => { place.textContent = error; });
})();
</script>
""",
    globals={"vega": vl_convert.javascript_bundle},
)


class Offline:
    """A chart that a notebook draws without a network."""

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> Any:
        shown: Any = super()
        if alt.renderers.active != "default":
            return shown._repr_mimebundle_(*args, **kwargs)
        with alt.renderers.enable("html", **{**alt.renderers.options, "template": TEMPLATE}):
            return shown._repr_mimebundle_(*args, **kwargs)


class Chart(Offline, alt.Chart):
    pass


class LayerChart(Offline, alt.LayerChart):
    pass


class FacetChart(Offline, alt.FacetChart):
    pass


class ConcatChart(Offline, alt.ConcatChart):
    pass


class HConcatChart(Offline, alt.HConcatChart):
    pass


class VConcatChart(Offline, alt.VConcatChart):
    pass


KINDS = {
    alt.Chart: Chart,
    alt.LayerChart: LayerChart,
    alt.FacetChart: FacetChart,
    alt.ConcatChart: ConcatChart,
    alt.HConcatChart: HConcatChart,
    alt.VConcatChart: VConcatChart,
}


def offline(chart: Any) -> Any:
    """Make a chart of Altair's one that a notebook draws without a network, as are its copies."""
    # what is set in the usual way becomes a property of the chart
    object.__setattr__(chart, "__class__", KINDS[type(chart)])
    return chart
