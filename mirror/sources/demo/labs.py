"""The labs that the mice live in: where they are, and how many mice each has."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lab:
    """A laboratory. Its share of mice, its hour and its days to trained are measured medians."""

    lab_name: str
    institution: str
    institution_short: str
    time_zone: str
    prefix: str  # of nicknames
    share: int  # of 140 mice
    hour: float  # at which sessions start, local time
    days_to_trained: float
    users: tuple[str, ...]  # pseudonyms


# Proportions and medians of the published 140 mice.
LABS = (
    Lab("angelakilab", "New York University", "NYU", "America/New_York",
        "NYU-{:02d}", 15, 11.8, 18, ("badger", "heron", "lynx")),
    Lab("churchlandlab", "Cold Spring Harbor Laboratory", "CSHL", "America/New_York",
        "CSHL{:03d}", 24, 13.9, 19.5, ("crane", "otter", "stoat", "wren")),
    Lab("cortexlab", "University College London", "UCL", "Europe/London",
        "KS{:03d}", 15, 11.3, 19, ("falcon", "marten", "vole")),
    Lab("danlab", "University of California, Berkeley", "Berkeley", "America/Los_Angeles",
        "DY_{:03d}", 13, 10.5, 8, ("coyote", "quail")),
    Lab("hoferlab", "Sainsbury Wellcome Centre", "SWC", "Europe/London",
        "SWC_{:03d}", 6, 11.0, 22, ("gannet", "shrew")),
    Lab("mainenlab", "Champalimaud Centre for the Unknown", "CCU", "Europe/Lisbon",
        "ZM_{:04d}", 32, 15.0, 11, ("dolphin", "genet", "ibis", "stork")),
    Lab("mrsicflogellab", "Sainsbury Wellcome Centre", "SWC", "Europe/London",
        "SWC_{:03d}", 10, 13.3, 26, ("kestrel", "newt")),
    Lab("wittenlab", "Princeton University", "Princeton", "America/New_York",
        "ibl_witten_{:02d}", 14, 14.3, 12.5, ("finch", "possum", "raven")),
    Lab("zadorlab", "Cold Spring Harbor Laboratory", "CSHL", "America/New_York",
        "CSH_ZAD_{:03d}", 11, 17.5, 10, ("beaver", "tanager")),
)  # fmt: skip


def places(n_mice: int) -> list[tuple[Lab, int]]:
    """Give each mouse its lab and its number there.

    The next mouse goes to the lab that is furthest behind its share, so that any number of mice
    is spread as the published ones are.
    """
    taken = np.zeros(len(LABS), int)
    shares = np.array([lab.share for lab in LABS])
    found = []
    for _ in range(n_mice):
        lab = int(np.argmax(shares / (taken + 0.5)))
        taken[lab] += 1
        found.append((LABS[lab], int(taken[lab])))
    return found


def nickname(lab: Lab, number: int) -> str:
    """Number the mice of a lab, as labs do; two mice of different labs share a name."""
    # Both labs of the Sainsbury Wellcome Centre count in one series.
    if lab.lab_name == "hoferlab":
        number = 2 * number - 1
    elif lab.lab_name == "mrsicflogellab":
        # Here the first number is given twice, as happened between real labs.
        number = max(1, 2 * number - 2)
    return lab.prefix.format(number)
