"""The command `mirror`, from what is typed to what is printed."""

import csv
import io
import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import duckdb
import ibl
import pandas as pd
import pytest
import server as mariadb
from click.testing import CliRunner, Result

from mirror import connect
from mirror.cli import main
from mirror.printing import visible
from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import sync

AWKWARD = """
select 1 as whole, null::integer as nothing, 'nan'::double as nan, '-inf'::float as infinite,
    1.50::decimal(5, 2) as price, true as yes, 'a"b,c' as quoted, e'x\\ny|z' as lines,
    'zoë' as name, '11111111-1111-4111-8111-111111111111'::uuid as id,
    [0.5::double, null, 'nan'] as list,
    [[1, 2], []] as nested, timestamp '2019-08-01 11:05:30.25' as moment, date '2019-08-01' as day,
    interval 90 minutes as span, {'k': date '2019-08-01'} as structure
"""
COMMANDS = ("sync", "views", "status", "describe", "sql", "shell", "export")


@pytest.fixture(scope="module")
def synced(server: mariadb.Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("cli") / "ibl.duckdb"
    ibl.drop(server)
    ibl.declare(ibl.connect(server))
    user, password = mariadb.READER
    source = DataJointSource(Login("127.0.0.1", server.port, user, Secret(password), None, ""))
    sync(source, file)
    source.close()
    ibl.drop(server)
    return file


@pytest.fixture
def run(synced: Path) -> Callable[..., Result]:
    """Run a command on the synced file without a process of its own."""

    def run(*arguments: str) -> Result:
        return CliRunner(env={"MIRROR_DATABASE": str(synced)}).invoke(main, arguments)

    return run


@pytest.fixture
def process(synced: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    def process(*arguments: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "mirror", *arguments],
            cwd=tmp_path,
            env={**os.environ, "MIRROR_DATABASE": str(synced), **options.pop("env", {})},
            **{"capture_output": True, "timeout": 60, "stdin": subprocess.DEVNULL} | options,
        )

    return process


def at_terminal(synced: Path, columns: int, *arguments: str) -> tuple[str, int]:
    """Run a command with a terminal for standard output; returns what it showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mirror", *arguments],
        env={**os.environ, "MIRROR_DATABASE": str(synced), "COLUMNS": str(columns)},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.STDOUT,
    ) as running:
        os.close(theirs)
        shown = b""
        try:
            while some := os.read(ours, 4096):
                shown += some
        except OSError:
            # Linux's way to say that the other end is closed
            pass
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), running.returncode


def one_sentence(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    sentence, _, picture = result.stderr.partition("\n")
    # DuckDB's, of the place in a query
    assert sentence.startswith("mirror: ") and (not picture or picture.startswith("\nLINE "))
    return result.stderr


# status and describe


def test_status_says_what_is_in_the_file_and_whence(run: Callable[..., Result]) -> None:
    shown = run("status")
    found = json.loads(run("status", "--json").stdout)

    assert shown.exit_code == 0
    assert f"{found['n_tables']} tables, {found['n_rows']} rows" in shown.stdout
    assert f"from {found['address']} (datajoint), run 1" in shown.stdout
    assert "synced 0 minutes ago" in shown.stdout
    assert "SIMULATED" not in shown.stdout
    assert found["n_tables"] == 17
    assert found["options"] == {}
    assert set(found["versions"]) == {"ibl-mirror", "duckdb", "datajoint", "server"}
    assert ["subject.~log", "DataJoint's own bookkeeping"] in found["left_out"]


def test_describe_lists_views_first_by_folder_and_no_provenance(run: Callable[..., Result]) -> None:
    groups = [group.splitlines() for group in run("describe").stdout.split("\n\n")]

    heads = [head for head, *_ in groups]
    assert heads[0] == "base" and heads.index("tutorial") < heads.index("behavior")
    assert "_mirror" not in heads
    [base] = [group for head, *group in groups if head == "base"]
    assert {"sessions", "subjects", "trials"} <= {line.split()[0] for line in base}
    [behavior] = [group for head, *group in groups if head == "behavior"]
    [trials] = [line for line in behavior if line.startswith("  behavior.trial_set__trial")]
    assert trials.split()[1:3] == ["part", "24"]


def test_describe_hides_tables_without_rows_and_says_so(run: Callable[..., Result]) -> None:
    shown, all_of_it = run("describe"), run("describe", "--all")

    # the names of a group are as wide as the longest that is shown
    seen, every = (
        {tuple(line.split()) for line in text.stdout.splitlines()} for text in (shown, all_of_it)
    )
    # neither is the head of a group of which nothing is left
    hidden = {words for words in every - seen if len(words) > 1}
    assert {words[2] for words in hidden} == {"0"}
    told = f"{len(hidden)} tables without rows are not shown: --all shows them.\n"
    assert shown.stderr == told
    assert all_of_it.stderr == ""


def test_describe_searches_names_and_comments_of_tables_and_columns(
    run: Callable[..., Result],
) -> None:
    lines = run("describe", "--search", "TRIALSET.tri").stdout.splitlines()
    by_column = run("describe", "--search", "right minus LEFT").stdout

    assert [line.split()[0] for line in lines] == ["behavior", "behavior.trial_set__trial"]
    assert "\n  trials " in by_column and "\n      signed_contrast  " in by_column
    assert "trial_id" not in by_column
    assert run("describe", "--search", "zzz").stderr.startswith("nothing has 'zzz' in a name")
    one_sentence(run("describe", "trials", "--search", "block"))


def test_describe_tells_programs_all_it_knows(run: Callable[..., Result]) -> None:
    found = {entry["name"]: entry for entry in json.loads(run("describe", "--json").stdout)}
    one = json.loads(run("describe", "behavior.TrialSet.Trial", "--json").stdout)

    assert found["trials"]["folder"] == "base" and found["trials"]["rows"] == 24
    assert "_mirror.runs" not in found
    assert one == found["behavior.trial_set__trial"]
    assert one["origin"] == "behavior.TrialSet.Trial"
    assert one["columns"][0] == {"name": "subject_uuid", "type": "UUID", "comment": ""}


def completed(synced: Path, *words: str) -> list[str]:
    """What the shell is offered for the last word."""
    done = CliRunner(
        env={
            "MIRROR_DATABASE": str(synced),
            "_MIRROR_COMPLETE": "bash_complete",
            "COMP_WORDS": shlex.join(["mirror", *words]),
            "COMP_CWORD": str(len(words)),
        }
    ).invoke(main, prog_name="mirror")
    return [line.removeprefix("plain,") for line in done.stdout.split()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["des"], ["describe"]),
        (["describe", "session_l"], ["session_labels"]),
        (["export", "behavior.trial_set_"], ["behavior.trial_set__trial"]),
        (["plot", "sessions_per_l"], ["sessions_per_lab"]),
        (["plot", "learning_curves", "--lab", "cor"], ["cortexlab"]),
        (["plot", "learning_curves", "--subject", "KS"], ["KS014"]),
        (["plot", "learning_curves", "--database", "none.duckdb", "--lab", "w"], []),
    ],
    ids=str,
)
def test_the_shell_completes_what_is_in_the_mirror(
    synced: Path, words: list[str], offered: list[str]
) -> None:
    assert completed(synced, *words) == offered


def test_describe_shows_the_columns_of_a_view(run: Callable[..., Result]) -> None:
    shown = run("describe", "trials").stdout

    assert shown.startswith("trials (view, 24 rows)\nOne row per trial")
    [line] = [line for line in shown.splitlines() if line.startswith("signed_contrast ")]
    assert line.split()[1] == "DOUBLE" and "percent, right minus left" in line


@pytest.mark.parametrize("name", ["behavior.trial_set__trial", "trial_set__trial"])
def test_describe_finds_a_table_by_either_of_its_names(
    run: Callable[..., Result], name: str
) -> None:
    shown = run("describe", name).stdout

    assert shown == run("describe", "behavior.TrialSet.Trial").stdout
    assert shown.startswith("behavior.trial_set__trial (part, 24 rows)\n")
    assert "DataJoint: behavior.TrialSet.Trial\n" in shown
    assert "end of iti (seconds)" in shown


ODD = "\x1b]0;title\a\x1b[2J\rred\x9b31m\nbehavior.more  table\u202e"
SHOWN = r"\x1b]0;title\x07\x1b[2J\rred\x9b31m\nbehavior.more  table\u202e"


@pytest.fixture
def odd(synced: Path, tmp_path: Path) -> Path:
    """A mirror of a server that writes to terminals."""
    file = tmp_path / "odd.duckdb"
    shutil.copyfile(synced, file)
    with duckdb.connect(file) as connection:
        for kind, name in (("table", "subject.subject"), ("column", "subject.subject.sex")):
            connection.execute(f"comment on {kind} {name} is '{ODD}'")
        connection.execute(f"""create table subject."{ODD}" ("{ODD}" enum ('{ODD}'))""")
        connection.execute(f"update _mirror.runs set address = '{ODD}'")
        connection.execute(f"update _mirror.tables set notes = ['{ODD}'], datajoint_name = '{ODD}'")
        connection.execute(f"update _mirror.views set skipped = '{ODD}'")
        connection.execute(f"update _mirror.foreign_keys set violations = 1, table_name = '{ODD}'")
    return file


@pytest.mark.parametrize(
    "arguments",
    [
        ["describe"],
        ["describe", "subject.subject"],
        ["describe", f"subject.{ODD}"],
        ["describe", f"no {ODD}"],
        ["status"],
        ["sql", f"select error('{ODD}') from subject.subject"],
        ["sql", f"select '{ODD}' as \"{ODD}\"", "--format", "table"],
    ],
    ids=str,
)
def test_what_a_server_wrote_cannot_command_the_terminal(odd: Path, arguments: list) -> None:
    done = CliRunner(env={"MIRROR_DATABASE": str(odd), "COLUMNS": "300"}).invoke(main, arguments)

    assert "title" in done.output
    for line in done.output.split("\n"):
        assert line.isprintable()


def test_control_characters_are_written_out() -> None:
    assert visible(ODD) == SHOWN
    assert visible("Łukasz, 日本 🐭\xa0ß") == "Łukasz, 日本 🐭\xa0ß"


def test_describe_knows_a_name_in_any_case_as_sql_does(run: Callable[..., Result]) -> None:
    assert run("describe", "SESSIONS").stdout == run("describe", "sessions").stdout


def test_describe_notes_the_columns_that_were_left_out(run: Callable[..., Result]) -> None:
    shown = run("describe", "reference.lab_member").stdout

    assert "note: left out: password: private\n" in shown
    assert "note: left out: email: private\n" in shown


def test_an_unknown_name_is_answered_with_the_nearest(run: Callable[..., Result]) -> None:
    assert "did you mean 'trials'?" in one_sentence(run("describe", "trails"))
    assert "'mirror describe' lists what there is" in one_sentence(run("describe", "zzz"))


# sql: the formats


def test_csv_reads_back_as_the_result(run: Callable[..., Result]) -> None:
    names, values = csv.reader(io.StringIO(run("sql", AWKWARD).stdout))

    assert dict(zip(names, values, strict=True)) == {
        "whole": "1",
        "nothing": "",
        "nan": "nan",
        "infinite": "-inf",
        "price": "1.50",
        "yes": "true",
        "quoted": 'a"b,c',
        "lines": "x\ny|z",
        "name": "zoë",
        "id": "11111111-1111-4111-8111-111111111111",
        "list": "[0.5, NULL, nan]",
        "nested": "[[1, 2], []]",
        "moment": "2019-08-01 11:05:30.25",
        "day": "2019-08-01",
        "span": "01:30:00",
        "structure": "{'k': 2019-08-01}",
    }


def test_json_reads_back_as_the_result(run: Callable[..., Result]) -> None:
    [row] = json.loads(run("sql", AWKWARD, "--format", "json").stdout)

    assert row == {
        "whole": 1,
        "nothing": None,
        "nan": "nan",
        "infinite": "-inf",
        "price": 1.5,
        "yes": True,
        "quoted": 'a"b,c',
        "lines": "x\ny|z",
        "name": "zoë",
        "id": "11111111-1111-4111-8111-111111111111",
        "list": [0.5, None, "nan"],
        "nested": [[1, 2], []],
        "moment": "2019-08-01 11:05:30.25",
        "day": "2019-08-01",
        "span": "01:30:00",
        "structure": {"k": "2019-08-01"},
    }


def test_json_keeps_columns_of_one_name_apart(run: Callable[..., Result]) -> None:
    shown = run("sql", "select 1 as a, 2 as a, 3 as a_1", "--format", "json").stdout

    assert json.loads(shown) == [{"a": 1, "a_1": 2, "a_1_1": 3}]


def test_markdown_keeps_one_line_per_row(run: Callable[..., Result]) -> None:
    query = "select e'x\\ny|z' as text, null as nothing, [1, 2] as list union all select 'b', 1, []"

    assert run("sql", query, "--format", "markdown").stdout.splitlines() == [
        "| text | nothing | list |",
        "| --- | --- | --- |",
        "| x<br>y\\|z |  | [1, 2] |",
        "| b | 1 | [] |",
    ]


def test_parquet_in_a_pipe_reads_back_as_the_result(
    process: Callable[..., subprocess.CompletedProcess], synced: Path, tmp_path: Path
) -> None:
    done = process("sql", AWKWARD, "--format", "parquet")
    (tmp_path / "result.parquet").write_bytes(done.stdout)

    with connect(synced) as mirror:
        there = mirror.sql(f"from '{tmp_path}/result.parquet'")
        here = mirror.sql(AWKWARD)
        assert (done.returncode, done.stderr) == (0, b"")
        # Parquet's own rounds to milliseconds
        types = ["VARCHAR" if kind.id == "interval" else kind for kind in here.types]
        assert (there.columns, there.types) == (here.columns, types)
        again = there.project("* replace (span::interval as span)")
        assert str(again.fetchall()) == str(here.fetchall())


def test_an_empty_result_has_its_form_still(run: Callable[..., Result]) -> None:
    query = "select lab_name, sex from subjects where false"

    assert run("sql", query).stdout == "lab_name,sex\n"
    assert json.loads(run("sql", query, "--format", "json").stdout) == []
    assert run("sql", query, "--format", "markdown").stdout.startswith("| lab_name | sex |\n")


def test_a_terminal_gets_a_table_as_wide_as_it_is(synced: Path) -> None:
    narrow, code = at_terminal(synced, 90, "sql", "from sessions")
    wide, _ = at_terminal(synced, 200, "sql", "from sessions")

    assert code == 0
    assert "subject_nickname" in wide and "subject_nickname" not in narrow
    assert max(map(len, narrow.splitlines())) <= 90 < max(map(len, wide.splitlines())) <= 200


def test_parquet_is_not_written_to_a_terminal(synced: Path) -> None:
    shown, code = at_terminal(synced, 80, "sql", "from sessions", "--format", "parquet")

    assert code == 2
    assert shown.startswith("mirror: ") and "> FILE.parquet" in shown


@pytest.mark.parametrize("form", ["csv", "json", "table", "parquet"])
def test_head_ends_a_large_result_quietly(synced: Path, form: str) -> None:
    query = f'"$0" -m mirror sql "from range(1000000)" --format {form} --database "$1"'
    done = subprocess.run(
        ["bash", "-c", query + ' | head -c 1; echo " ${PIPESTATUS[0]}"', sys.executable, synced],
        capture_output=True,
        timeout=60,
    )

    assert done.stdout.endswith(b" 0\n")
    assert done.stderr == b""


def test_a_full_disk_behind_the_output_is_told(
    process: Callable[..., subprocess.CompletedProcess],
) -> None:
    with open("/dev/full", "wb") as full:
        done = process(
            "sql", "from range(100000)", stdout=full, capture_output=False, stderr=subprocess.PIPE
        )

    assert done.returncode == 1
    assert done.stderr == b"mirror: the output cannot be written (No space left on device).\n"


def test_output_is_utf8_whatever_the_locale(
    process: Callable[..., subprocess.CompletedProcess],
) -> None:
    done = process("sql", "select 'zoë' as name", env={"PYTHONIOENCODING": "ascii"})

    assert done.stdout.decode() == "name\nzoë\n"


# sql: what is refused


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("select * form trials", "LINE 1: select * form trials\n                      ^"),
        ("select lab_name,\n nope from sessions", "LINE 2:  nope from sessions\n         ^"),
        ("from nowhere", "LINE 1: from nowhere\n             ^"),
        ("select lab_nam(1)", "LINE 1: select lab_nam(1)\n               ^"),
    ],
)
@pytest.mark.parametrize("command", ["sql", "export"])
def test_a_wrong_query_is_answered_with_the_place_in_it(
    run: Callable[..., Result], command: str, query: str, place: str
) -> None:
    to = ["-o", "never.csv"] if command == "export" else []
    said = one_sentence(run(command, query, *to))

    # DuckDB 2 underlines all of it
    assert said.partition("\n\n")[2].rstrip("^\n") == place.rstrip("^")


def test_a_place_in_what_nobody_typed_is_not_shown(run: Callable[..., Result]) -> None:
    query = "select cast(lab_name as integer) from sessions"

    assert one_sentence(run("sql", query)).count("\n") == 1


@pytest.mark.parametrize("name", ["connection", "query", "result", "sys"])
def test_no_variable_of_python_answers_for_a_table(run: Callable[..., Result], name: str) -> None:
    for command in (["sql", f"from {name}"], ["export", f"from {name}", "-o", "never.csv"]):
        assert f"Table with name {name} does not exist" in one_sentence(run(*command))


def test_no_variable_of_python_answers_in_python(synced: Path) -> None:
    mice = pd.DataFrame({"mouse": [1]})
    with connect(synced) as mirror:
        with pytest.raises(duckdb.CatalogException, match="mice does not exist"):
            mirror.sql("from mice")
        mirror.register("mice", mice)
        assert mirror.sql("from mice").fetchall() == [(1,)]


def test_a_query_may_read_a_file_of_the_user(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("lab_name,city\ncortexlab,London\n")
    query = f"select distinct city from sessions join '{tmp_path}/mine.csv' using (lab_name)"

    assert run("sql", query).stdout == "city\nLondon\n"


@pytest.mark.parametrize(
    "query",
    [
        "select 1; select 2",
        "",
        "copy sessions to 'stolen.csv'",
        "explain analyze copy sessions to 'stolen.csv'",
        "export database 'stolen'",
        "insert into reference.lab select * from reference.lab",
        "delete from reference.lab",
        "create table stolen as select 1",
        "attach 'stolen.duckdb'",
        "install httpfs",
        "set memory_limit = '1GB'",
    ],
)
def test_only_one_statement_that_reads_is_run(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.chdir(tmp_path)

    assert "one statement that reads" in one_sentence(run("sql", query))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("query", ["explain from trials", "describe trials", "summarize subjects"])
def test_statements_about_queries_read_too(run: Callable[..., Result], query: str) -> None:
    shown = run("sql", query)

    assert shown.exit_code == 0
    assert len(shown.stdout.splitlines()) > 1


# shell


def test_the_shell_reads_the_file(process: Callable[..., subprocess.CompletedProcess]) -> None:
    done = process("shell", input=b".mode csv\nselect count(*) as n from trials;", stdin=None)

    assert done.returncode == 0
    assert done.stdout.split() == [b"n", b"24"]


def test_the_shell_has_the_optimizers_that_can_be_trusted(
    process: Callable[..., subprocess.CompletedProcess],
) -> None:
    question = b".mode csv\nselect current_setting('disabled_optimizers') as off;"
    done = process("shell", input=question, stdin=None)

    assert done.stdout.split() == [b"off", b"join_filter_pushdown"]


def test_the_shell_cannot_write(process: Callable[..., subprocess.CompletedProcess]) -> None:
    done = process("shell", input=b"delete from reference.lab;", stdin=None)

    assert done.returncode != 0
    assert b"read-only" in done.stderr


@pytest.mark.parametrize("path", ["", None])
def test_a_missing_shell_is_answered_with_how_to_install_it(
    synced: Path, tmp_path: Path, path: str | None
) -> None:
    # a Python with the same packages, and no scripts beside it
    python = tmp_path / "python"
    python.symlink_to(Path(sys.executable).resolve())
    packages = [sysconfig.get_path("purelib"), str(Path(ibl.__file__).parents[1])]
    variables = {"PYTHONPATH": os.pathsep.join(packages), "MIRROR_DATABASE": str(synced)}
    done = subprocess.run(
        [python, "-m", "mirror", "shell"],
        env=variables if path is None else {**variables, "PATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 2
    assert "pip install '.[shell]'" in done.stderr
    assert done.stderr.count("\n") == 1


# export


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    "name", ["trials", "behavior.trial_set__trial", "from trials -- every one"]
)
def test_an_export_holds_every_row(
    run: Callable[..., Result], tmp_path: Path, name: str, ending: str
) -> None:
    file = tmp_path / f"out.{ending}"
    done = run("export", name, "-o", str(file))

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"24 rows in {file}\n"
    assert duckdb.sql(f"select count(*), count(distinct trial_id) from '{file}'").fetchall() == [
        (24, 6)
    ]
    assert list(tmp_path.iterdir()) == [file]


def test_an_export_is_called_by_the_name_of_what_it_holds(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run("export", "sessions").exit_code == 0
    assert len((tmp_path / "sessions.csv").read_text().splitlines()) == 5
    assert "add -o FILE" in one_sentence(run("export", "from\nsessions"))


@pytest.mark.parametrize(
    ("name", "file", "answer"),
    [
        ("trials", "trials.txt", "should end in .csv or .parquet"),
        ("trails", "trials.csv", "did you mean 'trials'?"),
        ("from trails where true", "trials.csv", 'Did you mean "trials"?'),
        ("select 1; select 2", "trials.csv", "one statement that reads"),
        ("select error('boo') from trials", "trials.csv", "boo"),
        ("trials", "nowhere/trials.csv", "There is no folder"),
    ],
)
def test_a_failed_export_leaves_nothing_behind(
    run: Callable[..., Result], tmp_path: Path, name: str, file: str, answer: str
) -> None:
    (tmp_path / "trials.csv").write_text("of before")

    assert answer in one_sentence(run("export", name, "-o", str(tmp_path / file)))
    assert [f.name for f in tmp_path.iterdir()] == ["trials.csv"]
    assert (tmp_path / "trials.csv").read_text() == "of before"


def test_an_export_to_where_nobody_may_write_is_one_sentence(run: Callable[..., Result]) -> None:
    done = run("export", "trials", "-o", "/proc/trials.csv")

    assert done.exit_code == 1
    assert done.stderr.startswith("mirror: /proc/trials.csv") and done.stderr.count("\n") == 1


# every command


@pytest.mark.parametrize(
    "arguments",
    [["views"], ["status"], ["describe"], ["sql", "from trials"], ["shell"], ["export", "trials"]],
    ids=lambda arguments: arguments[0],
)
def test_without_a_file_every_command_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner(env={"MIRROR_DATABASE": None}).invoke(main, arguments)

    assert one_sentence(done) == (
        "mirror: There is no mirror at ibl.duckdb: make one with"
        " 'mirror sync --database ibl.duckdb'.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_every_command_has_help_that_says_what_it_does() -> None:
    assert set(main.commands) >= set(COMMANDS)
    for name in (None, *main.commands):
        shown = CliRunner().invoke(main, [name, "--help"] if name else ["--help"])
        assert shown.exit_code == 0
        usage, sentence = [line.strip() for line in shown.stdout.splitlines() if line.strip()][:2]
        assert usage.startswith("Usage: ")
        assert len(sentence.split()) > 4 and sentence[0].isupper()


@pytest.mark.parametrize("name", ["sync", "describe", "sql", "export"])
def test_commands_that_take_more_than_a_file_show_an_example(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"]).stdout

    assert f"\n  mirror {name} " in shown


def test_python_m_mirror_is_the_command_mirror(
    process: Callable[..., subprocess.CompletedProcess], synced: Path
) -> None:
    script = Path(sysconfig.get_path("scripts")) / "mirror"
    query = ["sql", "from sessions", "--format", "json", "--database", str(synced)]

    assert process(*query).stdout == subprocess.check_output([script, *query])


def test_the_option_goes_before_the_variable(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run("status", "--database", str(tmp_path / "other.duckdb"))

    assert "other.duckdb" in one_sentence(done)
