"""The rows of every table that the simulated mice fill, cohort after cohort.

Columns that are not named here are NULL. Whatever chance there is comes from the mouse itself,
so that a row does not depend on the mice around it. Names are ASCII, and sorted as MySQL's
collations sort them: regardless of case, the underscore after the letters.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirror.derive.status import STATUSES
from mirror.sources.demo import behavior_analyses
from mirror.sources.demo.labs import LABS
from mirror.sources.demo.mice import Cohort

Columns = Mapping[str, Any]

# Lookups were there before the first mouse.
FOUNDED = np.datetime64("2018-06-01T09:00:00")
DAY = np.timedelta64(1, "D")
HOUR = np.timedelta64(1, "h")
SPECIES = "Mus musculus"
SURGERY, TRAINING = "Headplate implant", "Behavior training/tasks"
WATER, SUCROSE = "Water", "Water 10% Sucrose"
SEVERITIES = ("", "Sub-threshold", "Mild", "Moderate", "Severe", "Non-recovery")
# What a mouse drinks a day, in the task or after it, in millilitres.
DAILY_WATER_ML = 1.0
SUBJECT_COLUMNS = (
    "subject_nickname",
    "sex",
    "ear_mark",
    "subject_strain",
    "subject_line",
    "subject_source",
)
CHOICES = np.array(["CW", "No Go", "CCW"], dtype=object)
# As the simulation has them; the server keeps some of them in single precision.
TRIAL_COLUMNS = (
    "trial_id",
    "trial_start_time",
    "trial_end_time",
    "trial_response_time",
    "trial_stim_on_time",
    "trial_stim_contrast_left",
    "trial_stim_contrast_right",
    "trial_feedback_time",
    "trial_feedback_type",
    "trial_rep_num",
    "trial_go_cue_time",
    "trial_go_cue_trigger_time",
    "trial_stim_prob_left",
    "trial_reward_volume",
    "trial_iti_duration",
)


@dataclass
class Named:
    """The names that the cohorts have mentioned, for the tables that list them."""

    members: set[tuple[str, str | None]] = field(default_factory=set)
    locations: set[tuple[str, str]] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)
    strains: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)


def rows(cohorts: Iterable[Cohort]) -> Iterator[tuple[str, Columns]]:
    """Give the tables with their rows, each in the order of its primary key.

    A table comes once for each cohort; what comes later is sorted after what came before.
    """
    named = Named()
    for cohort in cohorts:
        yield from _of_mice(cohort, named)
        yield from _of_sessions(cohort, named)
        yield from _of_care(cohort)
        if len(cohort.trials["session"]):
            yield from _of_trials(cohort)
    yield from _lookups(named)


def _of_mice(cohort: Cohort, named: Named) -> Iterator[tuple[str, Columns]]:
    mice = cohort.mice
    subject = _subjects(mice)
    # entered the day after it was born
    entered = mice["subject_birth_date"].to_numpy().astype("datetime64[s]") + DAY + 9 * HOUR
    for names, column in (
        (named.lines, "subject_line"),
        (named.strains, "subject_strain"),
        (named.sources, "subject_source"),
    ):
        names.update(mice[column].dropna())
    named.members.update(
        (user, _text(lab))
        for user, lab in zip(mice["responsible_user"], mice["lab_name"], strict=True)
    )
    yield (
        "subject.subject",
        {
            "subject_uuid": subject,
            "protocol_number": np.ones(len(mice), int),
            "subject_ts": entered,
            **{name: mice[name].to_numpy(object) for name in SUBJECT_COLUMNS},
            "subject_birth_date": mice["subject_birth_date"].to_numpy().astype("datetime64[D]"),
        },
    )
    has_lab = mice["lab_name"].notna().to_numpy()
    yield (
        "subject.subject_lab",
        {
            "subject_uuid": subject[has_lab],
            "lab_name": mice["lab_name"].to_numpy(object)[has_lab],
            "subjectlab_ts": entered[has_lab],
        },
    )
    yield (
        "subject.subject_user",
        {
            "subject_uuid": subject,
            "responsible_user": mice["responsible_user"].to_numpy(object),
            "subjectuser_ts": entered,
        },
    )
    mouse, projects = _listed(mice["subject_projects"])
    named.projects.update(projects)
    yield (
        "subject.subject_project",
        {
            "subject_uuid": subject[mouse],
            "subject_project": projects,
            "subjectproject_ts": entered[mouse],
        },
    )
    died = np.flatnonzero(mice["death_date"].notna())
    death = mice["death_date"].iloc[died].to_numpy().astype("datetime64[s]")
    yield (
        "subject.death",
        {
            "subject_uuid": subject[died],
            "death_date": death.astype("datetime64[D]"),
            "death_ts": death + DAY + 9 * HOUR,
        },
    )


def _of_sessions(cohort: Cohort, named: Named) -> Iterator[tuple[str, Columns]]:
    mice, sessions = cohort.mice, cohort.sessions
    mouse = sessions["mouse"].to_numpy()
    key = {
        "subject_uuid": _subjects(mice)[mouse],
        "session_start_time": _seconds(sessions["session_start_time"]),
    }
    # registered overnight
    written = key["session_start_time"].astype("datetime64[D]").astype("datetime64[s]") + DAY

    def only(rows: NDArray[Any]) -> dict[str, Any]:
        return {name: values[rows] for name, values in key.items()}

    lab = mice["lab_name"].to_numpy(object)[mouse]
    place = sessions["session_location"].to_numpy(object)
    is_placed = pd.notna(lab) & pd.notna(place)
    named.locations.update(zip(lab[is_placed], place[is_placed], strict=True))
    yield (
        "acquisition.session",
        {
            **key,
            "session_uuid": sessions["session_uuid"].astype(str).to_numpy(object),
            "session_number": sessions["session_number"].to_numpy(),
            "session_end_time": _seconds(sessions["session_end_time"]),
            # a rig is one of a lab's
            "session_lab": _only_where(is_placed, lab),
            "session_location": _only_where(is_placed, place),
            "task_protocol": sessions["task_protocol"].to_numpy(object),
            "session_type": np.full(len(sessions), "Experiment", object),
            "session_ts": written,
        },
    )
    row, users = _listed(sessions["users"])
    named.members.update(zip(users, map(_text, lab[row]), strict=True))
    yield (
        "acquisition.session_user",
        {**only(row), "user_name": users, "sessionuser_ts": written[row]},
    )
    row, projects = _listed(sessions["session_projects"])
    # the key of the table has room for one
    row, first = np.unique(row, return_index=True)
    named.projects.update(projects[first])
    yield (
        "acquisition.session_project",
        {**only(row), "session_project": projects[first], "sessionproject_ts": written[row]},
    )
    yield (
        "acquisition.session_procedure",
        {
            **key,
            "procedure_type_name": np.full(len(sessions), TRAINING, object),
            "sessionprocedure_ts": written,
        },
    )
    row = np.flatnonzero(sessions["pybpod_board"].notna())
    yield (
        "behavior.settings",
        {**only(row), "pybpod_board": sessions["pybpod_board"].to_numpy(object)[row]},
    )
    row = np.flatnonzero(sessions["session_delay_in_mins"].notna())
    minutes = sessions["session_delay_in_mins"].to_numpy(float)[row]
    yield (
        "behavior.session_delay",
        {**only(row), "session_delay_in_secs": minutes * 60, "session_delay_in_mins": minutes},
    )


@dataclass(frozen=True)
class Days:
    """The days of each mouse without free water, from a week before its first session to its last.

    The first four arrays have a row per mouse, the others a row per mouse and day.
    """

    # row among the mice, of those that had a session
    mice: NDArray[np.int64]
    first: NDArray[np.datetime64]
    last: NDArray[np.datetime64]
    # where the days of each of them begin
    offset: NDArray[np.int64]
    mouse: NDArray[np.int64]
    number: NDArray[np.int64]
    date: NDArray[np.datetime64]
    weighed: NDArray[np.datetime64]
    # three numbers from 0 to 1 for each day
    chance: NDArray[np.float64]


def _days(cohort: Cohort) -> Days:
    sessions = cohort.sessions
    mice, start, n_sessions = np.unique(
        sessions["mouse"].to_numpy(), return_index=True, return_counts=True
    )
    day = _dates(sessions)
    first, last = day[start] - 7 * DAY, day[start + n_sessions - 1]
    n_days = (last - first).astype(int) + 1
    offset = np.cumsum(n_days) - n_days
    number = np.arange(n_days.sum()) - np.repeat(offset, n_days)
    date = np.repeat(first, n_days) + number * DAY
    uuids = cohort.mice["subject_uuid"].iloc[mice]
    chance = np.concatenate(
        [
            np.random.default_rng(uuid.int).random((3, n))
            for uuid, n in zip(uuids, n_days, strict=True)
        ],
        axis=1,
    )
    # between nine and half past ten
    after = 9 * HOUR + (chance[0] * 5400).astype("timedelta64[s]")
    return Days(
        mice=mice,
        first=first,
        last=last,
        offset=offset,
        mouse=np.repeat(mice, n_days),
        number=number,
        date=date,
        weighed=date.astype("datetime64[s]") + after,
        chance=chance,
    )


def _of_care(cohort: Cohort) -> Iterator[tuple[str, Columns]]:
    """Surgery two weeks before the water is restricted, then every day a weight and water."""
    mice, days = cohort.mice, _days(cohort)
    subject, user = _subjects(mice), mice["responsible_user"].to_numpy(object)
    weight = mice["weight_g"].to_numpy(float)
    own = subject[days.mice]
    restricted = days.first.astype("datetime64[s]") + 9 * HOUR
    operated = restricted - 14 * DAY
    ended = (days.last + DAY).astype("datetime64[s]") + 9 * HOUR
    has_died = mice["death_date"].notna().to_numpy()[days.mice]
    yield (
        "action.surgery",
        {
            "subject_uuid": own,
            "surgery_start_time": operated,
            "surgery_uuid": _uuids("surgery", own),
            "surgery_end_time": operated + HOUR,
            "surgery_outcome_type": np.full(len(own), "r", object),
            "surgery_ts": operated + DAY,
        },
    )
    yield (
        "action.surgery_procedure",
        {
            "subject_uuid": own,
            "surgery_start_time": operated,
            "procedure_type_name": np.full(len(own), SURGERY, object),
            "surgeryprocedure_ts": operated + DAY,
        },
    )
    yield (
        "action.water_restriction",
        {
            "subject_uuid": own,
            "restriction_start_time": restricted,
            "restriction_uuid": _uuids("restriction", own),
            "restriction_end_time": np.where(has_died, ended, np.datetime64("NaT")),
            "reference_weight": weight[days.mice],
            "waterrestriction_ts": restricted + DAY,
        },
    )
    # down to seven eighths of the full weight within the first week
    share = 1 - np.minimum(days.number, 7) / 7 * 0.125 + 0.03 * (days.chance[1] - 0.5)
    yield (
        "action.weighing",
        {
            "subject_uuid": subject[days.mouse],
            "weighing_time": days.weighed,
            "weigh_uuid": _uuids("weighing", subject[days.mouse], days.date),
            "weight": np.round(weight[days.mouse] * share, 1),
            "weighing_user": user[days.mouse],
            "weighing_ts": days.weighed + DAY,
        },
    )
    water = _water(cohort, days)
    mouse, given = water["mouse"].to_numpy(), _seconds(water["given"])
    yield (
        "action.water_administration",
        {
            "subject_uuid": subject[mouse],
            "administration_time": given,
            "wateradmin_uuid": _uuids("water", subject[mouse], given),
            "water_administered": water["ml"].to_numpy(),
            "adlib": np.zeros(len(water), int),
            "watertype_name": water["watertype_name"].to_numpy(object),
            "administration_user": user[mouse],
            "wateradministration_ts": given + DAY,
        },
    )


def _water(cohort: Cohort, days: Days) -> pd.DataFrame:
    """What the task gave, written down when it was over, and in the evening what was missing."""
    sessions, trials = cohort.sessions, cohort.trials
    earned = np.bincount(trials["session"], trials["trial_reward_volume"], len(sessions)) / 1000
    row = np.flatnonzero(earned > 0)
    mouse = sessions["mouse"].to_numpy()[row]
    place = days.mice.searchsorted(mouse)
    day = days.offset[place] + (_dates(sessions)[row] - days.first[place]).astype(int)
    had = np.bincount(day, earned[row], len(days.date))
    missing = np.round(DAILY_WATER_ML - had + 0.4 * (days.chance[2] - 0.5), 2)
    dry = np.flatnonzero(missing > 0)
    # two hours later: some sessions have no end
    after = _seconds(sessions["session_start_time"])[row] + 2 * HOUR
    water = pd.DataFrame(
        {
            "mouse": np.concatenate([mouse, days.mouse[dry]]),
            "given": np.concatenate([after, days.weighed[dry] + 11 * HOUR]),
            "ml": np.concatenate([np.round(earned[row], 3), missing[dry]]),
            "watertype_name": np.repeat([SUCROSE, WATER], [len(row), len(dry)]),
        }
    )
    # the two are told apart by their time alone
    return water.drop_duplicates(["mouse", "given"]).sort_values(["mouse", "given"])


def _of_trials(cohort: Cohort) -> Iterator[tuple[str, Columns]]:
    sessions, trials = cohort.sessions, cohort.trials
    session = trials["session"]
    subject = _subjects(cohort.mice)[sessions["mouse"]]
    start = _seconds(sessions["session_start_time"])
    yield (
        "behavior.trial_set__trial",
        {
            "subject_uuid": subject[session],
            "session_start_time": start[session],
            "trial_response_choice": CHOICES[trials["choice"] + 1],
            **{name: trials[name] for name in TRIAL_COLUMNS},
        },
    )
    row, first, count = np.unique(session, return_index=True, return_counts=True)
    last = first + count - 1
    key = {"subject_uuid": subject[row], "session_start_time": start[row]}
    # trials that the ingest skipped count here, and leave a gap in the numbers of the others
    n_trials = np.zeros(len(sessions), int)
    n_trials[row] = trials["trial_id"][last]
    coded = behavior_analyses.trials_of(cohort)
    n_correct = behavior_analyses.n_correct(cohort, coded)
    yield (
        "behavior.trial_set",
        {
            **key,
            "n_trials": n_trials[row],
            "n_correct_trials": n_correct[row],
            "trials_start_time": trials["trial_start_time"][first],
            "trials_end_time": trials["trial_end_time"][last],
        },
    )

    def state(column: str, *words: str) -> NDArray[Any]:
        """The words for none, all and some of a session's values known."""
        missing = np.bincount(session, np.isnan(trials[column]), len(sessions))[row]
        none, every, *some = words
        return np.where(
            missing == 0, every, np.where(missing == count, none, some[0] if some else every)
        ).astype(object)

    two, three = ("Missing", "Complete"), ("Missing", "Complete", "Partial")
    # the pipeline looked for a file whose name it had misspelt
    never = np.full(len(row), "Missing", object)
    yield (
        "behavior.complete_trial_session",
        {
            **key,
            "stim_on_times_status": state("trial_stim_on_time", *three),
            "rep_num_status": state("trial_rep_num", *two),
            "included_status": never,
            "ambient_sensor_data_status": never,
            "go_cue_times_status": state("trial_go_cue_time", *two),
            "go_cue_trigger_times_status": state("trial_go_cue_trigger_time", *two),
            "reward_volume_status": state("trial_reward_volume", *two),
            "iti_duration_status": state("trial_iti_duration", *two),
        },
    )
    yield from behavior_analyses.tables(cohort, coded, n_trials, n_correct)


def _lookups(named: Named) -> Iterator[tuple[str, Columns]]:
    labs = sorted(LABS, key=lambda lab: _sorting(lab.lab_name))
    yield (
        "reference.lab",
        _founded(
            "lab_ts",
            lab_name=[lab.lab_name for lab in labs],
            lab_uuid=[_uuid("lab", lab.lab_name) for lab in labs],
            institution=[lab.institution for lab in labs],
            address=["1 Example Street"] * len(labs),
            time_zone=[lab.time_zone for lab in labs],
            reference_weight_pct=[0.85] * len(labs),
            zscore_weight_pct=[0.0] * len(labs),
            institution_short=[lab.institution_short for lab in labs],
        ),
    )
    users = sorted({user for user, _ in named.members}, key=_sorting)
    yield (
        "reference.lab_member",
        _founded(
            "labmember_ts",
            user_name=users,
            user_uuid=[_uuid("user", user) for user in users],
            password=["not a password"] * len(users),
            email=[f"{user}@example.org" for user in users],
            first_name=["Simulated"] * len(users),
            last_name=[user.capitalize() for user in users],
            date_joined=np.full(len(users), FOUNDED),
            is_active=[1] * len(users),
            is_staff=[0] * len(users),
            is_superuser=[0] * len(users),
            is_stock_manager=[0] * len(users),
        ),
    )
    pairs = _pairs((lab, user) for user, lab in named.members if lab is not None)
    yield (
        "reference.lab_membership",
        _founded(
            "labmembership_ts",
            lab_name=[lab for lab, _ in pairs],
            user_name=[user for _, user in pairs],
            lab_membership_uuid=[_uuid("membership", *pair) for pair in pairs],
            mem_start_date=np.full(len(pairs), FOUNDED.astype("datetime64[D]")),
        ),
    )
    pairs = _pairs(named.locations)
    yield (
        "reference.lab_location",
        _founded(
            "lablocation_ts",
            lab_name=[lab for lab, _ in pairs],
            location_name=[place for _, place in pairs],
            location_uuid=[_uuid("location", *pair) for pair in pairs],
        ),
    )
    yield "reference.project", _list_of("project", named.projects)
    yield (
        "reference.severity",
        {"severity": np.arange(len(SEVERITIES)), "severity_desc": list(SEVERITIES)},
    )
    yield (
        "subject.species",
        _founded(
            "species_ts",
            binomial=[SPECIES],
            species_uuid=[_uuid("species", SPECIES)],
            species_nickname=["Laboratory mouse"],
        ),
    )
    yield "subject.source", _list_of("source", named.sources)
    yield "subject.strain", _list_of("strain", named.strains)
    lines = _list_of("line", named.lines)
    yield (
        "subject.line",
        {
            **lines,
            "binomial": [SPECIES] * len(named.lines),
            "line_nickname": lines["line_name"],
            "is_active": [1] * len(named.lines),
        },
    )
    yield "action.procedure_type", _list_of("procedure_type", [SURGERY, TRAINING])
    yield "action.water_type", _list_of("watertype", [WATER, SUCROSE])
    yield "behavior_analyses.training_status", {"training_status": sorted(STATUSES, key=_sorting)}


def _list_of(kind: str, names: Iterable[str]) -> dict[str, Any]:
    """The columns that most lookups have: name, uuid, and when they were entered."""
    ordered = sorted(names, key=_sorting)
    return _founded(
        f"{kind.replace('_', '')}_ts",
        **{f"{kind}_name": ordered, f"{kind}_uuid": [_uuid(kind, name) for name in ordered]},
    )


def _founded(timestamp: str, **columns: Any) -> dict[str, Any]:
    """Add the time at which the rows were entered."""
    length = len(next(iter(columns.values())))
    return {**columns, timestamp: np.full(length, FOUNDED)}


def _sorting(name: str) -> str:
    return name.upper()


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(set(pairs), key=lambda pair: (_sorting(pair[0]), _sorting(pair[1])))


def _listed(lists: pd.Series) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The rows and the values of a column of tuples, each tuple sorted."""
    ordered = [sorted(set(some), key=_sorting) for some in lists]
    row = np.repeat(np.arange(len(ordered)), [len(some) for some in ordered])
    return row, np.array([value for some in ordered for value in some], dtype=object)


def _only_where(condition: NDArray[np.bool_], values: NDArray[Any]) -> NDArray[Any]:
    kept = values.copy()
    kept[~condition] = None
    return kept


def _subjects(mice: pd.DataFrame) -> NDArray[Any]:
    return mice["subject_uuid"].astype(str).to_numpy(object)


def _seconds(column: pd.Series) -> NDArray[np.datetime64]:
    return column.to_numpy().astype("datetime64[s]")


def _dates(sessions: pd.DataFrame) -> NDArray[np.datetime64]:
    return sessions["session_start_time"].to_numpy().astype("datetime64[D]")


def _text(value: Any) -> str | None:
    """None for what pandas makes of a missing text."""
    return value if isinstance(value, str) else None


def _uuid(*names: object) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, names))))


def _uuids(kind: str, *columns: NDArray[Any]) -> list[str]:
    return [_uuid(kind, *row) for row in zip(*columns, strict=True)]
