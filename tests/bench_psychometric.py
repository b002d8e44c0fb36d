"""How fast and how good: our psychometric fits beside psychofit's with five starts.

    python tests/bench_psychometric.py [--curves 1500] [--subset 150]

Both fit the same curves in the same run. 10,000 curves of 9 contrasts are timed, psychofit's on
a random few of them and scaled up. The log-likelihoods are compared on --curves others, of good,
poor, biased, lapsing, contrary and hardly tested mice, the better of psychofit's five starts each.
"""

import argparse
import multiprocessing
import os
import time

import numpy as np
from test_psychometric import BIASED, curves, mice, psychofit_best

from mirror.derive.fitting import fitting
from mirror.derive.psychometric import VARIANTS, Curves, fit, p_right

TIMED = 10_000


def sessions(count: int) -> Curves:
    random = np.random.default_rng(0)
    x = np.array(BIASED, float)
    each = []
    for _ in range(count):
        trials = random.integers(20, 121, len(x))
        truth = random.normal(0, 8), random.uniform(5, 60), *random.uniform(0, 0.25, 2)
        each.append((BIASED, trials, random.binomial(trials, p_right(x, *truth)) / trials))
    return curves(*each)


def compare(job: tuple[Curves, int, str]) -> float:
    return psychofit_best(*job)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--curves", type=int, default=1500)
    parser.add_argument("--subset", type=int, default=150)
    arguments = parser.parse_args()
    timed, table = sessions(TIMED), mice(arguments.curves, seed=100)
    few = np.random.default_rng(1).choice(TIMED, arguments.subset, replace=False)
    print(f"{os.cpu_count()} cores; {TIMED:,} curves of 9 contrasts, psychofit on {len(few)}")
    print("variant      ours s  psychofit s   times")
    for name, variant in VARIANTS.items():
        with fitting() as work:
            work.fit(timed, variant)
            start = time.perf_counter()
            work.fit(timed, variant)
            ours = time.perf_counter() - start
        start = time.perf_counter()
        for index in few:
            psychofit_best(timed, int(index), name)
        theirs = (time.perf_counter() - start) * TIMED / len(few)
        print(f"{name:<10} {ours:>8.2f} {theirs:>12.0f} {theirs / ours:>7.0f}", flush=True)
    print(f"\n{arguments.curves:,} curves of 9 to 11 contrasts, log-likelihood less psychofit's")
    print("\n| variant | lowest | lower by > 1e-3 | higher by > 1e-3 |")
    print("| :-- | --: | --: | --: |")
    with multiprocessing.Pool() as pool:
        for name, variant in VARIANTS.items():
            jobs = [(table, index, name) for index in range(table.size)]
            theirs_best = np.array(pool.map(compare, jobs, chunksize=16))
            gain = fit(table, variant).log_likelihood - theirs_best
            print(
                f"| {name} | {gain.min():.1e} | {(gain < -1e-3).sum()}"
                f" | {(gain > 1e-3).sum()} ({(gain > 1e-3).mean():.1%}) |",
                flush=True,
            )


if __name__ == "__main__":
    main()
