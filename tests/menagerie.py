"""The small IBL database with more in it: what a faithful mirror must get right.

Seven more mice with sessions, trials and day summaries, and tables that hold a value of every kind
at its awkward ends: cases, accents, quotes, trailing spaces, month ends, fractions of seconds,
times beyond a day, the largest integers, floats that have no exact decimal.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import datajoint as dj
import ibl
import numpy as np
from server import READER, Server

from mirror.sources.datajoint import DataJointSource
from mirror.sources.datajoint.login import Login, Secret
from mirror.syncing import Options, sync

PROTOCOLS = (
    "_iblrig_tasks_trainingChoiceWorld6.4.2",
    "_iblrig_tasks_biasedChoiceWorld6.4.2",
    "_iblrig_tasks_habituationChoiceWorld",
    None,
)
STATUSES = ("in_training", "trained_1a", "trained_1b", "ready4ephysrig", "untrainable")
MICE = (
    # nickname, sex, birth, line, description, lab
    ("IBL-T1", "F", date(2019, 1, 31), "C57BL/6J", "", "zadorlab"),
    ("ibl_witten_04", "M", date(2019, 2, 28), "c57bl/6j", None, "cortexlab"),
    ("ZM_1743", "U", date(2016, 2, 29), "C57BL/6J ", 'says "squeak", isn\'t ill', "zadorlab"),
    ("Zoë's", "F", None, "Mäuse", "100 % water, a\\b", "cortexlab"),
    ("zoe 2", "M", date(2018, 12, 31), None, "line\nbreak\tand tab", "mainenlab"),
    ("NYU_01", "F", date(2019, 3, 1), "Ai32", "  padded  ", None),
    ("CSHL_015", "M", date(2019, 3, 31), "Ai32", None, "zadorlab"),
)
WORDS = (
    *("alpha", "Alpha", "ALPHA ", "alpha\\beta", "50%", "50", "5_0", "5x0", "O'Brien", '"quoted"'),
    *("Zürich", "zurich", "naïve", "straße", "", " ", "12.50", "1e3", "12 mice", "2019-03-31"),
    *("2019-03-31 12:00:00", "_under", "Under", "tab\tbed", None, "null", "a,b,,c", "été", "NaN"),
)


def mirrored(server: Server, file: Path) -> None:
    """Fill the server's database, and make a mirror of it, private columns and all."""
    ibl.drop(server)
    declare(ibl.connect(server))
    user, password = READER
    source = DataJointSource(Login("127.0.0.1", server.port, user, Secret(password), None, ""))
    sync(source, file, Options(include_private=True))
    source.close()


def declare(connection: dj.Connection) -> SimpleNamespace:
    """Declare and fill the small database and the rest; returns the classes."""
    tables = ibl.declare(connection)
    # nma_ibl names "data" too
    schema = {
        name: dj.Schema(f"ibl_{name}", connection=connection)
        for name in ("action", "analyses_behavior", "data")
    }
    context = vars(tables)

    class Weighing(dj.Manual):
        definition = """
        -> Subject
        weighing_time : datetime
        ---
        weight : float  # in grams
        weighing_user=null : varchar(255)
        """

    class WaterAdministration(dj.Manual):
        definition = """
        -> Subject
        administration_time : datetime
        ---
        water_administered=null : float  # in millilitres
        adlib : bool
        watertype_name : varchar(255)
        """

    class Surgery(dj.Manual):
        definition = """
        # no mouse had one
        -> Subject
        surgery_start_time : datetime
        ---
        surgery_location=null : varchar(255)
        surgery_weight=null : float
        """

    class Specimen(dj.Manual):
        definition = """
        # a value of every kind
        specimen_id : smallint unsigned
        ---
        tiny=null : tinyint
        small=null : smallint unsigned
        large=null : bigint
        huge=null : bigint unsigned
        amount=null : decimal(9,3)
        price : decimal(6,2)
        ratio=null : float
        measure=null : double
        word=null : varchar(64)
        note=null : varchar(1000)
        grade=null : enum("low", "High", "medium", "Ünder")
        born=null : date
        moment=null : datetime
        instant=null : datetime(6)
        stamp=CURRENT_TIMESTAMP : timestamp
        delay=null : time
        code=null : uuid
        checked=null : bool
        """

    class Scan(dj.Manual):
        definition = """
        -> Specimen
        scan_name : varchar(32)
        ---
        trace=null : longblob  # float64
        counts=null : blob  # int64
        gain=null : blob  # a number
        limits=null : blob  # an array, with None
        """

    for table in (Weighing, WaterAdministration, Surgery, Specimen, Scan):
        schema["action"](table, context={**context, **locals()})

    class BehavioralSummaryByDate(dj.Computed):
        definition = """
        -> Subject
        session_date : date
        ---
        performance : float
        performance_easy=null : float
        n_trials_date=null : int
        training_day=null : int
        training_week=null : int
        """

        class PsychResults(dj.Part):
            definition = """
            -> master
            prob_left_block : int  # 0.2, 0.5 or 0.8 as a code
            ---
            prob_left : float
            threshold : float
            bias : float
            lapse_low : float
            lapse_high : float
            """

    class PsychResultsBlock(dj.Computed):
        definition = """
        -> TrialSet
        prob_left_block : int
        ---
        prob_left : float
        signed_contrasts : blob
        n_trials_stim : blob
        prob_choose_right : blob
        threshold : float
        bias : float
        lapse_low : float
        lapse_high : float
        """

    class TrainingStatus(dj.Lookup):
        definition = """
        training_status : varchar(32)
        """
        contents = zip(STATUSES)

    for table in (BehavioralSummaryByDate, PsychResultsBlock, TrainingStatus):
        schema["analyses_behavior"](table, context={**context, **locals()})

    here = {name: value for name, value in locals().items() if isinstance(value, type)}
    every = SimpleNamespace(**(context | here))
    _fill_mice(every)
    _fill_specimens(every)
    return every


def _fill_mice(tables: SimpleNamespace) -> None:
    tables.Lab.insert1(
        (
            *("mainenlab", UUID(int=2), "Champalimaud", "1 Secret Street", "Europe/Lisbon"),
            *(0.8, None, datetime(2019, 1, 1)),
        )
    )
    number = 100
    for i, (nickname, sex, born, line, description, lab) in enumerate(MICE):
        mouse = UUID(int=(i + 2) * 0x10203040506070809)
        tables.Subject.insert1((mouse, nickname, sex, born, line, description))
        if lab:
            tables.SubjectLab.insert1((mouse, lab))
            tables.SubjectUser.insert1((mouse, ("zoë", "O'Brien")[i % 2]))
        if i != 4:
            tables.SubjectProject.insert1((mouse, "ibl_neuropixel_brainwide_01"))
        if i % 3 == 0:
            tables.Death.insert1((mouse, date(2020, 2, 29) + timedelta(days=i)))
        for day in range(5):
            noon = datetime(2019, 10, 29, 12, 59, 58) + timedelta(days=day, hours=3 * i, seconds=i)
            tables.Weighing.insert1((mouse, noon, 20.1 + i - 0.3 * day, "zoë" if day % 2 else None))
            water = ("Water 10% Sucrose", "Hydrogel", "water")[(day + i) % 3]
            amount = None if day == 3 else 0.1 * day * i
            tables.WaterAdministration.insert1((mouse, noon, amount, day == 4, water))
        for day in range(0 if nickname == "NYU_01" else 4):
            number += 1
            start = datetime(2019, 10, 30, 9, 7, 3) + timedelta(days=day, hours=2 * i)
            if i == 2 and day == 3:
                start = datetime(2019, 12, 31, 23, 30, 0)
            if nickname == "CSHL_015":
                # the session of the notebooks
                start = datetime(2019, 9, 15 + day, 13, 44, 46)
            _fill_session(tables, mouse, start, number, i, day)


def _fill_session(
    tables: SimpleNamespace, mouse: UUID, start: datetime, number: int, i: int, day: int
) -> None:
    key = {"subject_uuid": mouse, "session_start_time": start}
    length = timedelta(minutes=33 * (1 + day), seconds=i)
    tables.Session.insert1(
        key
        | {"session_uuid": UUID(int=number), "session_number": None if day == 2 else day + 1}
        # one ends before it starts, one goes on for days
        | {"session_end_time": (None, start + length, start - length, start + 30 * length)[day]}
        | {"session_lab": MICE[i][5], "task_protocol": PROTOCOLS[(i + day) % 4]}
        | {"session_type": "Experiment", "session_ts": start + timedelta(days=1)}
    )
    tables.SessionUser.insert1(key | {"user_name": "zoë"})
    if day % 2:
        tables.SessionUser.insert1(key | {"user_name": "O'Brien"})
        tables.SessionProject.insert1(key | {"session_project": "ibl_neuropixel_brainwide_01"})
    if day == 3 and i == 4:
        return
    tables.TrialSet.insert1(
        key
        | {"n_trials": 12, "n_correct_trials": None if i == 3 else 7 + day}
        | {"trials_start_time": 0.1 * i, "trials_end_time": 3600.7 + day},
        allow_direct_insert=True,
    )
    tables.TrialSet.Trial.insert(
        (_trial(key, n, i, day) for n in range(1, 13)), allow_direct_insert=True
    )
    fit = {"threshold": 12.3 + i, "bias": -3.3 + day, "lapse_low": 0.1 * i, "lapse_high": 1e-5}
    contrasts = np.array([-1.0, -0.25, 0.0, 0.125, 1.0])
    counts = {"n_trials_stim": np.arange(5) + i, "prob_choose_right": contrasts / 3}
    tables.PsychResults.insert1(
        key
        | {"performance": (7 + day) / 12, "performance_easy": None if i == 3 else 0.1 * (5 + day)}
        | {"signed_contrasts": contrasts, "n_trials_stim_right": np.arange(5)}
        | counts
        | fit,
        allow_direct_insert=True,
    )
    tables.ReactionTime.insert1(
        key | {"reaction_time": np.array([0.41, 0.5 + i, np.nan])}, allow_direct_insert=True
    )
    tables.SessionTrainingStatus.insert1(
        key
        | {"training_status": STATUSES[min(day + i % 2, 4)]}
        | {"good_enough_for_brainwide_map": day == 3},
        allow_direct_insert=True,
    )
    for block in (20, 50, 80)[: day + 1]:
        tables.PsychResultsBlock.insert1(
            key
            | {"prob_left_block": block, "prob_left": block / 100, "signed_contrasts": contrasts}
            | counts
            | fit,
            allow_direct_insert=True,
        )
    of_day = {"subject_uuid": mouse, "session_date": start.date()}
    tables.BehavioralSummaryByDate.insert1(
        of_day
        | {"performance": (7 + day) / 12, "performance_easy": None if i == 3 else 0.1 * (5 + day)}
        | {"n_trials_date": 12, "training_day": day + 1, "training_week": None if i == 1 else 1},
        allow_direct_insert=True,
    )
    for block in range(day % 3):
        tables.BehavioralSummaryByDate.PsychResults.insert1(
            of_day | {"prob_left_block": block, "prob_left": (0.8, 0.5)[block]} | fit,
            allow_direct_insert=True,
        )
    if day:
        tables.Settings.insert1(
            key | {"pybpod_board": ("box 1", "_iblrig_ephys_3", "Box 1")[day - 1]},
            allow_direct_insert=True,
        )
        tables.SessionDelay.insert1(
            key | {"session_delay_in_secs": 20.0 * day, "session_delay_in_mins": 20.0 * day / 60},
            allow_direct_insert=True,
        )


def _trial(key: dict, number: int, i: int, day: int) -> dict:
    """Trial `number` of mouse i: choices and contrasts follow no simple rule."""
    contrast = (1.0, 0.5, 0.25, 0.125, 0.0625, 0.0)[(number * (i + 1) + day) % 6]
    right = (number * 7 + i * 3 + day) % 5 < 2
    onset = round(7.3 * number + 0.1 * i, 4)
    response = ("CCW", "CW", "CW", "CCW", "No Go")[(number + i * day) % 5]
    correct = response == ("CCW" if right else "CW")
    return key | {
        "trial_id": number,
        "trial_start_time": onset - 0.5,
        "trial_end_time": onset + 60 if response == "No Go" else onset + 2.7,
        "trial_response_time": None if number == 12 else round(onset + 0.1 * number, 4),
        "trial_response_choice": response,
        "trial_stim_on_time": None if number % 7 == 3 else onset,
        "trial_stim_contrast_left": 0.0 if right else contrast,
        "trial_stim_contrast_right": contrast if right else 0.0,
        "trial_feedback_time": round(onset + 0.1 * number + 0.00007, 5),
        "trial_feedback_type": 1 if correct else -1,
        "trial_rep_num": number % 4,
        "trial_go_cue_time": onset + 0.1003,
        "trial_go_cue_trigger_time": None if number == 5 else onset + 0.1,
        "trial_stim_prob_left": (0.5, 0.2, 0.8)[(number // 4) % 3],
        "trial_reward_volume": 1.5 if correct else 0.0,
        "trial_iti_duration": 0.5,
        "trial_included": None if number == 1 else number != 2,
    }


def _fill_specimens(tables: SimpleNamespace) -> None:
    def of(values: tuple, number: int):
        return values[number % len(values)]

    moments = (
        *(
            datetime(2019, 3, 31, 23, 59, 59),
            datetime(2020, 2, 29),
            datetime(2019, 12, 31, 7, 8, 9),
        ),
        *(datetime(1999, 1, 1, 0, 0, 1), None, datetime(2024, 11, 30, 12)),
    )
    instants = (
        *(datetime(2019, 3, 31, 23, 59, 59, 999999), datetime(2020, 2, 29, 1, 2, 3, 40000), None),
        *(datetime(2019, 12, 31, 7, 8, 9), datetime(2021, 6, 5, 4, 3, 2, 1)),
    )
    delays = (
        *(timedelta(hours=1, minutes=2, seconds=3), timedelta(0), timedelta(hours=27), None),
        *(-timedelta(hours=12, seconds=30), timedelta(hours=838, minutes=59, seconds=59)),
        timedelta(seconds=59),
    )
    amounts = (*map(Decimal, ("0", "0.125", "-12.5", "999999.999", "33.333")), None)
    tables.Specimen.insert(
        {
            "specimen_id": number,
            "tiny": of((0, 1, -128, 127, None, 5, -3), number),
            "small": of((0, 65535, 7, None, 100), number),
            "large": of((0, -(2**63), 2**63 - 1, 42, None, -7, 10**12, 2**53 + 1), number),
            "huge": of((0, 2**64 - 1, 3, None), number),
            "amount": of(amounts, number),
            "price": Decimal(number * 37 % 101) / 4,
            "ratio": of((0.1, 0.25, 1e-5, 12345.678, -2.5, None, 0.0, 1e10, 16777216.0), number),
            "measure": of((0.1, 0.3, 1e-5, 12345.678, -0.25, None, 1 / 3, 1e100, 2.5, 3.5), number),
            "word": of(WORDS, number),
            "note": of(tuple(reversed(WORDS)), number * 5),
            "grade": of(("low", "High", "medium", None, "Ünder"), number),
            "born": of(
                (date(2019, 1, 31), date(2020, 2, 29), date(2019, 12, 31), None, date(1970, 1, 1)),
                number,
            ),
            "moment": of(moments, number),
            "instant": of(instants, number),
            "stamp": datetime(2019, 6, 30, 22, 0, 1) + timedelta(hours=7 * number),
            "delay": of(delays, number),
            "code": None if number % 6 == 5 else UUID(int=number**9 * 0x1234567890ABCDEF % 2**128),
            "checked": of((1, 0, None), number),
        }
        for number in range(60)
    )
    tables.Scan.insert(
        {
            "specimen_id": number,
            "scan_name": name,
            "trace": None if number == 2 else np.array([0.1, np.nan, -1e-5]) * number,
            "counts": np.arange(number + 1),
            "gain": 0.25 * number,
            "limits": None if number == 3 else np.array([1.5, None, 0.1 * number], object),
        }
        for number in range(1, 6)
        for name in ("left", "Right")[: 1 + number % 2]
    )
