"""What the shell offers for a word half typed: names in the mirror that the line means."""

from collections.abc import Callable
from contextlib import suppress

import click
import duckdb

from mirror import store
from mirror.errors import MirrorError

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def charts(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """The charts, which need no mirror."""
    from mirror.analyses import gallery

    return [name for name in gallery.names() if name.startswith(begun)]


def from_mirror(query: str) -> Complete:
    """The texts that a query finds in the mirror; none where there is no such mirror."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        # a shell has no place for what went wrong
        with (
            suppress(MirrorError, duckdb.Error),
            store.connect(context.params.get("database")) as connection,
        ):
            found = connection.execute(f"select distinct name from ({query}) order by name")
            # the shell would take the words of a name with a blank apart
            names = [name for (name,) in found.fetchall() if name and not set(name) & set(" \t\n")]
            return [name for name in names if name.startswith(begun)]
        return []

    return complete


tables = from_mirror(
    "select view_name as name from duckdb_views() where not internal union all"
    " select if(schema_name = 'main', '', schema_name || '.') || table_name from duckdb_tables()"
    " where schema_name <> '_mirror'"
)
labs = from_mirror("select lab_name as name from labs")
cohorts = from_mirror("select cohort as name from cohorts")
own_cohorts = from_mirror("select cohort as name from _mirror.cohort_mice")
mice = from_mirror("select subject_nickname as name from subjects")
