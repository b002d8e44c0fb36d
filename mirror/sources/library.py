"""DataJoint's configuration and blob decoder, without the rest of DataJoint.

`import datajoint` also imports matplotlib, networkx, minio and pandas: two seconds and 80 MB
that no sync has a use for. A package object with DataJoint's path, but without its
`__init__`, lets its two small modules load alone. Where datajoint is imported already, as in
a notebook that has set `dj.config`, that one is used.
"""

import importlib
import importlib.util
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

from mirror.errors import MirrorError


def datajoint(module: str) -> ModuleType:
    """Import `datajoint.<module>`, one that needs no other part of DataJoint."""
    if "datajoint" in sys.modules:
        return importlib.import_module(f"datajoint.{module}")
    return _alone(module)


def _alone(module: str) -> ModuleType:
    spec = _find("datajoint")
    package = ModuleType("datajoint")
    package.__path__ = list(spec.submodule_search_locations or ())
    # it reports the configuration files it reads, on standard error
    logging.getLogger("datajoint").addHandler(logging.NullHandler())
    with _in_its_place(package):
        return importlib.import_module(f"datajoint.{module}")


def nma_ibl_schemas() -> dict[str, str]:
    """The schemas that nma_ibl reads: Python name to MySQL name, in its order.

    nma_ibl connects when it is imported, and fails altogether when one schema is missing,
    so its `__init__` runs here with a recorder in the place of datajoint.
    """
    schemas: dict[str, str] = {}

    def create_virtual_module(module_name: str, schema_name: str) -> None:
        schemas[module_name] = schema_name

    spec = _find("nma_ibl")
    recorder = ModuleType("datajoint")
    recorder.__dict__["create_virtual_module"] = create_virtual_module
    with _in_its_place(recorder):
        assert spec.loader is not None, "a package that is found can be loaded"
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return schemas


@contextmanager
def _in_its_place(module: ModuleType) -> Iterator[None]:
    """Have a module imported as datajoint; a later `import datajoint` finds the whole library."""
    before = _imported()
    sys.modules["datajoint"] = module
    try:
        yield
    finally:
        for name in _imported():
            del sys.modules[name]
        sys.modules.update(before)


def _imported() -> dict[str, ModuleType]:
    return {
        name: module
        for name, module in sys.modules.items()
        if name == "datajoint" or name.startswith("datajoint.")
    }


def _find(package: str) -> ModuleSpec:
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise MirrorError(
            f"The package {package} is not installed: run 'pip install .' in your checkout of"
            " ibl-mirror."
        )
    return spec
