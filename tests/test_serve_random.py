"""Random DataJoint expressions get what MariaDB answers; bench_serve_random.py asks more."""

from collections.abc import Iterator

import ibl
import judge
import menagerie
import pytest
from expressions import Question, questions, survey
from hypothesis import HealthCheck, given, settings
from server import READER, Server

from mirror.serve.offline import OfflineConnection


@pytest.fixture(scope="module")
def sides(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[judge.Side, judge.Side]]:
    file = tmp_path_factory.mktemp("menagerie") / "ibl.duckdb"
    menagerie.mirrored(server, file)
    theirs = judge.Side(judge.connect("127.0.0.1", server.port, *READER))
    ours = judge.Side(OfflineConnection(file))
    yield theirs, ours
    theirs.connection.close()
    ours.connection.close()
    ibl.drop(server)


def test_random_expressions_are_equal_or_refused(sides: tuple[judge.Side, judge.Side]) -> None:
    theirs, ours = sides
    counts = dict.fromkeys(("equal", "near", "refused", "skipped"), 0)

    @settings(
        max_examples=150,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    )
    @given(questions(survey(theirs.classes)))
    def ask(question: Question) -> None:
        one, other = theirs.ask(question.recipe), ours.ask(question.recipe)
        verdict = judge.judge(one, other, question.in_order, question.folded)
        assert verdict.kind != "different", f"{verdict.why}\n{theirs.statements[-1:]}"
        counts[verdict.kind] += 1

    ask()
    assert counts["skipped"] < 0.1 * sum(counts.values())
    assert counts["refused"] < 0.02 * sum(counts.values())


def test_a_limit_below_a_join_counts_all_rows_each_time(
    sides: tuple[judge.Side, judge.Side],
) -> None:
    """Where DuckDB's join filters are on, two of three answers are wrong."""
    statement = (
        "select count(distinct subject_uuid) from"
        " (select subject_uuid from ibl_subject.death order by death_date, subject_uuid limit 1) d"
        " where subject_uuid in (select subject_uuid from ibl_subject.subject_project"
        " where subject_project = subject_project is not false) and subject_uuid in (select"
        " subject_uuid from ibl_analyses_behavior.__behavioral_summary_by_date__psych_results)"
    )
    [right], *_ = [side.connection.query(statement).fetchall() for side in sides]
    answers = {sides[1].connection.query(statement).fetchone() for _ in range(50)}

    assert answers == {right}


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (1.0, 1.0, "equal"),
        (float("nan"), float("nan"), "equal"),
        (0.1 + 0.2, 0.3, "near"),
        (0.1, 0.100001, "different"),
        (1, 1.0, "different"),
        (1, True, "different"),
        ("a", "A", "different"),
        (["a", "b"], ["b", "a"], "equal"),
        ([{"x": 1}], [{"y": 1}], "different"),
    ],
)
def test_the_judge(one: object, other: object, kind: str) -> None:
    assert judge.judge(one, other).kind == kind
