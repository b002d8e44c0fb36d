"""The tables and views of a mirror as one file of Spark's SQL, for where there is no Python."""

from collections.abc import Mapping

import duckdb

from mirror import parquet
from mirror.spark.translation import SETTINGS, Names, define_table, translate

HEAD = """\
-- The views of a mirror as temporary views of Apache Spark 4, on the folder that
-- `mirror export --all` wrote:
--
--     spark-sql -d folder=/where/parquet/is -i views.sql -e 'select * from sessions limit 5'
--
-- Left out: {}."""


def script(connection: duckdb.DuckDBPyConnection) -> tuple[str, Mapping[str, str]]:
    """The statements that define all of an open mirror, and the views left out with the reason."""
    manifest, names = parquet.manifest(connection), Names()
    stored = [t.name.removeprefix("main.") for t in manifest.tables if t.name.startswith("main.")]
    translation = translate(manifest, names, stored)
    statements = [
        HEAD.format(", ".join(translation.refused) or "none"),
        *(f"set {name} = {value};" for name, value in SETTINGS.items()),
        *(
            f"{define_table(table, f'${{folder}}/{parquet.place(table.name)}', names)};"
            for table in manifest.tables
        ),
        *(f"{statement};" for statement in translation.views.values()),
    ]
    return "\n\n".join(statements) + "\n", translation.refused
