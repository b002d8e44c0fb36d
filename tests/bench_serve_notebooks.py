"""The operations of operations.py on a real server and on a mirror of it: are all answers equal?

    DJ_USER=... DJ_PASS=... python tests/bench_serve_notebooks.py HOST:PORT MIRROR

The mirror must hold all that the server does (`mirror sync --include-private`). Prints the
operations whose answers are not equal, and how many are; exits with 1 when any differs.
"""

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import judge
import operations


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("mirror", type=Path)
    arguments = parser.parse_args()
    login = (arguments.server, os.environ["DJ_USER"], os.environ["DJ_PASS"])
    theirs = answers("server", "--server", *login)
    ours = answers("mirror", "--mirror", str(arguments.mirror.resolve()))
    verdicts = {name: judge.judge(theirs[name], ours[name]) for name in theirs}
    for name, verdict in verdicts.items():
        if verdict.kind != "equal":
            print(f"{verdict.kind}: {name}: {verdict.why}\n    {verdict.detail[:800]}")
    raised = [name for name, answer in theirs.items() if isinstance(answer, judge.Raised)]
    print(f"{len(raised)} that the server fails at: {raised}")
    print(dict(Counter(verdict.kind for verdict in verdicts.values())))
    return 1 if any(v.kind not in ("equal", "near") for v in verdicts.values()) else 0


def answers(name: str, *arguments: str) -> dict[str, Any]:
    """Every operation's answer, by a process of its own."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, operations.__file__, "answers.pickle", *arguments],
            cwd=folder,
            env={**os.environ, "MPLBACKEND": "agg", "PYTHONHASHSEED": "0"},
            check=True,
        )
        print(f"{name}: {time.perf_counter() - start:.1f} s")
        return pickle.loads(Path(folder, "answers.pickle").read_bytes())


if __name__ == "__main__":
    sys.exit(main())
