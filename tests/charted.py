"""What the tests of one mouse's charts share: a mirror to fill by hand, and what a chart holds."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import handmade
from handmade import MOUSE, add_to_session

STORED = """
alter table behavior_analyses.psych_results add column signed_contrasts double[];
alter table behavior_analyses.psych_results add column n_trials_stim bigint[];
create table behavior_analyses.psych_results_block (
    subject_uuid uuid, session_start_time timestamp, prob_left_block integer,
    signed_contrasts double[], n_trials_stim bigint[],
    threshold float not null, bias float not null,
    lapse_low float not null, lapse_high float not null,
    primary key (subject_uuid, session_start_time, prob_left_block)
);
create table behavior_analyses.behavioral_summary_by_date__psych_results (
    subject_uuid uuid, session_date date, prob_left_block integer, prob_left float not null,
    signed_contrasts double[], n_trials_stim bigint[],
    threshold float not null, bias float not null,
    lapse_low float not null, lapse_high float not null,
    primary key (subject_uuid, session_date, prob_left_block)
);
"""


@contextmanager
def opened() -> Iterator[duckdb.DuckDBPyConnection]:
    """A mirror with the tables that the charts of a mouse need, all empty."""
    with handmade.opened(handmade.DAY_SUMMARIES, STORED) as connection:
        yield connection


def add_status(con, start, status, mouse=MOUSE):
    add_to_session(
        con,
        "behavior_analyses.session_training_status",
        start,
        mouse,
        training_status=status,
        good_enough_for_brainwide_map=False,
    )


def data(chart):
    """All rows that the chart embeds."""
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def having(chart, column):
    return [row for row in data(chart) if row.get(column) is not None]


def words(chart):
    title = chart.to_dict()["title"]
    return " ".join([title["text"], *title["subtitle"]])
