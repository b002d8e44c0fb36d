"""The four exercises of IBL's tutorial, worked through on a mirror, with answers that are checked.

Each lesson is a script that is a notebook as well (jupytext's percent format).
"""

from .checking import check, faults

__all__ = ["check", "faults"]
