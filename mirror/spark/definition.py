"""A mirror's tables and views in a Spark session, from the folder of its export."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mirror.errors import MirrorError, UsageError
from mirror.parquet import MANIFEST, Manifest, place
from mirror.spark.translation import MARK, SETTINGS, Names, define_table, quoted, translate

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


OLDEST_SPARK = 4


@dataclass(frozen=True)
class Defined:
    """What there is in the session now, and which views are not there, with the reason."""

    tables: tuple[str, ...]
    views: tuple[str, ...]
    refused: Mapping[str, str]


def define(
    spark: "SparkSession", folder: str | os.PathLike[str], database: str | None = None
) -> Defined:
    """Define every table and view of an export in a Spark session, by their names in the mirror.

    Without a `database` they are temporary views, tables with their schema in backticks:
    `` `behavior.trial_set__trial` ``. With one they are tables and views of the catalogue, which
    takes no dots: `behavior__trial_set__trial`. The folder is a path or an address that Spark can
    read. Views keep the time zone that they need, whatever the session's is. Raises MirrorError.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import AnalysisException, PySparkException

    _check(spark)
    address, names = _address(folder), Names(database)
    manifest = _manifest(spark, address)
    _check_files(spark, manifest, address)
    stored = [t.name.removeprefix("main.") for t in manifest.tables if t.name.startswith("main.")]
    translation = translate(manifest, names, stored)
    refused = dict(translation.refused)
    with settings(spark):
        if names.database:
            _make_room(spark, names, manifest)
        for table in manifest.tables:
            where = f"{address}/{place(table.name).as_posix()}"
            try:
                spark.sql(define_table(table, where, names))
            except (PySparkException, Py4JJavaError) as error:
                raise _no_rights(names, error) if names.database else error from error
        for name, statement in translation.views.items():
            try:
                spark.sql(statement)
            except AnalysisException as error:
                refused[name] = f"Spark does not take it ({_said(error)})"
    return Defined(
        tuple(table.name for table in manifest.tables),
        tuple(name for name in translation.views if name not in refused),
        refused,
    )


def _check(spark: "SparkSession") -> None:
    if int(spark.version.partition(".")[0]) < OLDEST_SPARK:
        raise UsageError(
            f"The session is of Spark {spark.version}, and the views need {OLDEST_SPARK} or later:"
            " start one of pyspark 4."
        )


def _said(error: Exception) -> str:
    """What Spark says, without where in itself it was."""
    # what is not Spark's own comes with Java's
    java = getattr(error, "java_exception", None)
    text = str(java.getMessage()) if java else str(error)
    return text.strip().partition("\n")[0].partition(" SQLSTATE")[0].rstrip(".")


def _address(folder: str | os.PathLike[str]) -> str:
    """Where the folder is, in full: Spark would look for it in its warehouse."""
    where = os.fspath(folder)
    # one letter is a drive
    if len(urlsplit(where).scheme) > 1:
        return where.rstrip("/")
    # Spark takes no % for another letter
    return f"file://{Path(where).absolute().as_posix()}"


def _manifest(spark: "SparkSession", address: str) -> Manifest:
    from pyspark.errors import AnalysisException

    try:
        [row] = spark.read.text(f"{address}/{MANIFEST}", wholetext=True).collect()
    except AnalysisException as error:
        raise UsageError(
            f"{address} is no export of a mirror, or half of one ({_said(error)}): 'mirror export"
            f" --all DIR' makes one, and {MANIFEST} is there when it is whole."
        ) from error
    return Manifest.read(row[0], address)


def _make_room(spark: "SparkSession", names: Names, manifest: Manifest) -> None:
    """Make the database, and drop what an earlier call has put there, but nothing else."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    listed = [table.name for table in manifest.tables] + [view.name for view in manifest.views]
    wanted = {names.parts(name)[1].lower() for name in listed}
    database = names.quoted_database
    try:
        spark.sql(f"create database if not exists {database}")
        for row in spark.sql(f"show tables in {database}").collect():
            if row.isTemporary or row.tableName.lower() not in wanted:
                continue
            name = f"{database}.{quoted(row.tableName)}"
            marks = {
                mark.key: mark.value for mark in spark.sql(f"show tblproperties {name}").collect()
            }
            if MARK not in marks:
                raise UsageError(
                    f"The database {names.database} has a {row.tableName} that is not the mirror's:"
                    " name another database."
                )
            spark.sql(f"drop {marks[MARK]} {name}")
    except (PySparkException, Py4JJavaError) as error:
        raise _no_rights(names, error) from error


def _no_rights(names: Names, error: Exception) -> MirrorError:
    return MirrorError(
        f"The catalogue lets nothing be made in the database {names.database} ({_said(error)}):"
        " name one in which you may make tables, or none, for temporary views."
    )


def _check_files(spark: "SparkSession", manifest: Manifest, address: str) -> None:
    """Whether the folder has the files that the export wrote. Raises MirrorError."""
    from pyspark.errors import AnalysisException

    # what begins with _ is only looked into when named
    folders = [address, f"{address}/_mirror"]
    listing = spark.read.format("text").option("recursiveFileLookup", "true")
    try:
        files = listing.option("pathGlobFilter", "*.parquet").load(folders).inputFiles()
    except AnalysisException:
        files = []
    found = Counter(
        Path(unquote(file)).relative_to(urlsplit(address).path).parts[:2]
        for file in (urlsplit(file).path for file in files)
    )
    for table in manifest.tables:
        n = found[place(table.name).parts]
        if n != table.files:
            raise MirrorError(
                f"{address} has {n} files of {table.name}, and the export wrote {table.files}: copy"
                " the folder whole, or export it again with 'mirror export --all DIR --full'."
            )


@contextmanager
def settings(spark: "SparkSession") -> Iterator[None]:
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
