"""A mirror's tables and views in a Spark session, from the folder of its export."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mirror.parquet import MANIFEST, Manifest, place
from mirror.spark.translation import SETTINGS, Names, define_table, translate

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Defined:
    """What there is in the session now, and which views are not there, with the reason."""

    tables: tuple[str, ...]
    views: tuple[str, ...]
    refused: Mapping[str, str]


def define(
    spark: "SparkSession", folder: str | os.PathLike, database: str | None = None
) -> Defined:
    """Define every table and view of an export in a Spark session, by their names in the mirror.

    Without a `database` they are temporary views, tables with their schema in backticks:
    `` `behavior.trial_set__trial` ``. With one they are tables and views of the catalogue, which
    takes no dots: `behavior__trial_set__trial`. The folder is a path or an address that Spark can
    read. Views keep the time zone that they need, whatever the session's is. Raises MirrorError.
    """
    from pyspark.errors import AnalysisException

    address = _address(folder)
    names = Names(database)
    manifest = _manifest(spark, address)
    stored = [t.name.removeprefix("main.") for t in manifest.tables if t.name.startswith("main.")]
    translation = translate(manifest, names, stored)
    with _settings(spark):
        for table in manifest.tables:
            spark.sql(define_table(table, f"{address}/{place(table.name)}", names))
        refused = dict(translation.refused)
        for name, statement in translation.views.items():
            try:
                spark.sql(statement)
            except AnalysisException as error:
                refused[name] = f"Spark does not take it ({str(error).splitlines()[0]})"
    return Defined(
        tuple(table.name for table in manifest.tables),
        tuple(name for name in translation.views if name not in refused),
        refused,
    )


def _address(folder: str | os.PathLike) -> str:
    """Where the folder is, in full: Spark would look for it in its warehouse."""
    where = os.fspath(folder)
    # one letter is a drive
    if len(urlsplit(where).scheme) > 1:
        return where.rstrip("/")
    return Path(where).absolute().as_uri()


def _manifest(spark: "SparkSession", address: str) -> Manifest:
    [row] = spark.read.text(f"{address}/{MANIFEST}", wholetext=True).collect()
    return Manifest.read(row[0], address)


@contextmanager
def _settings(spark: "SparkSession") -> Iterator[None]:
    """What the views are defined under, which they keep; the session gets its own back."""
    before = {name: spark.conf.get(name, None) for name in SETTINGS}
    try:
        for name, value in SETTINGS.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, old in before.items():
            if old is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, old)
