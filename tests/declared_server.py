"""The packaged definitions, declared through DataJoint itself on a server."""

from types import SimpleNamespace

import datajoint as dj

from mirror.sources.declarations import SCHEMAS, Definition, definitions


def declare(connection: dj.Connection, prefix: str = "") -> dict[str, SimpleNamespace]:
    """Declare every table, empty; returns the classes of each module."""
    schemas = {
        module: dj.Schema(f"{prefix}{name}", connection=connection)
        for module, name in SCHEMAS.items()
    }
    modules = {module: SimpleNamespace() for module in SCHEMAS}
    found = definitions()
    for definition in found:
        if definition.tier == "Part":
            continue
        module = modules[definition.module]
        parts = {
            part.name.split(".")[1]: _class(part)
            for part in found
            if part.module == definition.module and part.name.startswith(f"{definition.name}.")
        }
        # a definition names tables of its own module bare, others as `module.Table`
        schemas[definition.module](
            declared := _class(definition, **parts), context={**modules, **vars(module)}
        )
        setattr(module, definition.name, declared)
    return modules


def _class(definition: Definition, **parts: type) -> type:
    base = getattr(dj, definition.tier)
    name = definition.name.split(".")[-1]
    return type(name, (base,), {"definition": definition.text, **parts})
