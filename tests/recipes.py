"""DataJoint expressions as plain trees: shown as Python, built for any connection."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import datajoint as dj

SIGNS = {
    "&": operator.and_,
    "-": operator.sub,
    "*": operator.mul,
    "+": operator.add,
    "^": operator.xor,
    "@": operator.matmul,
}
BUILTINS = {"len": len, "bool": bool, "list": list}


@dataclass(frozen=True)
class Table:
    """A table by its class name, such as TrialSet.Trial."""

    name: str

    def __repr__(self) -> str:
        return f"{self.name}()"


@dataclass(frozen=True)
class Operation:
    """Two operands and a sign between them."""

    left: Any
    sign: str
    right: Any

    def __repr__(self) -> str:
        return f"({self.left!r} {self.sign} {self.right!r})"


@dataclass(frozen=True)
class Call:
    """A method of an expression, of `dj` ("dj") or a builtin function (None)."""

    of: Any
    name: str
    arguments: tuple = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = ["..." if value is ... else repr(value) for value in self.arguments]
        shown += [f"{name}={value!r}" for name, value in self.options.items()]
        if self.of is None:
            return f"{self.name}({', '.join(shown)})"
        of = self.of if self.of == "dj" else repr(self.of)
        return f"{of}.{self.name}({', '.join(shown)})"


def build(recipe: Any, classes: Mapping[str, type]) -> Any:
    """Evaluate a recipe with the classes of one connection."""
    match recipe:
        case Table(name):
            return classes[name]()
        case Operation(left, sign, right):
            return SIGNS[sign](build(left, classes), build(right, classes))
        case Call(of, name, arguments, options):
            if of is None:
                called = BUILTINS[name]
            else:
                called = getattr(dj if of == "dj" else build(of, classes), name)
            return called(
                *(build(value, classes) for value in arguments),
                **{key: build(value, classes) for key, value in options.items()},
            )
        case list():
            return [build(value, classes) for value in recipe]
        case _:
            return recipe
