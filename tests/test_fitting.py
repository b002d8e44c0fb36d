"""Fits by several processes are those of one, whatever becomes of the processes."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from test_psychometric import DATAJOINT, PAPER, mice, same

from mirror.derive import fitting
from mirror.derive.fitting import Fitting
from mirror.derive.psychometric import fit, fit_each

TABLE = mice(60, seed=7)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fitting]:
    """Two processes for as few as these curves, on any machine."""
    monkeypatch.setattr(fitting, "FEWEST", 10)
    monkeypatch.setattr(fitting, "MOST", 15)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with fitting.fitting() as work:
        yield work


def test_both_variants_at_once_are_what_one_process_finds(work: Fitting):
    asked = [(TABLE, DATAJOINT), (TABLE, PAPER)]
    for fits, alone in zip(work.start(asked)(), fit_each(asked), strict=True):
        same(fits, alone)
    assert 1 <= len(work._processes) <= 2


def test_a_process_that_is_killed_costs_no_fits(work: Fitting):
    work.fit(TABLE, DATAJOINT)
    for process in work._processes:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    same(work.fit(TABLE, PAPER), fit(TABLE, PAPER))


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/true"])
def test_where_no_process_works_it_goes_without(
    work: Fitting, monkeypatch: pytest.MonkeyPatch, program: str
):
    monkeypatch.setattr(sys, "executable", program)
    same(work.fit(TABLE, DATAJOINT), fit(TABLE, DATAJOINT))


def test_few_curves_need_no_process(work: Fitting, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fitting, "FEWEST", 31)
    same(work.fit(TABLE, DATAJOINT), fit(TABLE, DATAJOINT))
    assert not work._processes


def test_processes_that_are_ready_do_the_work(work: Fitting, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(work, "_number", 2)
    work.get_ready()
    ready = list(work._processes)
    same(work.fit(TABLE, DATAJOINT), fit(TABLE, DATAJOINT))
    assert len(ready) == 2 and work._processes == ready


def test_no_process_outlives_the_block():
    with fitting.fitting() as work:
        process = work._started()
        assert process.poll() is None
    assert process.returncode == -signal.SIGKILL
