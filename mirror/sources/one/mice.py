"""The mice behind the files: their uuids, and what was published about them."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from uuid import NAMESPACE_URL, UUID, uuid5

from mirror.sources.one.aggregates import Aggregate


@dataclass(frozen=True)
class Mouse:
    """A mouse and its files by their kinds; `is_published` says that the uuid is IBL's own."""

    uuid: UUID
    lab: str
    nickname: str
    sex: str | None
    birth_date: str | None
    is_published: bool
    files: Mapping[str, Aggregate] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.lab}/{self.nickname}"


def mice(found: Iterable[Aggregate]) -> list[Mouse]:
    """The mice that the files belong to, in the order of their uuids."""
    owned: dict[tuple[str, str], dict[str, Aggregate]] = {}
    for file in found:
        owned.setdefault((file.lab, file.nickname), {})[file.kind] = file
    return sorted(
        (_mouse(lab, nickname, own) for (lab, nickname), own in owned.items()),
        key=lambda mouse: mouse.uuid,
    )


def _mouse(lab: str, nickname: str, own: Mapping[str, Aggregate]) -> Mouse:
    known = _published().get((lab, nickname))
    return Mouse(
        uuid=UUID(known["subject_uuid"]) if known else uuid5(NAMESPACE_URL, f"{lab}/{nickname}"),
        lab=lab,
        nickname=nickname,
        sex=(known or {}).get("sex") or None,
        birth_date=(known or {}).get("birth_date") or None,
        is_published=known is not None,
        files=own,
    )


@cache
def _published() -> Mapping[tuple[str, str], Mapping[str, str]]:
    """What has been published of IBL's mice, with the code of eLife 2021;10:e63711."""
    with files(__package__).joinpath("mice.csv").open(encoding="utf-8") as lines:
        return {(row["lab"], row["nickname"]): row for row in csv.DictReader(lines)}
