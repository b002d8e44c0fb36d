"""What the tests of one mouse's charts share: a mirror to fill by hand, and what a chart holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import duckdb
from handmade import MOUSE, TABLES, add_to_session

from mirror import derive, views

STORED = """
create table behavior_analyses.behavioral_summary_by_date (
    subject_uuid uuid, session_date date, performance float not null, performance_easy float,
    n_trials_date integer, training_day integer, training_week integer,
    primary key (subject_uuid, session_date)
);
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
TOPICS = ("base", "training_status", "psychometrics", "reaction_time", "activity")


@contextmanager
def opened() -> Iterator[duckdb.DuckDBPyConnection]:
    """A mirror with the tables that the charts of a mouse need, all empty."""
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.execute(STORED)
        connection.execute(files("mirror").joinpath("provenance.sql").read_text())
        yield connection


def define(con):
    """Derive what the views read, and define them."""
    read = [view for topic in TOPICS for view in views.read(views.folder() / topic)]
    base = [view for view in read if view.name in ("subjects", "sessions", "trials", "days")]
    derive.refresh(con, base, changed=frozenset(), run=1, is_whole=True)
    views.define(con, read)


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
