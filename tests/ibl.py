"""A small IBL database, declared and filled through DataJoint itself.

Two mice in two labs, four sessions, a few trials each: small enough to know by heart.
KS014 (cortexlab) trains on 2019-08-01 and twice on 2019-08-02; CSHL_001 does one biased session.
"""

from datetime import date, datetime
from types import SimpleNamespace
from uuid import UUID

import datajoint as dj
import numpy as np
from server import WRITER, Server

KS014 = UUID("11111111-1111-4111-8111-111111111111")
CSHL_001 = UUID("eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee")
SESSIONS = (
    (KS014, datetime(2019, 8, 1, 11, 5, 30), "_iblrig_tasks_trainingChoiceWorld5.0.0"),
    (KS014, datetime(2019, 8, 2, 11, 0, 0), "_iblrig_tasks_trainingChoiceWorld5.0.0"),
    (KS014, datetime(2019, 8, 2, 15, 30, 0), None),
    (CSHL_001, datetime(2019, 9, 1, 9, 0, 0), "_iblrig_tasks_biasedChoiceWorld5.0.0"),
)
TRIALS_PER_SESSION = 6


def connect(server: Server) -> dj.Connection:
    """Open DataJoint's connection as the account that may write."""
    dj.config["database.use_tls"] = False
    dj.config["safemode"] = False
    dj.logger.setLevel("ERROR")
    return dj.conn(f"127.0.0.1:{server.port}", *WRITER, reset=True, use_tls=False)


def declare(connection: dj.Connection, prefix: str = "") -> SimpleNamespace:
    """Declare the tables, as IBL's pipeline did, and fill them; returns the classes."""
    schema = {
        name: dj.Schema(f"{prefix}ibl_{name}", connection=connection)
        for name in ("reference", "subject", "acquisition", "behavior", "analyses_behavior")
    }

    class Lab(dj.Lookup):
        definition = """
        lab_name : varchar(255)  # name of lab
        ---
        lab_uuid : uuid
        institution : varchar(255)
        address : varchar(255)
        time_zone : varchar(255)
        reference_weight_pct : float
        institution_short=null : varchar(255)
        lab_ts=CURRENT_TIMESTAMP : timestamp
        """

    class LabMember(dj.Manual):
        definition = """
        user_name : varchar(255)  # username
        ---
        password : varchar(255)  # password
        email=null : varchar(255)  # email address
        is_active : bool  # active
        """

    schema["reference"](Lab)
    schema["reference"](LabMember)

    class Subject(dj.Manual):
        definition = """
        # the animals
        subject_uuid : uuid
        ---
        subject_nickname : varchar(255)  # nickname
        sex : enum("M", "F", "U")  # sex
        subject_birth_date=null : date  # birth date
        subject_line=null : varchar(255)  # name
        subject_description=null : varchar(1024)
        """

    class SubjectLab(dj.Manual):
        definition = """
        -> Subject
        ---
        -> Lab
        """

    class SubjectUser(dj.Manual):
        definition = """
        -> Subject
        ---
        responsible_user : varchar(255)
        """

    class SubjectProject(dj.Manual):
        definition = """
        -> Subject
        subject_project : varchar(255)
        """

    class Death(dj.Manual):
        definition = """
        -> Subject
        ---
        death_date : date
        """

    for table in (Subject, SubjectLab, SubjectUser, SubjectProject, Death):
        schema["subject"](table, context={**locals()})

    class Session(dj.Manual):
        definition = """
        -> Subject
        session_start_time : datetime  # start time
        ---
        session_uuid : uuid
        session_number=null : int  # number
        session_end_time=null : datetime  # end time
        session_lab=null : varchar(255)
        task_protocol=null : varchar(255)
        session_type=null : varchar(255)
        session_narrative=null : varchar(2048)
        session_ts=CURRENT_TIMESTAMP : timestamp
        """

    class SessionUser(dj.Manual):
        definition = """
        -> Session
        -> LabMember
        """

    class SessionProject(dj.Manual):
        definition = """
        -> Session
        ---
        session_project : varchar(255)
        """

    for table in (Session, SessionUser, SessionProject):
        schema["acquisition"](table, context={**locals()})

    class TrialSet(dj.Imported):
        definition = """
        # information about behavioral trials
        -> Session
        ---
        n_trials : int  # total trial numbers in this set
        n_correct_trials=null : int  # number of the correct trials
        trials_start_time : float  # start time of the trial set (seconds)
        trials_end_time : float  # end time of the trial set (seconds)
        """

        class Trial(dj.Part):
            definition = """
            -> master
            trial_id : int  # trial identification number
            ---
            trial_start_time : double  # beginning of quiescent period time (seconds)
            trial_end_time : double  # end of iti (seconds)
            trial_response_time=null : double
            trial_response_choice : enum("CCW", "CW", "No Go")  # which choice was made
            trial_stim_on_time=null : double  # Time of stimulus (seconds)
            trial_stim_contrast_left : float  # contrast of the stimulus on the left
            trial_stim_contrast_right : float  # contrast of the stimulus on the right
            trial_feedback_time=null : double
            trial_feedback_type=null : tinyint  # -1 for negative, +1 for positive
            trial_rep_num=null : int
            trial_go_cue_time=null : float
            trial_go_cue_trigger_time=null : float
            trial_stim_prob_left : float  # probability of the stimulus being on the left
            trial_reward_volume=null : float
            trial_iti_duration=null : float
            trial_included=null : bool
            """

    class Settings(dj.Imported):
        definition = """
        -> Session
        ---
        pybpod_board : varchar(64)
        """

    class SessionDelay(dj.Imported):
        definition = """
        -> Session
        ---
        session_delay_in_secs : float
        session_delay_in_mins : float
        """

    for table in (TrialSet, Settings, SessionDelay):
        schema["behavior"](table, context={**locals()})

    class PsychResults(dj.Computed):
        definition = """
        -> TrialSet
        ---
        performance : float  # percentage correct in this session
        performance_easy=null : float
        signed_contrasts : blob  # contrasts used in this session
        n_trials_stim : blob
        n_trials_stim_right : blob
        prob_choose_right : blob
        threshold : float
        bias : float
        lapse_low : float
        lapse_high : float
        """

    class ReactionTime(dj.Computed):
        definition = """
        -> PsychResults
        ---
        reaction_time : blob  # median reaction time for each contrast
        """

    class SessionTrainingStatus(dj.Computed):
        definition = """
        -> PsychResults
        ---
        training_status : varchar(32)
        good_enough_for_brainwide_map=0 : bool
        """

    for table in (PsychResults, ReactionTime, SessionTrainingStatus):
        schema["analyses_behavior"](table, context={**locals()})

    tables = SimpleNamespace(
        **{name: value for name, value in locals().items() if isinstance(value, type)}
    )
    _fill(tables)
    return tables


def drop(server: Server, prefix: str = "") -> None:
    for (name,) in server.run(
        f"select schema_name from information_schema.schemata"
        f" where schema_name like '{prefix}ibl\\_%'"
    ):
        server.run("set foreign_key_checks = 0", f"drop database `{name}`")


def trial(subject: UUID, start: datetime, number: int) -> dict:
    """Trial `number` of a session, from 1: contrasts fall, choices alternate."""
    contrast = (1.0, 0.5, 0.25, 0.125, 0.0625, 0.0)[(number - 1) % 6]
    right = number % 2 == 0
    onset = 10.0 * number + 0.1
    return {
        "subject_uuid": subject,
        "session_start_time": start,
        "trial_id": number,
        "trial_start_time": onset - 0.1,
        "trial_end_time": onset + 3,
        "trial_response_time": onset + 0.4375,
        "trial_response_choice": "CCW" if right else "CW",
        "trial_stim_on_time": None if number == 3 else onset,
        "trial_stim_contrast_left": 0.0 if right else contrast,
        "trial_stim_contrast_right": contrast if right else 0.0,
        "trial_feedback_type": 1,
        "trial_go_cue_trigger_time": onset + 0.001,
        "trial_stim_prob_left": 0.8 if subject == CSHL_001 else 0.5,
        "trial_included": number != 6,
    }


def insert_session(tables: SimpleNamespace, subject: UUID, start: datetime, n: int) -> None:
    """Add the trials of a session that is there."""
    row = {"subject_uuid": subject, "session_start_time": start}
    tables.TrialSet.insert1(
        row
        | {"n_trials": n, "n_correct_trials": n - 1}
        | {"trials_start_time": 10.0, "trials_end_time": 10.0 * n + 3.1},
        allow_direct_insert=True,
    )
    tables.TrialSet.Trial.insert(
        (trial(subject, start, number) for number in range(1, n + 1)), allow_direct_insert=True
    )


def _fill(tables: SimpleNamespace) -> None:
    tables.Lab.insert(
        {
            "lab_name": lab,
            "lab_uuid": UUID(int=i),
            "institution": institution,
            "address": "1 Secret Street",
            "time_zone": zone,
            "reference_weight_pct": 0.85,
            "institution_short": short,
        }
        for i, (lab, institution, zone, short) in enumerate(
            (
                ("cortexlab", "University College London", "Europe/London", "UCL"),
                ("zadorlab", "Cold Spring Harbor Laboratory", "America/New_York", "CSHL"),
            )
        )
    )
    tables.LabMember.insert(
        {"user_name": name, "password": "hunter2", "email": f"{name}@example.org", "is_active": 1}
        for name in ("zoë", "O'Brien")
    )
    tables.Subject.insert(
        [
            {"subject_uuid": KS014, "subject_nickname": "KS014", "sex": "F"}
            | {"subject_birth_date": date(2019, 4, 30), "subject_description": "bit a student"},
            {"subject_uuid": CSHL_001, "subject_nickname": "CSHL_001", "sex": "M"}
            | {"subject_birth_date": None, "subject_description": None},
        ]
    )
    tables.SubjectLab.insert([(KS014, "cortexlab"), (CSHL_001, "zadorlab")])
    tables.SubjectUser.insert([(KS014, "zoë"), (CSHL_001, "O'Brien")])
    tables.SubjectProject.insert([(KS014, "ibl_neuropixel_brainwide_01"), (KS014, "other")])
    tables.Death.insert1((CSHL_001, date(2020, 1, 31)))
    for number, (subject, start, protocol) in enumerate(SESSIONS, start=1):
        key = {"subject_uuid": subject, "session_start_time": start}
        tables.Session.insert1(
            key
            | {"session_uuid": UUID(int=number), "task_protocol": protocol}
            | {"session_end_time": start.replace(hour=start.hour + 1), "session_number": 1}
            | {"session_narrative": "the mouse slept"}
        )
        tables.SessionUser.insert1(key | {"user_name": "zoë"})
        insert_session(tables, subject, start, TRIALS_PER_SESSION)
        tables.PsychResults.insert1(
            key
            | {"performance": 5 / 6, "performance_easy": 1.0}
            | {"signed_contrasts": np.array([-1, -0.25, -0.0625, 0, 0.125, 0.5])}
            | {
                "n_trials_stim": np.ones(6, int),
                "n_trials_stim_right": np.array([0, 0, 0, 1, 1, 1]),
            }
            | {"prob_choose_right": np.array([0, 0, 0, 1, 1, 1.0])}
            | {"threshold": 15.4, "bias": 0.2, "lapse_low": 0.1, "lapse_high": 0.09},
            allow_direct_insert=True,
        )
        tables.SessionTrainingStatus.insert1(
            key | {"training_status": "in_training"}, allow_direct_insert=True
        )
    tables.SessionUser.insert1((*SESSIONS[0][:2], "O'Brien"))
    for subject, start, _ in SESSIONS[:2]:
        tables.ReactionTime.insert1(
            (subject, start, np.array([0.4, 0.41, np.nan])), allow_direct_insert=True
        )
