"""The command `mirror`: parse, one call into the library, print.

Data goes to standard output, narration to standard error. Exit codes: 0 done, 1 failed,
2 wrong usage or configuration, 3 source unreachable or login refused, 130 interrupted.
"""

import io
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
import duckdb

from mirror import __version__, completion, interruption, store
from mirror.errors import MirrorError, UsageError
from mirror.printing import visible, visible_lines
from mirror.sources.choose import KINDS
from mirror.syncing import BATCH_ROWS
from mirror.tables import BOOKKEEPING

if TYPE_CHECKING:
    from mirror.inventory import Described

INTERRUPTED = "mirror: interrupted."

database_option = click.option(
    "--database",
    type=click.Path(path_type=Path),
    help="The mirror's file.  [default: $MIRROR_DATABASE, else ibl.duckdb here]",
)


class Commands(click.Group):
    """Turns what the library raises into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MirrorError as error:
            click.echo(visible_lines(f"mirror: {error}"), err=True)
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo(INTERRUPTED, err=True)
            ctx.exit(130)
        except BrokenPipeError:
            # the reader of a pipe, such as head, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except OSError as error:
            where = error.filename or "the output"
            click.echo(f"mirror: {where} cannot be written ({error.strerror}).", err=True)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            # what DuckDB makes of Ctrl-C while it runs a query or hands its rows over
            if isinstance(error, duckdb.InterruptException) or "Query interrupted" in str(error):
                click.echo(INTERRUPTED, err=True)
                ctx.exit(130)
            # nothing is expected here: what nobody foresaw still ends in a sentence
            at = traceback.extract_tb(error.__traceback__)[-1]
            click.echo(
                f"mirror: a fault of the program, {type(error).__name__} in"
                f" {Path(at.filename).name}:{at.lineno} ({error}); please report it.",
                err=True,
            )
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mirror")
def main() -> None:
    """The International Brain Laboratory's behavioural database as one DuckDB file.

    \b
    mirror sync                           copy it from a DataJoint server
    mirror sql "from sessions limit 5"    ask it anything

    \b
    Let the Tab key complete verbs, options, views, charts, labs and mice, by a line in ~/.bashrc:
    eval "$(_MIRROR_COMPLETE=bash_source mirror)"    in ~/.zshrc: zsh_source
    """
    # a locale that lacks a letter would end a command half-way
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")


@main.command()
@database_option
@click.option("--schema", multiple=True, metavar="NAME", help="Only this schema; repeatable.")
@click.option(
    "--table", multiple=True, metavar="GLOB", help="Only tables of this name; repeatable."
)
@click.option(
    "--subject",
    multiple=True,
    metavar="NICKNAME|UUID",
    help="Only this mouse; repeatable.",
    shell_complete=completion.mice,
)
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only from this day on."
)
@click.option("--full", is_flag=True, help="Read everything again and replace the file.")
@click.option("--dry-run", is_flag=True, help="List what there is to copy, and copy nothing.")
@click.option("--no-derive", is_flag=True, help="Copy only; recompute no fits, no statuses.")
@click.option("--include-private", is_flag=True, help="Also names, e-mail, narratives, ...")
@click.option(
    "--batch-rows",
    type=click.IntRange(min=1000),
    default=BATCH_ROWS,
    show_default=True,
    help="Rows in memory at a time.",
)
@click.option(
    "--source",
    type=click.Choice(KINDS),
    help="A server, IBL's public files, or simulated mice.  [default: datajoint]",
)
@click.option("--host", help="Instead of DJ_HOST or DataJoint's configuration.")
@click.option("--port", type=click.IntRange(1, 65535))
@click.option("--user")
@click.option("--ask-password", is_flag=True, help="Ask for the password at the terminal.")
@click.option(
    "--one-cache",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder that ONE has filled, read without a network; with --tag, filled here.",
)
@click.option("--tag", multiple=True, help="A release of IBL's public files; repeatable.")
@click.option("--demo", is_flag=True, help="Short for --source demo; into demo.duckdb.")
@click.option(
    "--demo-mice",
    type=click.IntRange(min=5, max=100_000),
    metavar="N",
    help="How many mice to simulate.  [default: 48]",
)
def sync(
    database: Path | None,
    schema: tuple[str, ...],
    table: tuple[str, ...],
    subject: tuple[str, ...],
    since: datetime | None,
    full: bool,
    dry_run: bool,
    no_derive: bool,
    include_private: bool,
    batch_rows: int,
    **wish: Any,
) -> None:
    """Copy the tables of a DataJoint server, or of another source, into the file.

    The server and login are DataJoint's own configuration: dj_local_conf.json,
    ~/.datajoint_config.json, or DJ_HOST, DJ_USER and DJ_PASS. Run it again to refresh: what has
    not changed is not fetched again, and an interrupted sync goes on where it stopped.

    \b
    mirror sync --host db.example.org --subject KS014 --since 2019-08-01
    mirror sync --source one              IBL's public files, no server needed
    mirror sync --demo                    simulated mice, nothing needed
    """
    from mirror import outlook
    from mirror.progress import on
    from mirror.sources.choose import Wish, choose
    from mirror.syncing import Options, sync

    options = Options(schema, table, subject, since.date() if since else None, include_private)
    narration = sys.stderr
    with interruption.soon(lambda: _say_interrupted(narration)):
        progress = on(narration)
        meant = Wish(**wish)
        if dry_run:
            for row in outlook.rows(meant, options, narration.write):
                click.echo("\t".join(map(visible, row)))
            return
        source = choose(meant, subject, narration.write, progress)
        try:
            report = sync(source, database, options, full, batch_rows, progress, not no_derive)
        finally:
            progress.close()
            source.close()
        narration.write(_told(report, include_private))


@main.command()
@database_option
@click.option(
    "--dialect",
    type=click.Choice(["spark"]),
    help="Write the views in another engine's SQL instead, and leave the file as it is.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to, with --dialect.  [default: standard output]",
)
def views(database: Path | None, dialect: str | None, output: Path | None) -> None:
    """Define the SQL views anew in the file, without asking any server.

    \b
    mirror views
    mirror views --dialect spark -o views.sql
    """
    if dialect:
        from mirror.spark.script import script

        with store.connect(database) as connection:
            text, refused = script(connection)
        if output:
            output.write_text(text, encoding="utf-8")
        else:
            click.echo(text)
        for name, why in refused.items():
            click.echo(visible(f"left out {name}: {why}"), err=True)
        return
    if output:
        raise UsageError("-o says where the SQL of --dialect goes: add --dialect spark.")
    from mirror.views import apply

    with interruption.soon(lambda: _say_interrupted(sys.stderr)):
        applied = apply(database)
    for name, why in applied.skipped.items():
        click.echo(visible(f"skipped {name}: {why}"), err=True)
    click.echo(f"{len(applied.views)} views in {store.path(database)}", err=True)


@main.command()
@click.argument("name")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option("--remove", is_flag=True, help="Forget the cohort.")
@database_option
def cohort(name: str, file: Path | None, remove: bool, database: Path | None) -> None:
    """Make the mice that a CSV file names a cohort of your own.

    The file names them by nickname or uuid, in its first column or under subject_nickname or
    subject_uuid. Syncs keep the cohort; it is in the view cohorts, and any chart takes it.

    \b
    mirror cohort fast fast_mice.csv
    mirror plot learning_curves --cohort fast
    mirror cohort fast --remove
    """
    from mirror import cohorts

    if remove == (file is not None):
        raise UsageError("Name the CSV file with the mice of the cohort, or --remove it.")
    with interruption.soon(lambda: _say_interrupted(sys.stderr)):
        if file is None:
            cohorts.remove(name, database)
            return
        listed = cohorts.put(name, file, database)
    told = []
    if listed.unknown:
        told.append(f"left out, no mouse in this mirror: {', '.join(listed.unknown)}")
    told += [
        f"left out, give the uuid: {name} is {' and '.join(mice)}"
        for name, mice in listed.several.items()
    ]
    if listed.no_view:
        told.append(f"kept, but this mirror has no view cohorts: {listed.no_view}")
    told.append(f"{listed.mice} mice in the cohort {name}")
    for line in told:
        click.echo(visible(line), err=True)


@main.command()
@database_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(database: Path | None, as_json: bool) -> None:
    """Say what is in the file, from where, and how old it is."""
    from mirror.inventory import status

    path = store.path(database)
    with store.connect(path) as connection:
        found = status(connection, path)
    if as_json:
        found = {**found, "options": json.loads(found["options"])}
        found["versions"] = json.loads(found["versions"])
        click.echo(json.dumps(found, default=str, indent=2))
        return
    age = timedelta(seconds=max(found["age_seconds"], 0))
    if found["is_simulated"]:
        click.echo("SIMULATED DATA: no animal did any of this")
    click.echo(f"{found['database']}, {found['bytes'] / 1e6:.1f} MB, synced {_ago(age)}")
    click.echo(visible(f"from {found['address']} ({found['source']}), run {found['run']}"))
    if found["options"] != "{}":
        click.echo(visible(f"narrowed by {found['options']}"))
    click.echo(f"{found['n_tables']} tables, {found['n_rows']:,} rows")
    why_not = dict(found["left_out"]).get("derived")
    said = "nothing" + (f" ({why_not})" if why_not else "")
    if found["derived"]:
        said = f"{len(found['derived'])} tables, {sum(n for _, n in found['derived']):,} rows"
    click.echo(f"derived: {said}")
    for column, n in found["forced_to_null"].items():
        click.echo(visible(f"became NULL: {n:,} values of {column}"))
    for child, parent, n in found["orphans"]:
        click.echo(visible(f"dangling: {n:,} rows of {child} refer to no row of {parent}"))
    for name, listed, here in found["cohorts"]:
        away = f", {listed - here:,} of them not here" if listed > here else ""
        click.echo(visible(f"your cohort {name}: {listed:,} mice{away}"))
    for name, why in found["views_skipped"]:
        click.echo(visible(f"no view {name}: {why}"))
    for line in _noted(found["notes"]):
        click.echo(visible(line))
    click.echo(
        f"left out: {found['columns_left_out']} columns and {len(found['left_out'])} tables"
        " ('mirror sql \"from _mirror.left_out\"')"
    )


@main.command()
@click.argument("name", required=False, shell_complete=completion.tables)
@database_option
@click.option("--search", "word", metavar="WORD", help="Only what has it in a name or comment.")
@click.option("--all", "with_empty", is_flag=True, help="Also tables without rows.")
@click.option("--json", "as_json", is_flag=True, help="For programs, with all columns.")
def describe(
    name: str | None, database: Path | None, word: str | None, with_empty: bool, as_json: bool
) -> None:
    """Show the tables and views, or the columns of one with types and comments.

    \b
    mirror describe
    mirror describe trials
    mirror describe behavior.TrialSet.Trial
    mirror describe --search contrast
    """
    from mirror.inventory import describe, listed

    if name is not None and word is not None:
        raise UsageError("Name one table or view, or --search in all of them.")
    with store.connect(database) as connection:
        if name is not None:
            shown = describe(connection, name)
            click.echo(json.dumps(_plain(shown), indent=2) if as_json else _in_full(shown))
            return
        found = listed(connection, word)
    kept = [d for d in found if with_empty or d.entry.rows != 0 or d.entry.kind == "view"]
    if as_json:
        click.echo(json.dumps([_plain(some) for some in kept], indent=2))
    elif kept:
        click.echo("\n".join(map(_clipped, _grouped(kept, word is not None))))
    else:
        click.echo(visible(f"nothing has {word!r} in a name or comment."), err=True)
    if hidden := len(found) - len(kept):
        click.echo(f"{hidden} tables without rows are not shown: --all shows them.", err=True)


@main.command()
@click.argument("query")
@database_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "markdown", "parquet"]),
    help="[default: table on a terminal, else csv]",
)
def sql(query: str, database: Path | None, form: str | None) -> None:
    """Run one query that reads, and print its result.

    \b
    mirror sql "select lab_name, count(*) from sessions group by all"
    mirror sql "from subjects" --format parquet > subjects.parquet
    """
    from mirror.output import write

    form = form or ("table" if sys.stdout.isatty() else "csv")
    if form == "parquet" and sys.stdout.isatty():
        raise UsageError("Parquet is no sight for a terminal: add > FILE.parquet.")
    with store.connect(database) as connection:
        write(connection, query, form, sys.stdout, sys.stdout.buffer)
    sys.stdout.flush()


@main.command()
@database_option
def shell(database: Path | None) -> None:
    """Open the DuckDB shell on the file, read-only."""
    path = store.path(database)
    store.connect(path).close()
    program = shutil.which("duckdb", path=os.pathsep.join([_scripts(), os.environ.get("PATH", "")]))
    if program is None:
        raise UsageError(
            "The DuckDB shell is not installed, the extra [shell] brings it: pip install"
            " '.[shell]' in the checkout, or use 'mirror sql'."
        )
    spill = f"set temp_directory = {store.literal(str(store.spill_folder(path)))}"
    settings = ("-cmd", store.TRUSTED_OPTIMIZERS, "-cmd", spill)
    command = [program, "-readonly", str(path), *settings]
    sys.exit(subprocess.run(command, check=False).returncode)


@main.command()
@click.argument("name", required=False, shell_complete=completion.tables)
@database_option
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A .csv or .parquet file.  [default: NAME.csv]",
)
@click.option(
    "--all",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Everything instead, as a folder of Parquet; other mice are added to those in it.",
)
@click.option("--full", is_flag=True, help="With --all, replace what the folder holds.")
def export(
    name: str | None,
    database: Path | None,
    output: Path | None,
    folder: Path | None,
    full: bool,
) -> None:
    """Write a table, a view or a query's result to CSV or Parquet, or the whole mirror.

    \b
    mirror export sessions
    mirror export "from trials where subject_nickname = 'KS014'" -o ks014.parquet
    mirror export --all parquet/
    """
    if folder:
        from mirror import parquet

        if name or output:
            raise UsageError("--all exports everything into its folder: leave out NAME and -o.")
        with (
            interruption.soon(lambda: _say_interrupted(sys.stderr)),
            store.connect(database) as connection,
        ):
            held = parquet.export(connection, folder, full)
        click.echo(
            f"{len(held.tables)} tables, {len(held.views)} views and {len(held.mice)} mice in"
            f" {folder}",
            err=True,
        )
        return
    if full:
        raise UsageError("--full replaces the folder of an export: add --all DIR.")
    if name is None:
        raise UsageError("Say what to export: NAME, a query, or --all DIR.")
    from mirror.output import export

    if output is None:
        if len(name.split()) > 1:
            raise UsageError("A query has no name to call its file by: add -o FILE.")
        output = Path(f"{name}.csv")
    with store.connect(database) as connection:
        rows = export(connection, name, output)
    click.echo(f"{rows:,} rows in {output}", err=True)


@main.command()
@click.argument("name", required=False, shell_complete=completion.charts)
@database_option
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A .html, .svg, .png, .pdf or .json file.  [default: NAME.html]",
)
@click.option(
    "--lab", metavar="NAME", help="Only mice of this lab.", shell_complete=completion.labs
)
@click.option(
    "--cohort", metavar="NAME", help="Only mice of this cohort.", shell_complete=completion.cohorts
)
@click.option(
    "--subject", metavar="NICKNAME|UUID", help="This mouse.", shell_complete=completion.mice
)
@click.option("--session", metavar="START|UUID", help="This session.")
@click.option(
    "--scale",
    type=click.FloatRange(min=0.1, max=20),
    help="How large a pixel of the chart is drawn.  [default: 2 in .png, else 1]",
)
@click.option(
    "--width",
    type=click.IntRange(min=50, max=20_000),
    metavar="PIXELS",
    help="How wide the whole picture is, instead of --scale.",
)
@click.option("--title/--no-title", default=True, help="With the words above it, or for a slide.")
@click.option("--sql", is_flag=True, help="Print the chart's queries instead, for 'mirror shell'.")
def plot(
    name: str | None,
    database: Path | None,
    output: Path | None,
    scale: float | None,
    width: int | None,
    title: bool,
    sql: bool,
    **values: str | None,
) -> None:
    """Draw one of the charts, or list them.

    \b
    mirror plot
    mirror plot learning_curves --lab wittenlab -o witten.png
    mirror plot learning_curves --no-title --width 1600 -o slide.png
    mirror plot learning_curves --sql
    """
    from mirror.analyses import gallery

    if name is None:
        width = max(map(len, gallery.names()))
        for known in gallery.names():
            click.echo(_clipped(f"{known:<{width}}  {gallery.description(known)}"))
        return
    output = output or Path(f"{name}.html")
    given = {parameter: value for parameter, value in values.items() if value is not None}
    gallery.check(name, output, given, scale, width)
    with store.connect(database) as connection:
        settled, told = gallery.settle(connection, name, given)
        chart, queries = gallery.with_queries(connection, name, **settled)
        if not sql:
            gallery.save(chart if title else gallery.untitled(chart), output, scale, width)
    if why := gallery.why_empty(chart):
        told.append(f"there is nothing to draw: {why}.")
    for sentence in told:
        click.echo(visible(f"note: {sentence}"), err=True)
    if sql:
        click.echo(queries, nl=False)
    else:
        click.echo(str(output), err=True)


@main.command()
@database_option
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("report"),
    show_default=True,
    help="A folder; an earlier report in it is replaced.",
)
def report(database: Path | None, output: Path) -> None:
    """Write pages of all mice, sessions, charts and columns into a folder.

    They open with a double click on index.html, without a server or a network.

    \b
    mirror report -o report
    mirror report --database demo.duckdb -o demo_report
    """
    from tqdm import tqdm

    from mirror.report import build

    with tqdm(unit=" pages", file=sys.stderr, disable=None, leave=False) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        first = build(database, output, advance)
    click.echo(str(first), err=True)


@main.command()
@database_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=3306,
    show_default=True,
    help="0 is any free one.",
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    help="A file that holds the password.  [default: a random one, printed]",
)
@click.option("--no-password", is_flag=True, help="Let in whoever is on this machine.")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="The longest that a statement may take.",
)
def serve(
    database: Path | None,
    host: str,
    port: int,
    password_file: Path | None,
    no_password: bool,
    time_limit: float,
) -> None:
    """Answer DataJoint and MySQL clients from the file, as the server it came from did.

    Nothing can be written. A file that a sync puts in place is served from the next statement
    on. Ctrl-C ends it.

    \b
    mirror serve
    mirror serve --port 3307 --password-file password.txt
    """
    from mirror.inventory import status
    from mirror.serve.engine import Engine
    from mirror.serve.wire.handshake import is_read_by_others, password_from
    from mirror.serve.wire.server import Server, is_loopback

    path = store.path(database)
    is_open = not is_loopback(host)
    if no_password and password_file:
        raise UsageError("Choose one of --no-password and --password-file.")
    if no_password and is_open:
        raise UsageError(
            f"{host} is reached from other machines: leave --no-password out, or --host."
        )

    def tell(sentence: str) -> None:
        click.echo(visible(f"mirror: {sentence}"), err=True)

    password = None if no_password else password_from(password_file)
    if password_file is not None and is_read_by_others(password_file):
        tell(
            f"others on this machine can read the password file {password_file}: run"
            f" 'chmod 600 {shlex.quote(str(password_file))}'."
        )
    with Server(path, Engine, host, port, password, time_limit, tell) as server:
        if is_open:
            tell(f"whoever reaches {host} and knows the password can read the data.")
        shown = password if password_file is None else f"$(cat {shlex.quote(str(password_file))})"
        with store.connect(path) as connection:
            if status(connection, path)["is_simulated"]:
                tell("the data are simulated, no animal ever did what they say.")
        click.echo(_way_in(path, host, server.port, shown), err=True)
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        server.serve()


def _say_interrupted(narration: TextIO) -> None:
    # past Python's own file, whose lock whoever was interrupted may hold
    start = "\n" if narration.isatty() else ""
    os.write(narration.fileno(), f"{start}{INTERRUPTED}\n".encode())


def _told(report: Any, include_private: bool) -> str:
    """The summary at the end of a sync."""
    ways: dict[str, int] = {}
    for table in report.tables:
        ways[table.how] = ways.get(table.how, 0) + 1
    how = ", ".join(f"{n} {way}" for way, n in ways.items())
    resumed = ", going on from an interrupted sync" if report.is_resumed else ""
    lines = [
        f"{len(report.tables)} tables ({how}{resumed}), {report.rows:,} rows,"
        f" {report.seconds:.1f} s, in {report.database}"
    ]
    derived = report.derived
    lines.append(
        f"derived: left out ({derived.why})"
        if derived.how == "left out"
        else f"derived: {len(derived.rows)} tables ({derived.how}), {sum(derived.rows.values()):,}"
        f" rows, {derived.seconds:.1f} s"
    )
    columns = sum(len(table.left_out) for table in report.tables)
    hidden = [item for item in report.left_out if item.why == BOOKKEEPING]
    lines.append(
        f"left out: {columns} columns (private, or stored elsewhere) and {len(hidden)} of"
        " DataJoint's own tables"
    )
    lines += [
        f"left out: {item.what}, {item.why}" for item in report.left_out if item not in hidden
    ]
    lines += [f"kept as it was: {item.what}, {item.why}" for item in report.kept]
    lines += [f"no longer on the server: {name}" for name in report.gone]
    for table in report.tables:
        for column, n in table.forced_to_null.items():
            lines.append(f"became NULL: {n:,} values of {table.table}.{column}")
        for column, n in table.read_as_true.items():
            lines.append(f"read as true: {n:,} values of {table.table}.{column}, neither 0 nor 1")
    lines += _noted((table.table, note) for table in report.tables for note in table.notes)
    lines += [f"dangling: {orphan}" for orphan in report.orphans]
    lines += [f"no view {name}: {why}" for name, why in report.views.skipped.items()]
    # the commands of the next line find the file without being told only where it is the default
    is_default = report.database == store.path().absolute()
    named = "" if is_default else f" --database {shlex.quote(os.path.relpath(report.database))}"
    if include_private and os.name == "posix" and report.database.stat().st_mode & 0o077:
        lines.append(
            f"note: other accounts may read {report.database}, which holds private columns now:"
            " 'chmod 600' keeps it for you"
        )
    lines.append(
        f'next: mirror sql{named} "from sessions limit 5", mirror describe{named},'
        f" mirror shell{named}"
    )
    return "\n".join(map(visible, lines)) + "\n"


def _in_full(shown: "Described") -> str:
    """A table or view with its columns, for eyes."""
    rows = "" if shown.entry.rows is None else f", {shown.entry.rows:,} rows"
    lines = [f"{shown.entry.name} ({shown.entry.kind}{rows})"]
    if shown.origin:
        lines.append(f"DataJoint: {shown.origin}")
    lines += [shown.entry.comment, ""]
    columns = [tuple(map(visible, column)) for column in shown.columns]
    width = max(len(column) for column, *_ in columns)
    types = max(min(len(kind), 20) for _, kind, *_ in columns)
    lines += [f"{column:<{width}}  {kind:<{types}}  {comment}" for column, kind, comment in columns]
    lines += [f"note: {note}" for note in shown.notes]
    return "\n".join(visible(line).rstrip() for line in lines)


def _grouped(found: "Sequence[Described]", with_columns: bool) -> list[str]:
    """A line for each table and view, and for each of its columns, under those of its folder."""
    lines: list[str] = []
    for folder, some in groupby(found, key=lambda described: described.entry.folder):
        group = list(some)
        width = max(len(visible(described.entry.name)) for described in group)
        lines += ["", visible(folder)] if lines else [visible(folder)]
        for entry, columns in ((described.entry, described.columns) for described in group):
            rows = "" if entry.rows is None else f"{entry.rows:,}"
            name = f"  {visible(entry.name):<{width}}"
            lines.append(visible(f"{name}  {entry.kind:<8}  {rows:>11}  {entry.comment}"))
            if with_columns:
                lines += [visible(f"      {c.name}  {c.comment}") for c in columns]
    return lines


def _plain(described: "Described") -> dict[str, Any]:
    """What is known of a table or view, for JSON."""
    return {
        **asdict(described.entry),
        "columns": [column._asdict() for column in described.columns],
        "notes": list(described.notes),
    }


def _noted(notes: Iterable[tuple[str, str]]) -> list[str]:
    """A line for each note, of how many tables where that is told of many."""
    tables: dict[str, list[str]] = {}
    for table, note in notes:
        tables.setdefault(note, []).append(table)
    return [
        f"note: {', '.join(some) if len(some) < 4 else f'{len(some)} tables'}: {note}"
        for note, some in tables.items()
    ]


def _way_in(file: Path, host: str, port: int, password: str | None) -> str:
    """How clients reach a server."""
    if host in ("0.0.0.0", "::", ""):
        host = socket.gethostname()
    return "\n".join(
        [
            f"Serving {file}, to be read only. Any user name will do:",
            # DataJoint has no variable for the port
            f"  DJ_HOST={host}" + ("" if port == 3306 else f":{port}"),
            "  DJ_USER=ibl",
            # DataJoint asks at the terminal for a password that is empty
            f"  DJ_PASS={password or 'any'}",
            "Ctrl-C ends it.",
        ]
    )


def _ago(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    if hours < 1:
        return f"{hours * 60:.0f} minutes ago"
    return f"{hours:.0f} hours ago" if hours < 48 else f"{hours / 24:.0f} days ago"


def _clipped(line: str) -> str:
    """The line as wide as the terminal; whole where there is none."""
    if not sys.stdout.isatty():
        return line.rstrip()
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else line[: width - 1] + "…"


def _scripts() -> str:
    return str(Path(sys.executable).parent)
