"""The releases whose mice can be had: IBL's tags, and the datasets that belong to each.

`releases/TAG.txt` holds the ids of the datasets, one a line. They are facts from the lists by
which IBL tags its data, `releases/*_datasets.pqt` of github.com/int-brain-lab/iblalyx (commit
74995d4, 2026-07-28, MIT licence). Of 2021_Q1_IBL_et_al_Behaviour they are the ids that came to
the list with the mice's tables in September 2024 and February 2025: those of 420 tables, and of
859 files of single sessions, which the bucket keeps elsewhere. The data are IBL's, published
under CC BY 4.0, and whoever uses them cites the paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from mirror.errors import UsageError


@dataclass(frozen=True)
class Release:
    """A tag of IBL's, the number of mice that it has tables of, and the paper to cite."""

    tag: str
    mice: int
    paper: str

    @cached_property
    def datasets(self) -> frozenset[str]:
        """The ids of the release's datasets, in small letters."""
        text = files(__package__).joinpath("releases", f"{self.tag}.txt").read_text("ascii")
        return frozenset(text.split())


RELEASES = (
    Release("2021_Q1_IBL_et_al_Behaviour", 140, "doi.org/10.7554/eLife.63711"),
    Release("2023_Q4_Bruijns_et_al", 156, "doi.org/10.1038/s41593-025-02130-x"),
)
DEFAULT_TAGS = (RELEASES[0].tag,)
# instead of tags: the newest table of every mouse in the bucket
ALL = "all"


def of(tags: Sequence[str]) -> list[Release]:
    """The releases of these tags, in this order. Raises UsageError for a tag not known."""
    known = {release.tag: release for release in RELEASES}
    for tag in tags:
        if tag not in known:
            raise UsageError(
                f"--tag {tag} is not known: the tags are {', '.join(known)}, and {ALL} for every"
                " mouse."
            )
    return [known[tag] for tag in dict.fromkeys(tags)]
