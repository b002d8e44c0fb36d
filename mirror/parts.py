"""Tables that come in parts, such as a file of each mouse: which parts to read, which to keep.

A part that has changed is read again. A part that the source no longer has is kept, and told:
only a full sync gives up what a file holds.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from uuid import UUID

from mirror.sources import Parts
from mirror.tables import Restriction

GONE = "no longer at the source and kept, a full sync drops them: "


@dataclass(frozen=True)
class Kept:
    """A part that is in the file: its name and stamp when it was read, and what is told of it."""

    name: str
    stamp: str
    told: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Renewal:
    """What a table that is in the file needs: its `fresh` parts, by `column`, read as `wanted`."""

    column: str
    fresh: Sequence[str]
    kept: Mapping[str, Kept]
    gone: Sequence[str]
    wanted: Restriction


def renewal(known: Mapping[str, Kept], there: Parts, wanted: Restriction) -> Renewal:
    """Compare the parts that are in the file with those at the source."""
    fresh = [key for key, part in there.parts.items() if _stamp(known, key) != part.stamp]
    if fresh and there.column == "subject_uuid":
        wanted = replace(wanted, subjects=tuple(map(UUID, fresh)))
    elif fresh:
        # nothing restricts a reading to these parts, of which there are few
        fresh = list(there.parts)
    return Renewal(
        column=there.column,
        fresh=fresh,
        kept={key: part for key, part in known.items() if key not in fresh},
        gone=sorted(part.name for key, part in known.items() if key not in there.parts),
        wanted=wanted,
    )


def now(
    there: Parts, plan: Renewal | None, told: Mapping[str, Mapping[str, int]]
) -> dict[str, Kept]:
    """The parts that are in the file after the reading that `told` this."""
    read = there.parts if plan is None else plan.fresh
    found = dict(plan.kept) if plan else {}
    for key in read:
        found[key] = Kept(there.parts[key].name, there.parts[key].stamp, told.get(key, {}))
    return found


def notes(parts: Mapping[str, Kept], gone: Sequence[str]) -> Iterator[str]:
    """What is told of the parts, added up."""
    sums: dict[str, int] = {}
    for part in parts.values():
        for what, n in part.told.items():
            sums[what] = sums.get(what, 0) + n
    for what, n in sorted(sums.items()):
        yield f"{what}: {n:,}"
    if gone:
        yield GONE + ", ".join(gone)


def to_json(parts: Mapping[str, Kept]) -> str:
    return json.dumps({key: asdict(part) for key, part in parts.items()})


def from_json(text: str | None) -> dict[str, Kept]:
    return {key: Kept(**part) for key, part in json.loads(text or "{}").items()}


def _stamp(known: Mapping[str, Kept], key: str) -> str | None:
    return known[key].stamp if key in known else None
