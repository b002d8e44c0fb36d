"""The tables of IBL's server, from definitions that ship with the package.

`definitions/<module>.txt` describes them in the language in which DataJoint declares tables.
`tables` says what `mirror.sources.datajoint.headings` would read from a MariaDB 10.11 after
DataJoint 0.14 has declared them; only the part of the language that these files use is understood.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files

from mirror.tables import TIERS, Column, ForeignKey, Table, plain_name

# in nma_ibl's order; a module's tables refer to its own and to those of the modules before it
SCHEMAS = {
    "reference": "ibl_reference",
    "subject": "ibl_subject",
    "action": "ibl_action",
    "acquisition": "ibl_acquisition",
    "data": "ibl_data",
    "behavior": "ibl_behavior",
    "behavior_analyses": "ibl_analyses_behavior",
}
PREFIXES = {tier: prefix for prefix, tier in TIERS.items()}

HEADER = re.compile(r"^\[([\w.]+) : (\w+)\]\n", re.MULTILINE)
REFERENCE = re.compile(
    r"-> (?P<nullable>\[nullable\] )?(?P<table>[\w.]+?)(?:\.proj\((?P<renamed>.+)\))?"
)
RENAMED = re.compile(r'(\w+)="(\w+)"')
ATTRIBUTE = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*)(?:=(?P<default>\S+))? : (?P<type>[^#]+?)(?:  # (?P<comment>.+))?"
)

# what the server makes of a type and of a default; it keeps all others as they are
TYPES = {
    "uuid": "binary(16)",
    "bool": "tinyint(1)",
    "tinyint": "tinyint(4)",
    "smallint unsigned": "smallint(5) unsigned",
    "int": "int(11)",
}
DEFAULTS = {"null": None, "''": "", "CURRENT_TIMESTAMP": "current_timestamp()"}


@dataclass(frozen=True)
class Definition:
    """A table in DataJoint's words; the name of a part is `TrialSet.Trial`."""

    module: str
    name: str
    tier: str
    text: str


def definitions() -> tuple[Definition, ...]:
    """Every definition, after those that it refers to; a part follows its master."""
    folder = files("mirror.sources").joinpath("definitions")
    return tuple(
        definition
        for module in SCHEMAS
        for definition in parse(module, folder.joinpath(f"{module}.txt").read_text("utf-8"))
    )


def parse(module: str, text: str) -> Iterator[Definition]:
    """The definitions that a file holds."""
    _, *pieces = HEADER.split(text)
    for name, tier, definition in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        yield Definition(module, name, tier, definition.strip())


def tables() -> tuple[Table, ...]:
    """Every table, in the order in which `headings.read` gives them."""
    order = list(SCHEMAS)
    return tuple(
        sorted(
            declare(definitions()).values(),
            key=lambda table: (order.index(table.schema), table.name),
        )
    )


def declare(wanted: Iterable[Definition]) -> dict[str, Table]:
    """The table that each definition makes, by its name in DataJoint (`subject.Subject`)."""
    declared: dict[str, Table] = {}
    for definition in wanted:
        declared[f"{definition.module}.{definition.name}"] = _table(definition, declared)
    return declared


def _table(definition: Definition, declared: Mapping[str, Table]) -> Table:
    name = _mysql_table(definition, declared)
    lines = definition.text.splitlines()
    comment = lines.pop(0).removeprefix("# ") if lines[0].startswith("#") else ""
    columns: dict[str, Column] = {}
    primary_key: tuple[str, ...] = ()
    foreign_keys: list[ForeignKey] = []
    for line in lines:
        if line == "---":
            primary_key = tuple(columns)
        elif match := REFERENCE.fullmatch(line):
            referred = declared[_qualified(match["table"], definition, declared)]
            brought = _key_columns(referred, match)
            foreign_keys.append(
                ForeignKey(
                    # the server counts the keys of a table
                    name=f"{name}_ibfk_{len(foreign_keys) + 1}",
                    columns=tuple(column.name for column in brought),
                    mysql_schema=referred.mysql_schema,
                    mysql_table=referred.mysql_table,
                    references=referred.primary_key,
                )
            )
            # two references may share a column, which the first one brings
            for column in brought:
                columns.setdefault(column.name, column)
        elif match := ATTRIBUTE.fullmatch(line):
            columns[match["name"]] = _attribute(match)
        else:
            raise ValueError(
                f"The definition of {definition.module}.{definition.name}"
                f" has a line that is neither an attribute nor a reference: {line}"
            )
    # without a line, all columns are the key
    primary_key = primary_key or tuple(columns)
    # the server makes an index for each foreign key, and marks the first column of an index
    marks = {key.columns[0]: "MUL" for key in foreign_keys} | dict.fromkeys(primary_key, "PRI")
    return Table(
        schema=definition.module,
        name=plain_name(name),
        mysql_schema=SCHEMAS.get(definition.module, definition.module),
        mysql_table=name,
        comment=comment,
        columns=tuple(
            replace(column, key=marks.get(column.name, "")) for column in columns.values()
        ),
        primary_key=primary_key,
        foreign_keys=tuple(foreign_keys),
    )


def _key_columns(referred: Table, match: re.Match[str]) -> list[Column]:
    """The key of the table referred to, as the table that refers to it has it."""
    renamed = {old: new for new, old in RENAMED.findall(match["renamed"] or "")}
    return [
        replace(
            column,
            name=renamed.get(column.name, column.name),
            nullable=bool(match["nullable"]),
            # DataJoint hands on the type and the comment, and no default
            default=None,
        )
        for column in referred.columns
        if column.name in referred.primary_key
    ]


def _attribute(match: re.Match[str]) -> Column:
    declared, default = match["type"], match["default"]
    comment = match["comment"] or ""
    if declared.startswith("enum"):
        spelled = declared.replace('", "', "','").replace('"', "'")
    else:
        spelled = TYPES.get(declared, declared)
    return Column(
        name=match["name"],
        declared_type=spelled,
        nullable=default == "null",
        default=DEFAULTS.get(default, default),
        # DataJoint hides its own types in the comment
        comment=f":uuid:{comment}" if declared == "uuid" else comment,
    )


def _qualified(written: str, definition: Definition, declared: Mapping[str, Table]) -> str:
    """The full name of a table that a definition names as DataJoint would find it."""
    if written == "master":
        written = definition.name.split(".")[0]
    return written if written in declared else f"{definition.module}.{written}"


def _mysql_table(definition: Definition, declared: Mapping[str, Table]) -> str:
    """DataJoint's name in MySQL: `_trial_set__trial` for the part `TrialSet.Trial`."""
    *master, name = definition.name.split(".")
    snake = re.sub(r"\B[A-Z]", r"_\g<0>", name).lower()
    if master:
        return f"{declared[f'{definition.module}.{master[0]}'].mysql_table}__{snake}"
    return PREFIXES[definition.tier] + snake
