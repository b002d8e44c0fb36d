"""What people ask IBL's database by DataJoint: the tutorial, the notebooks, the paper's code.

    python tests/operations.py ANSWERS.pickle (--server HOST:PORT USER PASSWORD | --mirror FILE)

Runs every operation in a process of its own, since nma_ibl connects when it is imported, and
pickles the answers by name. The names and the operations are the same for every database; a few
ask for a mouse (IBL-T1, CSHL_015) and a session (2019-09-16 13:44:46) that the notebooks name.
"""

import argparse
import contextlib
import io
import itertools
import pickle
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import datajoint as dj
import judge
import numpy as np

import mirror

PROJECT = 'subject_project = "ibl_neuropixel_brainwide_01"'
PAPER_MICE = "uuids_trained1.npy"
TRAINED = 'training_status="trained_1a" OR training_status="trained_1b"'
THAT_SESSION = datetime(2019, 9, 16, 13, 44, 46)
MODULES = ("reference", "subject", "action", "acquisition", "data", "behavior", "behavior_analyses")

Operation = Callable[[SimpleNamespace], Any]


def tutorial_subjects(ibl: SimpleNamespace) -> Any:
    return (ibl.subject.Subject * ibl.subject.SubjectLab * ibl.reference.Lab).proj(
        "subject_nickname", "sex", "subject_birth_date", "time_zone"
    )


def tutorial_sessions(ibl: SimpleNamespace) -> Any:
    analyses, acquisition = ibl.behavior_analyses, ibl.acquisition
    sessions = (
        ibl.behavior.TrialSet
        * analyses.PsychResults
        * analyses.ReactionTime
        * analyses.SessionTrainingStatus
        * (acquisition.Session & 'task_protocol LIKE "%training%"')
        * acquisition.SessionUser
        & tutorial_subjects(ibl)
    )
    return sessions.proj(
        *("n_trials", "performance_easy", "threshold", "bias", "lapse_low", "lapse_high"),
        *("training_status", "user_name"),
        session_duration="TIMEDIFF(session_end_time,session_start_time)",
    )


def notebook_session(ibl: SimpleNamespace) -> Any:
    mice = ibl.behavior.TrialSet * ibl.subject.Subject * ibl.subject.SubjectLab
    key = {"session_start_time": THAT_SESSION}
    return mice * ibl.subject.SubjectProject & 'subject_nickname="CSHL_015"' & key


def blocks(ibl: SimpleNamespace) -> Any:
    mouse = ibl.subject.Subject & 'subject_nickname="CSHL_015"'
    return ibl.behavior_analyses.PsychResultsBlock & mouse


def paper_mice(ibl: SimpleNamespace) -> Any:
    uuids = np.load(PAPER_MICE, allow_pickle=True)
    return ibl.subject.Subject & [{"subject_uuid": uuid} for uuid in uuids]


def first_dates(ibl: SimpleNamespace, condition: Any, **dates: str) -> Any:
    """Mice of the paper's project, with dates of their sessions that meet a condition."""
    mice = ibl.subject.Subject * ibl.subject.SubjectLab * ibl.reference.Lab
    sessions = ibl.acquisition.Session * ibl.behavior_analyses.SessionTrainingStatus
    return (mice * ibl.subject.SubjectProject & PROJECT).aggr(
        sessions & condition, "subject_nickname", "sex", "institution_short", **dates
    )


def last_sessions(ibl: SimpleNamespace) -> Any:
    return ibl.subject.Subject.aggr(
        ibl.behavior_analyses.SessionTrainingStatus, session_start_time="MAX(session_start_time)"
    )


def edges(diagram: dj.Diagram) -> tuple[list[str], list[tuple[str, str]]]:
    """Nodes and edges; the numbered node of a renamed key is called after its two ends."""

    def name(node: str) -> str:
        ends = [*diagram.predecessors(node), *diagram.successors(node)]
        return " to ".join(ends) if node.isdigit() else node

    return sorted(map(name, diagram.nodes())), sorted(
        (name(a), name(b)) for a, b in diagram.edges()
    )


def classes(code: str) -> list[str]:
    """The classes of a schema as code, in no order, since DataJoint's is that of its graph."""
    for number, schema in re.findall(r"(vmod\d+) = .*'(\w+)'\)", code):
        code = re.sub(rf"\b{number}\b", schema, code)
    return sorted(re.split(r"\n\n+|\n(?=ibl_)", code))


def printed(function: Callable[[], Any]) -> tuple[str, Any]:
    """What a function prints and returns."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        returned = function()
    return out.getvalue(), returned


# An expression as the answer is fetched as a frame, previewed and counted.
THE_TUTORIAL: dict[str, Operation] = {
    "the tutorial's subjects": tutorial_subjects,
    "the tutorial's sessions": tutorial_sessions,
    "trials of the tutorial's sessions": lambda ibl: (
        ibl.behavior.TrialSet.Trial & (tutorial_sessions(ibl) & 'user_name < "p"')
    ),
    "sessions by lab": lambda ibl: dj.U("lab_name").aggr(
        ibl.acquisition.Session * ibl.subject.SubjectLab,
        n="count(*)",
        days="count(distinct date(session_start_time))",
        mice="count(distinct subject_uuid)",
        first="min(session_start_time)",
    ),
    "sessions by hour": lambda ibl: dj.U("hour").aggr(
        ibl.acquisition.Session.proj(hour="HOUR(session_start_time)"), n="count(*)"
    ),
}
NOTEBOOK_1: dict[str, Operation] = {
    "list_schemas": lambda ibl: sorted(n for n in dj.list_schemas() if n.startswith("ibl_")),
    "diagram of reference": lambda ibl: edges(dj.Diagram(ibl.reference)),
    "diagram of subjects": lambda ibl: edges(
        dj.Diagram(ibl.subject.Subject)
        + dj.Diagram(ibl.subject.SubjectLab)
        + dj.Diagram(ibl.subject.SubjectProject)
    ),
    "diagram over schemas": lambda ibl: edges(
        dj.Diagram(ibl.subject.Subject) + dj.Diagram(ibl.acquisition.Session)
    ),
    "diagram around sessions": lambda ibl: edges(dj.Diagram(ibl.acquisition.Session) + 1 - 1),
    "describe": lambda ibl: ibl.subject.Subject.describe(),
    "describe printed": lambda ibl: printed(lambda: ibl.subject.Subject.describe(printout=True)),
    "all subjects": lambda ibl: ibl.subject.Subject(),
    "by nickname": lambda ibl: ibl.subject.Subject & 'subject_nickname="IBL-T1"',
    "by uuid": lambda ibl: (
        ibl.subject.Subject & {"subject_uuid": UUID("00c60db3-74c3-4ee2-9df9-2c84acf84e92")}
    ),
    "by sex in lower case": lambda ibl: ibl.subject.Subject & {"sex": "m"},
    "born after": lambda ibl: ibl.subject.Subject & 'subject_birth_date > "2019-01-01"',
    "born between": lambda ibl: (
        ibl.subject.Subject & 'subject_birth_date between "2019-01-01" and "2019-04-01"'
    ),
    "males born after": lambda ibl: (
        ibl.subject.Subject & 'subject_birth_date > "2019-01-01"' & 'sex="M"'
    ),
    "dead": lambda ibl: ibl.subject.Subject & ibl.subject.Death,
    "alive": lambda ibl: ibl.subject.Subject - ibl.subject.Death,
    "sessions of mice": lambda ibl: ibl.subject.Subject * ibl.acquisition.Session,
    "keys": lambda ibl: ibl.subject.Subject.proj(),
    "two attributes": lambda ibl: ibl.subject.Subject.proj("subject_birth_date", "sex"),
    "renamed": lambda ibl: ibl.subject.Subject.proj("sex", dob="subject_birth_date"),
    "dates of sessions": lambda ibl: ibl.acquisition.Session.proj(
        session_date="date(session_start_time)"
    ),
    "age at sessions": lambda ibl: (ibl.subject.Subject * ibl.acquisition.Session).proj(
        age="datediff(session_start_time, subject_birth_date)"
    ),
    "sessions by mouse": lambda ibl: ibl.subject.Subject.aggr(
        ibl.acquisition.Session, "subject_nickname", n="count(*)"
    ),
    "array": lambda ibl: ibl.subject.Subject.fetch(),
    "one field of the array": lambda ibl: ibl.subject.Subject.fetch()["subject_birth_date"],
    "dicts": lambda ibl: ibl.subject.Subject.fetch(as_dict=True),
    "frame": lambda ibl: ibl.subject.Subject.fetch(format="frame"),
    "KEY": lambda ibl: ibl.subject.Subject.fetch("KEY"),
    "columns": lambda ibl: ibl.subject.Subject.fetch("subject_birth_date", "sex"),
    "columns as dicts": lambda ibl: ibl.subject.Subject.fetch(
        "subject_birth_date", "sex", as_dict=True
    ),
    "fetch1 KEY": lambda ibl: (ibl.subject.Subject & {"subject_nickname": "CSHL_015"}).fetch1(
        "KEY"
    ),
    "fetch1": lambda ibl: (ibl.subject.Subject & {"subject_nickname": "IBL-T1"}).fetch1(),
    "trial sets": lambda ibl: ibl.behavior.TrialSet(),
    "trial sets with mice": lambda ibl: (
        ibl.behavior.TrialSet
        * ibl.subject.Subject
        * ibl.subject.SubjectLab
        * ibl.subject.SubjectProject
    ),
    "one session": notebook_session,
    "preview of trials": lambda ibl: repr(ibl.behavior.TrialSet.Trial()),
    "describe trials": lambda ibl: ibl.behavior.TrialSet.Trial.describe(),
    "choices in a session": lambda ibl: (
        ibl.behavior.TrialSet.Trial & notebook_session(ibl) & 'trial_response_choice !="No Go"'
    ).fetch(
        *("trial_stim_contrast_left", "trial_stim_contrast_right", "trial_response_choice"),
        as_dict=True,
    ),
}
NOTEBOOK_2: dict[str, Operation] = {
    "blocks of a mouse": blocks,
    "blocks after a day": lambda ibl: blocks(ibl) & 'session_start_time > "2019-09-15"',
    "blocks of a session": lambda ibl: (blocks(ibl) & {"session_start_time": THAT_SESSION}).fetch(
        *("signed_contrasts", "prob_choose_right", "n_trials_stim"),
        *("threshold", "bias", "lapse_low", "lapse_high"),
        as_dict=True,
    ),
}
NOTEBOOK_3: dict[str, Operation] = {
    "the paper's mice": paper_mice,
    "query_subjects of the notebook": lambda ibl: ibl.paper.query_subjects(),
    "day summaries": lambda ibl: ibl.behavior_analyses.BehavioralSummaryByDate(),
    "day summaries of the paper's mice": lambda ibl: (
        ibl.behavior_analyses.BehavioralSummaryByDate * ibl.paper.query_subjects()
    ),
    "day summaries in order": lambda ibl: (
        (ibl.behavior_analyses.BehavioralSummaryByDate * ibl.paper.query_subjects())
        .fetch(order_by="institution_short, subject_nickname, training_day", format="frame")
        .reset_index()
    ),
}
STATEMENTS: dict[str, Operation] = {
    "preview": lambda ibl: repr(ibl.behavior.TrialSet()),
    "preview as HTML": lambda ibl: ibl.behavior.TrialSet()._repr_html_(),
    "heading": lambda ibl: repr(ibl.behavior.TrialSet.Trial().heading),
    "len": lambda ibl: len(ibl.subject.Subject()),
    "len of a join": lambda ibl: len(ibl.subject.Subject * ibl.acquisition.Session),
    "bool": lambda ibl: bool(ibl.subject.Subject & 'sex="M"'),
    "by uuid as a string": lambda ibl: (
        ibl.subject.Subject & {"subject_uuid": "cff66dc1765e4e04abef92de05bf4f19"}
    ).proj(),
    "by datetime": lambda ibl: (
        ibl.behavior.TrialSet & {"session_start_time": THAT_SESSION}
    ).proj(),
    "by a list": lambda ibl: (
        ibl.subject.Subject & [{"subject_nickname": "Zoë's"}, {"sex": "M", "subject_line": "Ai32"}]
    ),
    "by a quote": lambda ibl: ibl.subject.Subject & [{"subject_nickname": "O'B"}],
    "by pattern": lambda ibl: ibl.acquisition.Session & 'task_protocol LIKE "%training%"',
    "by None": lambda ibl: ibl.subject.Subject & {"subject_birth_date": None},
    "restricted computed": lambda ibl: (
        ibl.acquisition.Session.proj(session_date="DATE(session_start_time)")
        & 'session_date>"2019-09-16"'
    ),
    "keep_all_rows": lambda ibl: ibl.subject.Subject.aggr(
        ibl.subject.Death, n="count(death_date)", keep_all_rows=True
    ),
    "HAVING": lambda ibl: ibl.subject.Subject.aggr(ibl.acquisition.Session, n="count(*)") & "n>3",
    "U and a table": lambda ibl: dj.U("trial_stim_prob_left") & ibl.behavior.TrialSet.Trial,
    "U and aggr": lambda ibl: dj.U("training_status").aggr(
        ibl.behavior_analyses.SessionTrainingStatus, n="count(*)"
    ),
    "U of nothing": lambda ibl: dj.U().aggr(ibl.behavior.TrialSet, n="count(*)").fetch(),
    "in order": lambda ibl: ibl.subject.Subject.fetch(
        "KEY", "sex", order_by="subject_nickname desc", limit=3, offset=2
    ),
    "iteration": lambda ibl: list(ibl.subject.Subject & 'sex="F"' & "subject_nickname < 'm'"),
    "head": lambda ibl: ibl.subject.Subject().head(2),
    "tail": lambda ibl: ibl.subject.Subject().tail(2),
    "blobs": lambda ibl: ibl.behavior_analyses.ReactionTime(),
    "blobs as dicts": lambda ibl: ibl.behavior_analyses.PsychResults.fetch(as_dict=True),
    "blobs squeezed": lambda ibl: ibl.behavior_analyses.PsychResults.fetch(
        "KEY", "signed_contrasts", "n_trials_stim", squeeze=True
    ),
    "union": lambda ibl: ibl.subject.Death.proj() + (ibl.subject.Subject & 'sex="F"').proj(),
    "Top": lambda ibl: ibl.behavior.TrialSet.proj("n_trials") & dj.Top(3, ["n_trials desc", "KEY"]),
    "parents": lambda ibl: sorted(ibl.acquisition.Session.parents()),
    "children": lambda ibl: sorted(ibl.acquisition.Session.children()),
    "ancestors": lambda ibl: sorted(ibl.behavior.TrialSet.Trial.ancestors()),
    "descendants": lambda ibl: sorted(ibl.subject.Subject.descendants()),
    "parts": lambda ibl: ibl.behavior.TrialSet().parts(),
    "size_on_disk": lambda ibl: type(ibl.subject.Subject().size_on_disk),
    "list_tables": lambda ibl: sorted(dj.Schema("ibl_behavior").list_tables()),
    "size of a schema": lambda ibl: type(dj.Schema("ibl_behavior").size_on_disk),
    "a schema exists": lambda ibl: dj.Schema("ibl_behavior").exists,
    "a schema as code": lambda ibl: classes(dj.VirtualModule("it", "ibl_reference").schema.code),
    "FreeTable": lambda ibl: dj.FreeTable(dj.conn(), "`ibl_behavior`.`_trial_set__trial`").head(1),
    "make_sql": lambda ibl: (ibl.subject.Subject & {"sex": "F"}).make_sql(),
    "in": lambda ibl: {"subject_nickname": "ibl-t1"} in ibl.subject.Subject(),
}
THE_PAPER: dict[str, Operation] = {
    "stages of mice": lambda ibl: (
        first_dates(ibl, TRAINED, date_trained="min(date(session_start_time))")
        & 'date_trained <= "2020-03-23"'
    ),
    "mice never 1b": lambda ibl: (
        first_dates(ibl, {}, of_1b='SUM(training_status="trained_1b")', n="count(*)") & "of_1b = 0"
    ),
    "living mice with their last status": lambda ibl: (
        (ibl.subject.Subject - ibl.subject.Death)
        * last_sessions(ibl)
        * ibl.behavior_analyses.SessionTrainingStatus
        * ibl.subject.SubjectLab
    ).proj("subject_nickname", "training_status"),
    "deaths of all mice": lambda ibl: ibl.subject.Subject.aggr(
        ibl.subject.Death, dead="COUNT(death_date)", keep_all_rows=True
    ),
    "days to trained": lambda ibl: ibl.subject.Subject.aggr(
        ibl.behavior_analyses.BehavioralSummaryByDate,
        "subject_nickname",
        days="MAX(training_day)",
        trials="SUM(n_trials_date)",
        weeks="MAX(training_week)",
    ),
    "rigs that are not ephys": lambda ibl: (
        ibl.behavior.Settings.proj("pybpod_board") & 'pybpod_board NOT LIKE "%ephys%"'
    ),
    "one biased session": lambda ibl: (
        ibl.acquisition.Session
        & 'task_protocol LIKE "%biased%"'
        & 'session_start_time BETWEEN "2019-08-30" AND "2019-11-30"'
    ),
    "fits by day and block": lambda ibl: (
        ibl.behavior_analyses.BehavioralSummaryByDate
        * ibl.behavior_analyses.BehavioralSummaryByDate.PsychResults.proj("prob_left", "bias")
    ),
    "growth of the database": lambda ibl: dj.U("day").aggr(
        (ibl.subject.Subject * ibl.subject.SubjectLab * ibl.behavior.TrialSet).proj(
            "n_trials", day="DATE(session_start_time)"
        ),
        trials="SUM(n_trials)",
        mice="COUNT(DISTINCT subject_uuid)",
    ),
    "performance by lab and protocol": lambda ibl: dj.U("lab_name", "task").aggr(
        (
            ibl.behavior_analyses.PsychResults * ibl.acquisition.Session * ibl.subject.SubjectLab
        ).proj(
            ...,
            task="IF(task_protocol LIKE '%%training%%', 'training',"
            " IF(task_protocol LIKE '%%biased%%', 'biased', 'other'))",
        ),
        n="count(*)",
        performance="AVG(performance)",
        easiest="MAX(performance_easy)",
        spread="STD(threshold)",
    ),
    "psychometric curves": lambda ibl: dj.U("subject_uuid", "signed").aggr(
        (ibl.behavior.TrialSet.Trial & 'trial_response_choice <> "No Go"').proj(
            "trial_response_choice",
            "trial_feedback_type",
            signed="100 * (trial_stim_contrast_right - trial_stim_contrast_left)",
        ),
        n="count(*)",
        right='avg(trial_response_choice = "CCW")',
        correct="sum(trial_feedback_type = 1) / count(*)",
    ),
    "reaction times": lambda ibl: ibl.acquisition.Session.aggr(
        ibl.behavior.TrialSet.Trial & "trial_stim_on_time IS NOT NULL",
        mean="AVG(trial_response_time - trial_stim_on_time)",
        longest="MAX(trial_response_time - trial_stim_on_time)",
        slow="SUM(trial_response_time - trial_stim_on_time > 2)",
    ),
    "trials of a list of sessions": lambda ibl: (
        ibl.behavior.TrialSet.Trial
        & (ibl.acquisition.Session & 'session_start_time > "2019-10-30"').fetch(
            "KEY", order_by="KEY", limit=3
        )
    ),
    "sessions with their projects": lambda ibl: ibl.acquisition.Session.aggr(
        ibl.acquisition.SessionProject,
        "session_lab",
        project="IFNULL(MAX(session_project), 'unassigned')",
        keep_all_rows=True,
    ),
    "projects of mice": lambda ibl: ibl.subject.Subject.aggr(
        ibl.subject.SubjectProject,
        projects='GROUP_CONCAT(subject_project ORDER BY subject_project SEPARATOR ", ")',
    ),
    "weights by weekday": lambda ibl: dj.U("weekday").aggr(
        ibl.action.Weighing.proj("weight", weekday="WEEKDAY(weighing_time)"),
        n="count(*)",
        lightest="MIN(weight)",
        mean="ROUND(AVG(weight), 2)",
    ),
}


def paper_functions() -> dict[str, Operation]:
    """nma_ibl's functions with every combination of their options."""
    found: dict[str, Operation] = {}

    def add(name: str, part: int | None = None, /, **options: Any) -> None:
        title = f"{name}({', '.join(f'{k}={v!r}' for k, v in options.items())})"

        def ask(ibl: SimpleNamespace) -> Any:
            answer = getattr(ibl.paper, name)(**options)
            return answer if part is None else answer[part]

        found[title if part is None else f"{title}[{part}]"] = ask

    for frame, listed, criterion in itertools.product(
        (True, False), (True, False), ("trained", "biased", "ready4ephysrig")
    ):
        add("query_subjects", as_dataframe=frame, from_list=listed, criterion=criterion)
    for task, stable, frame, force, criterion in itertools.product(
        ("all", "training", "biased"),
        (False, True),
        (True, False),
        (False, True),
        ("trained", "biased", "ready4ephysrig"),
    ):
        if force or criterion == "biased":
            add(
                "query_sessions",
                task=task,
                stable=stable,
                as_dataframe=frame,
                force_30nov=force,
                criterion=criterion,
            )
    for criterion, days, frame, force in itertools.product(
        ("trained", "biased", "ephys"), ([2, 0], [3, 2], [0, 100]), (True, False), (False, True)
    ):
        # of sessions, and of days
        for part in (0, 1):
            add(
                "query_sessions_around_criterion",
                part,
                criterion=criterion,
                days_from_criterion=days,
                as_dataframe=frame,
                force_30nov=force,
            )
    return found


OPERATIONS: dict[str, Operation] = {
    **THE_TUTORIAL,
    **NOTEBOOK_1,
    **NOTEBOOK_2,
    **NOTEBOOK_3,
    **STATEMENTS,
    **THE_PAPER,
    **paper_functions(),
}


def run(ibl: SimpleNamespace, operation: Operation) -> Any:
    """The answer to an operation; of an expression all that people look at."""
    answer = operation(ibl)
    if isinstance(answer, dj.expression.QueryExpression):
        attributes = answer.heading.attributes.values()
        return judge.Parts(
            {
                "frame": answer.fetch(format="frame"),
                "preview": repr(answer),
                "len": len(answer),
                "heading": [(a.name, a.type, a.in_key, str(a.dtype)) for a in attributes],
            }
        )
    return answer


def imported() -> SimpleNamespace:
    """nma_ibl's modules over the connection that is open, and the paper's list of mice."""
    import nma_ibl
    from nma_ibl import paper_behavior_functions

    ibl = SimpleNamespace(**{name: getattr(nma_ibl, name) for name in MODULES})
    ibl.paper = paper_behavior_functions
    mice = (ibl.subject.SubjectProject & PROJECT).fetch("subject_uuid", order_by="KEY")
    # every third is not on the list
    np.save(PAPER_MICE, np.array([m for i, m in enumerate(mice) if i % 3], object))
    return ibl


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("answers", type=Path)
    parser.add_argument("--server", nargs=3, metavar=("HOST:PORT", "USER", "PASSWORD"))
    parser.add_argument("--mirror", type=Path)
    arguments = parser.parse_args()
    dj.logger.setLevel("ERROR")
    if arguments.mirror:
        mirror.offline(arguments.mirror)
    else:
        lenient = {"init_fun": judge.WITHOUT_FULL_GROUP_BY, "use_tls": False}
        dj.conn(*arguments.server, reset=True, **lenient)
    ibl = imported()
    answers: dict[str, Any] = {}
    for name, operation in OPERATIONS.items():
        try:
            answers[name] = run(ibl, operation)
        except Exception as error:
            answers[name] = judge.Raised(f"{type(error).__name__}: {error}")
    arguments.answers.write_bytes(pickle.dumps(answers))


if __name__ == "__main__":
    main()
