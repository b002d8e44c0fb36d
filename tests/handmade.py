"""Tables small enough to check by eye, made by hand in DuckDB as a sync would make them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from uuid import UUID

import duckdb

from mirror import derive, store, views

TABLES = """
create schema reference;
create schema subject;
create schema acquisition;
create schema behavior;
create schema behavior_analyses;

create table reference.lab (
    lab_name varchar primary key, institution varchar not null, institution_short varchar,
    time_zone varchar not null
);
create table subject.subject (
    subject_uuid uuid primary key, subject_nickname varchar not null,
    sex enum ('M', 'F', 'U') not null, subject_birth_date date, subject_line varchar
);
create table subject.subject_lab (subject_uuid uuid primary key, lab_name varchar not null);
create table subject.subject_user (
    subject_uuid uuid primary key, responsible_user varchar not null
);
create table subject.subject_project (
    subject_uuid uuid, subject_project varchar, primary key (subject_uuid, subject_project)
);
create table subject.death (subject_uuid uuid primary key, death_date date not null);

create table acquisition.session (
    subject_uuid uuid, session_start_time timestamp, session_uuid uuid not null,
    session_end_time timestamp, task_protocol varchar,
    primary key (subject_uuid, session_start_time)
);
create table acquisition.session_user (
    subject_uuid uuid, session_start_time timestamp, user_name varchar,
    primary key (subject_uuid, session_start_time, user_name)
);
create table acquisition.session_project (
    subject_uuid uuid, session_start_time timestamp, session_project varchar not null,
    primary key (subject_uuid, session_start_time)
);

create table behavior.trial_set (
    subject_uuid uuid, session_start_time timestamp, n_trials integer not null,
    n_correct_trials integer, trials_start_time float not null, trials_end_time float not null,
    primary key (subject_uuid, session_start_time)
);
create table behavior.settings (
    subject_uuid uuid, session_start_time timestamp, pybpod_board varchar not null,
    primary key (subject_uuid, session_start_time)
);
create table behavior.session_delay (
    subject_uuid uuid, session_start_time timestamp, session_delay_in_mins float not null,
    primary key (subject_uuid, session_start_time)
);
create table behavior.trial_set__trial (
    subject_uuid uuid, session_start_time timestamp, trial_id integer,
    trial_start_time double not null, trial_end_time double not null,
    trial_response_time double,
    trial_response_choice enum ('CCW', 'CW', 'No Go') not null,
    trial_stim_on_time double, trial_stim_contrast_left float not null,
    trial_stim_contrast_right float not null, trial_feedback_time double,
    trial_feedback_type tinyint, trial_rep_num integer, trial_go_cue_time float,
    trial_go_cue_trigger_time float, trial_stim_prob_left float not null,
    trial_reward_volume float, trial_iti_duration float,
    primary key (subject_uuid, session_start_time, trial_id)
);

create table behavior_analyses.psych_results (
    subject_uuid uuid, session_start_time timestamp, performance float not null,
    performance_easy float, threshold float not null, bias float not null,
    lapse_low float not null, lapse_high float not null,
    primary key (subject_uuid, session_start_time)
);
create table behavior_analyses.reaction_time (
    subject_uuid uuid, session_start_time timestamp, reaction_time double[],
    primary key (subject_uuid, session_start_time)
);
create table behavior_analyses.session_training_status (
    subject_uuid uuid, session_start_time timestamp, training_status varchar not null,
    good_enough_for_brainwide_map boolean not null,
    primary key (subject_uuid, session_start_time)
);
"""

DAY_SUMMARIES = """
create table behavior_analyses.behavioral_summary_by_date (
    subject_uuid uuid, session_date date, performance float not null, performance_easy float,
    n_trials_date integer, training_day integer, training_week integer,
    primary key (subject_uuid, session_date)
);
"""

# Weighings and water, which not every server has.
ACTION = """
create schema action;
create table action.weighing (
    subject_uuid uuid, weighing_time timestamp, weight float not null,
    primary key (subject_uuid, weighing_time)
);
create table action.water_administration (
    subject_uuid uuid, administration_time timestamp, water_administered float,
    adlib boolean not null, watertype_name varchar not null,
    primary key (subject_uuid, administration_time)
);
create table action.water_restriction (
    subject_uuid uuid, restriction_start_time timestamp, restriction_end_time timestamp,
    reference_weight float not null, primary key (subject_uuid, restriction_start_time)
);
"""

TRAINING = "_iblrig_tasks_trainingChoiceWorld6.2.5"
BIASED = "_iblrig_tasks_biasedChoiceWorld6.2.5"
HABITUATION = "_iblrig_tasks_habituationChoiceWorld6.2.5"
EPHYS = "_iblrig_tasks_ephysChoiceWorld6.2.5"

MOUSE = UUID(int=1)
OTHER_MOUSE = UUID(int=2)
MONDAY = datetime(2020, 1, 6, 9, 30, 0)
TUESDAY = datetime(2020, 1, 7, 9, 30, 0)


@contextmanager
def opened(*more: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A mirror in memory with the tables above and `more`, all empty, and no views yet."""
    with duckdb.connect() as con:
        for tables in (TABLES, *more):
            con.execute(tables)
        store.prepare(con)
        yield con


@cache
def plain_views():
    """The views without their comments, which take longer than all else and are tested apart."""
    return [
        replace(view, sql=view.sql.partition("\ncomment on")[0], passed_on={})
        for view in views.read()
    ]


def define(con, is_whole=True):
    """Derive from what is there now, and define every view that has its tables."""
    # rows that were put in by hand leave no trace by which a change would be seen
    con.execute("delete from _mirror.views; delete from _mirror.derived")
    derive.refresh(con, plain_views(), run=1, is_whole=is_whole)
    return views.define(con, plain_views())


def empty_derived(con):
    """The derived tables as of a mirror without trials: rows are put in by hand."""
    derive.clear(con)
    con.execute("insert into _mirror.derived values ('session_performance', 0, 1, '')")


def add(con, table, **values):
    names, marks = ", ".join(values), ", ".join("?" for _ in values)
    con.execute(f"insert into {table} ({names}) values ({marks})", list(values.values()))


def add_mouse(con, mouse=MOUSE, nickname="mouse", **values):
    row = {"subject_uuid": mouse, "subject_nickname": nickname, "sex": "F"} | values
    add(con, "subject.subject", **row)


def add_lab(con, lab, institution_short=None, *mice):
    """A laboratory in London, and the mice that are its own."""
    add(
        con,
        "reference.lab",
        lab_name=lab,
        institution=f"Institution of {lab}",
        institution_short=institution_short,
        time_zone="Europe/London",
    )
    for mouse in mice:
        add(con, "subject.subject_lab", subject_uuid=mouse, lab_name=lab)


def add_session(con, start=MONDAY, protocol=TRAINING, mouse=MOUSE, end=None):
    (n_sessions,) = con.execute("select count(*) from acquisition.session").fetchone()
    add(
        con,
        "acquisition.session",
        subject_uuid=mouse,
        session_start_time=start,
        session_uuid=UUID(int=1000 + n_sessions),
        session_end_time=end,
        task_protocol=protocol,
    )


def add_to_session(con, table, start=MONDAY, mouse=MOUSE, **values):
    add(con, table, subject_uuid=mouse, session_start_time=start, **values)


def add_trial(con, trial_id, start=MONDAY, mouse=MOUSE, **values):
    """A rewarded choice to the right, half a second after full contrast on the right."""
    row = {
        "trial_start_time": 10.0 * trial_id,
        "trial_end_time": 10.0 * trial_id + 5,
        "trial_stim_on_time": 10.0 * trial_id + 1,
        "trial_response_time": 10.0 * trial_id + 1.5,
        "trial_response_choice": "CCW",
        "trial_feedback_type": 1,
        "trial_stim_contrast_left": 0.0,
        "trial_stim_contrast_right": 1.0,
        "trial_stim_prob_left": 0.5,
    }
    add_to_session(
        con, "behavior.trial_set__trial", start, mouse, trial_id=trial_id, **row | values
    )


def left(contrast):
    return {"trial_stim_contrast_left": contrast, "trial_stim_contrast_right": 0.0}


def right(contrast):
    return {"trial_stim_contrast_left": 0.0, "trial_stim_contrast_right": contrast}


CHOSE_LEFT = {"trial_response_choice": "CW"}
CHOSE_RIGHT = {"trial_response_choice": "CCW"}
NO_GO = {"trial_response_choice": "No Go", "trial_feedback_type": -1}
ERROR = {"trial_feedback_type": -1}


def rows(con, query):
    return con.execute(query).fetchall()


def column(con, query):
    return [value for (value,) in rows(con, query)]
