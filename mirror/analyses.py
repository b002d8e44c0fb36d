"""The charts of the folder `analyses` beside this package, whatever else goes by that name.

A package of the user's may come before it on the path. Here the charts are found by their
place, and so is what they import of each other.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

__path__ = [str(Path(__file__).parents[1] / "analyses")]

if TYPE_CHECKING:
    # mypy does not look there
    def __getattr__(name: str) -> Any: ...
