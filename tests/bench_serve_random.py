"""Random DataJoint expressions: how many the mirror answers as MariaDB does.

    python tests/bench_serve_random.py [--examples 2000] [--seed N] [--depth 4] [--show 10]
        [--against-itself]

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

import datajoint as dj
import judge
import menagerie
import server as mariadb
from expressions import Question, questions, survey
from hypothesis import HealthCheck, Phase, given, seed, settings

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
    """A question, the statement that DataJoint made of it, both answers and the verdict."""

    question: Question
    asked: list[str]
    answers: list
    verdict: judge.Verdict


def run(theirs: judge.Side, ours: judge.Side, arguments: argparse.Namespace) -> int:
    found: dict[str, dict[str, list[Case]]] = defaultdict(lambda: defaultdict(list))
    tables = survey(theirs.classes)
    spent = [0.0, 0.0]

    @seed(arguments.seed)
    @settings(
        max_examples=arguments.examples,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(questions(tables, arguments.depth))
    def put(question: Question) -> None:
        answers = []
        for i, side in enumerate((theirs, ours)):
            start = time.perf_counter()
            answers.append(side.ask(question.recipe))
            spent[i] += time.perf_counter() - start
        verdict = judge.judge(*answers, question.in_order, question.folded)
        found[verdict.kind][reason(verdict.why)].append((question, theirs.statements[-1:], answers))

    put()
    count = {kind: sum(map(len, reasons.values())) for kind, reasons in found.items()}
    asked = sum(count.values()) - count.get("skipped", 0)
    print(f"{sum(count.values())} expressions, seed {arguments.seed}; {asked} that MariaDB answers")
    print(f"seconds: MariaDB {spent[0]:.1f}, mirror {spent[1]:.1f}")
    for kind in ("equal", "near", "refused", "different", "skipped"):
        share = count.get(kind, 0) / (sum(count.values()) if kind == "skipped" else asked)
        print(f"{kind:10} {count.get(kind, 0):6} {share:8.2%}")
    for kind in ("different", "refused", "near", "skipped"):
        show(kind, found[kind], arguments.show, ours.connection)
    return 1 if count.get("different") else 0


def reason(why: str) -> str:
    """What a verdict says, without what makes each one its own."""
    return re.sub(r"`\$\w+`", "`$`", why.split("\n")[0])[:150]


def show(kind: str, reasons: dict[str, list[Case]], most: int, ours: dj.Connection) -> None:
    if reasons:
        print(f"\n== {kind}")
    for why, cases in sorted(reasons.items(), key=lambda item: -len(item[1]))[:most]:
        case = min(cases, key=lambda case: len(repr(case.question)))
        print(f"\n{len(cases)} x {why}\n    {case.question!r}")
        if kind == "skipped":
            continue
        statement = case.asked[-1] if case.asked else ""
        print(f"    MySQL:   {statement}\n    DuckDB:  {translated(statement, ours)}")
        print(f"    {case.verdict.detail or short(case.answers[0])}")


def translated(statement: str, ours: dj.Connection) -> str:
    """What the mirror makes of a statement."""
    if not isinstance(ours, OfflineConnection):
        return "(MariaDB)"
    engine = ours._engine
    try:
        relation = Translator(engine.catalogue, None, engine.catalogue.variables).query(
            parse(statement % ())
        )
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
