"""The simulated mice on a real server, put there by DataJoint as IBL's pipeline would."""

from collections.abc import Iterator
from functools import reduce
from uuid import UUID

import datajoint as dj
import declared_server
import numpy as np
import pyarrow as pa

from mirror.sources import declarations
from mirror.sources.demo import DemoSource
from mirror.tables import Restriction, Table
from mirror.types import conversion


def fill(connection: dj.Connection, source: DemoSource) -> None:
    """Declare every table and insert all rows of the source."""
    modules = declared_server.declare(connection)
    # mirrors read timestamps in this zone
    connection.query("set time_zone = '+00:00'")
    tables = {table.datajoint_name: table for table in declarations.tables()}
    # those that are referred to come first
    for definition in declarations.definitions():
        declared = reduce(getattr, definition.name.split("."), modules[definition.module])
        table = tables[f"{definition.module}.{definition.name}"]
        for rows in _rows(source, table):
            declared.insert(rows, allow_direct_insert=True)


def _rows(source: DemoSource, table: Table) -> Iterator[list[dict]]:
    columns = {column.name: conversion(column) for column in table.columns}
    uuids = [name for name, found in columns.items() if found.duckdb_type == "UUID"]
    for batch in source.read(table, columns, Restriction(), 10_000).batches:
        blobs = [field.name for field in batch.schema if pa.types.is_list(field.type)]
        rows = batch.to_pylist()
        for row in rows:
            row.update({name: UUID(row[name]) for name in uuids if row[name] is not None})
            row.update({name: np.array(row[name]) for name in blobs if row[name] is not None})
        yield rows
