"""The mice behind the files: their uuids, and what was published about them."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from uuid import NAMESPACE_URL, UUID, uuid5

from mirror.sources.one.files import File, Name, SessionName


@dataclass(frozen=True)
class Mouse:
    """A mouse, its files by their kinds, and those of single sessions that have a `repNum`.

    `is_published` says that the uuid is IBL's own.
    """

    uuid: UUID
    lab: str
    nickname: str
    sex: str | None
    birth_date: str | None
    is_published: bool
    files: Mapping[str, File]
    rep_nums: Mapping[SessionName, File]

    @property
    def name(self) -> str:
        return f"{self.lab}/{self.nickname}"


def of(name: Name, own: Mapping[str, File], rep_nums: Mapping[SessionName, File]) -> Mouse:
    """The mouse that these files belong to."""
    lab, nickname = name
    known = _published().get(name, {})
    return Mouse(
        uuid=UUID(known["subject_uuid"]) if known else uuid5(NAMESPACE_URL, f"{lab}/{nickname}"),
        lab=lab,
        nickname=nickname,
        sex=known.get("sex") or None,
        birth_date=known.get("birth_date") or None,
        is_published=bool(known),
        files=own,
        rep_nums=rep_nums,
    )


@cache
def _published() -> Mapping[Name, Mapping[str, str]]:
    """What has been published of IBL's mice, with the code of eLife 2021;10:e63711."""
    with files(__package__).joinpath("mice.csv").open(encoding="utf-8") as lines:
        return {(row["lab"], row["nickname"]): row for row in csv.DictReader(lines)}
