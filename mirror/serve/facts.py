"""What a statement asks about its session, and so what its translation depends on."""

from collections.abc import Callable, Iterator, Mapping


class Facts(Mapping[str, object]):
    """Values that are looked up when they are asked for; `asked` has those that were."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self.asked: dict[str, object] = {}

    def __getitem__(self, name: str) -> object:
        """Raises KeyError for what there is not."""
        value = self.asked[name] = self._tell(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.asked)

    def __len__(self) -> int:
        return len(self.asked)
