"""Random DataJoint expressions: how many the mirror answers as MariaDB does.

    python tests/bench_serve_random.py [--examples 2000] [--seed N] [--depth 4] [--show 10]
        [--shrink] [--against-itself]

Fills a private MariaDB, makes a mirror of it, and puts every expression to both. Prints how
many answers were equal, near (floats that differ in their last bits), refused by the mirror,
different, or skipped because MariaDB itself refused; then the smallest recipes of each reason,
with their SQL and both answers. --against-itself puts MariaDB on both sides, where all must be
equal: the test of this test. Exits with 1 when any answer differs.
"""

import argparse
import re
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

import datajoint as dj
import judge
import menagerie
import server as mariadb
from expressions import Question, questions, survey
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis.errors import NoSuchExample

from mirror.serve import render
from mirror.serve.answers import Refusal
from mirror.serve.offline import OfflineConnection
from mirror.serve.translate import Translator, parse


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--show", type=int, default=10, help="reasons to show of each kind")
    parser.add_argument("--shrink", action="store_true", help="look for smaller recipes")
    parser.add_argument("--against-itself", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ibl-") as folder:
        running = mariadb.start(Path(folder))
        try:
            menagerie.mirrored(running, Path(folder, "ibl.duckdb"))
            login = ("127.0.0.1", running.port, *mariadb.READER)
            theirs = judge.Side(judge.connect(*login))
            if arguments.against_itself:
                ours = judge.Side(judge.connect(*login))
            else:
                ours = judge.Side(OfflineConnection(Path(folder, "ibl.duckdb")))
            return run(theirs, ours, arguments)
        finally:
            running.stop()


@dataclass(frozen=True)
class Case:
    """A question, DataJoint's statement, the server's answer and the verdict."""

    question: Question
    asked: list[str]
    answer: object
    verdict: judge.Verdict


def run(theirs: judge.Side, ours: judge.Side, arguments: argparse.Namespace) -> int:
    found: dict[str, dict[str, list[Case]]] = defaultdict(lambda: defaultdict(list))
    drawn = questions(survey(theirs.classes), arguments.depth)
    spent = [0.0, 0.0]
    alike = settings(
        max_examples=arguments.examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    def put(question: Question) -> Case:
        answers = []
        for i, side in enumerate((theirs, ours)):
            start = time.perf_counter()
            answers.append(side.ask(question.recipe))
            spent[i] += time.perf_counter() - start
        verdict = judge.judge(*answers, question.in_order, question.folded)
        return Case(question, theirs.statements[-1:], answers[0], verdict)

    @seed(arguments.seed)
    @settings(alike, phases=[Phase.generate])
    @given(drawn)
    def collect(question: Question) -> None:
        case = put(question)
        found[case.verdict.kind][reason(case.verdict.why)].append(case)

    def smaller(case: Case) -> Case:
        """The least expression that is wrong in the same way, as far as it can be found."""
        kind, why = case.verdict.kind, reason(case.verdict.why)

        def is_like_it(question: Question) -> bool:
            verdict = put(question).verdict
            return (verdict.kind, reason(verdict.why)) == (kind, why)

        try:
            return put(find(drawn, is_like_it, settings=alike, random=Random(arguments.seed)))
        except NoSuchExample:
            return case

    collect()
    count = {kind: sum(map(len, reasons.values())) for kind, reasons in found.items()}
    asked = sum(count.values()) - count.get("skipped", 0)
    print(f"{sum(count.values())} expressions, seed {arguments.seed}; {asked} that MariaDB answers")
    print(f"seconds: MariaDB {spent[0]:.1f}, mirror {spent[1]:.1f}")
    for kind in ("equal", "near", "refused", "different", "skipped"):
        share = count.get(kind, 0) / (sum(count.values()) if kind == "skipped" else asked)
        print(f"{kind:10} {count.get(kind, 0):6} {share:8.2%}")
    for kind in ("different", "refused", "near", "skipped"):
        if found[kind]:
            print(f"\n== {kind}")
        most = sorted(found[kind].items(), key=lambda item: -len(item[1]))
        for why, cases in most[: arguments.show]:
            case = min(cases, key=lambda case: len(repr(case.question)))
            if arguments.shrink and kind == "different":
                case = min(smaller(case), case, key=lambda case: len(repr(case.question)))
            show(case, f"{len(cases)} x {why}", ours.connection)
    return 1 if count.get("different") else 0


def reason(why: str) -> str:
    """What a verdict says, without what makes each one its own."""
    return re.sub(r"`\$\w+`", "`$`", why.split("\n")[0])[:150]


def show(case: Case, title: str, ours: dj.Connection) -> None:
    print(f"\n{title}\n    {case.question!r}")
    if case.verdict.kind != "skipped":
        statement = case.asked[-1] if case.asked else ""
        print(f"    MySQL:   {statement}\n    DuckDB:  {translated(statement, ours)}")
        print(f"    {case.verdict.detail or short(case.answer)}")


def translated(statement: str, ours: dj.Connection) -> str:
    """What the mirror makes of a statement."""
    if not isinstance(ours, OfflineConnection):
        return "(MariaDB)"
    engine = ours._engine
    try:
        relation = Translator(engine.catalogue).query(parse(statement % ()))
    except Refusal as refusal:
        return f"(refused: {refusal})"
    return render.for_python(relation)


def short(answer: object) -> str:
    if isinstance(answer, judge.Failure):
        return repr(answer)[:600]
    table = judge.table_of(answer)
    return f"MariaDB: {table.form} {len(table.rows)} rows {table.rows[:6]}"[:600]


if __name__ == "__main__":
    sys.exit(main())
