"""The two JavaScript libraries of the pages, taken from the Python packages that bring them.

A page opened from a folder may load classic scripts but no modules, so both become classic.
"""

import re
from pathlib import Path

import itables
import vl_convert

from mirror.errors import MirrorError


def vega() -> str:
    """Vega, Vega-Lite and vega-embed, as `vegaEmbed` of the window."""
    # its stub does not know that without a snippet it is the libraries
    return _apart(vl_convert.javascript_bundle())  # type: ignore[call-arg]


def data_tables() -> tuple[str, str]:
    """DataTables as `DataTable` of the window, and its style sheet."""
    folder = Path(itables.__file__).parent / "html"
    module = (folder / "dt_bundle.js").read_text("utf-8")
    return classic(module), (folder / "dt_bundle.css").read_text("utf-8")


def classic(module: str) -> str:
    """A module as a classic script: its default export as `DataTable` of the window.

    Raises MirrorError where the text names none in a list of exports.
    """
    exports = re.search(r"export\{([^}]*)\}", module)
    name = exports and re.search(r"([\w$]+) as default\b", exports[1])
    if exports is None or name is None:
        raise MirrorError(
            f"itables {itables.__version__} brings DataTables in a form not known here:"
            " install the version that pyproject.toml asks for."
        )
    return _apart(module.replace(exports[0], f"window.DataTable={name[1]}", 1))


def _apart(script: str) -> str:
    """A script in a function of its own, so that its short names are not the page's."""
    # on a line of its own: a script may end in a comment
    return f"(() => {{{script}\n}})();\n"
