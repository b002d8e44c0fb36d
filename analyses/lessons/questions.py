"""The questions of the lessons: what answers them in any mirror, and wrong ways often taken."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Trap:
    """A wrong answer that is often given, and what to think of."""

    answer: str
    hint: str


@dataclass(frozen=True)
class Question:
    """A query with the right answer; the key names its rows, and is empty for a number."""

    answer: str
    key: tuple[str, ...] = ()
    traps: tuple[Trap, ...] = ()


# Of which lesson 3 is.
MOUSE = """
    subject_uuid = (
        select subject_uuid from trials group by subject_uuid
        order by count(*) desc, subject_uuid limit 1
    )
"""
# The days of figure 2a.
DAYS = """
    select
        subject_uuid,
        coalesce(institution_short, 'no institution') as institution_short,
        training_day,
        100 * performance_easy as performance_easy
    from days
    where n_trials > 100 and performance_easy is not null and training_day between 1 and 40
"""
MEANS = f"""
    select
        institution_short,
        training_day,
        avg(performance_easy) as performance_easy,
        count(*) as n_mice
    from (
        {DAYS}
        union all
        select * replace ('All' as institution_short) from ({DAYS})
    )
    group by institution_short, training_day
    having count(*) > 2
"""
QUESTIONS: Mapping[str, Question] = {
    "1a": Question(
        "select subject_uuid, subject_nickname, lab_name, sex, time_zone from tutorial_subjects",
        ("subject_uuid",),
    ),
    "1b": Question(
        """
        select
            session.subject_uuid,
            session.session_start_time,
            session.user_name,
            mouse.subject_nickname,
            mouse.lab_name,
            session.n_trials,
            session.performance_easy,
            session.training_status
        from tutorial_sessions as session
        join tutorial_subjects as mouse on mouse.subject_uuid = session.subject_uuid
        """,
        ("subject_uuid", "session_start_time", "user_name"),
    ),
    "1c": Question(
        "select count(*) from (select distinct subject_uuid, session_start_time"
        " from tutorial_sessions)",
        traps=(
            Trap(
                "select count(*) from tutorial_sessions",
                "these are rows: a session of two users has two of them",
            ),
            Trap(
                "select count(distinct session_start_time) from tutorial_sessions",
                "two mice can start at one moment: a session is a mouse and a time",
            ),
        ),
    ),
    "2a": Question(
        "select floor(local_hour) as hour, count(*) as n_sessions from sessions"
        " where task = 'training' group by 1",
        ("hour",),
        (
            Trap(
                "select floor(local_hour) as hour, count(*) as n_sessions from sessions group by 1",
                "these are sessions of every task",
            ),
            Trap(
                "select round(local_hour) as hour, count(*) as n_sessions from sessions"
                " where task = 'training' group by 1",
                "half past nine is in the hour of nine: round down",
            ),
        ),
    ),
    "2b": Question(
        "select lab_name, count(*) as n_sessions, count(distinct subject_uuid) as n_mice"
        " from sessions where task = 'training' and lab_name is not null group by 1",
        ("lab_name",),
        (
            Trap(
                "select lab_name, count(*) as n_sessions, count(distinct subject_nickname) as"
                " n_mice from sessions where task = 'training' and lab_name is not null group by 1",
                "mice of one name can be two: count their uuids",
            ),
        ),
    ),
    "2c": Question(
        """
        select user_name, count(*) as n_sessions
        from acquisition.session_user
        join sessions using (subject_uuid, session_start_time)
        where task = 'training'
        group by 1
        """,
        ("user_name",),
        (
            Trap(
                "select users as user_name, count(*) as n_sessions from sessions"
                " where task = 'training' and users is not null group by 1",
                "a session of two users counts for each of them",
            ),
        ),
    ),
    "2d": Question(
        "select subject_uuid, count(*) as n_sessions, count(distinct session_date) as n_days"
        " from sessions where task = 'training' group by 1",
        ("subject_uuid",),
        (
            Trap(
                "select subject_uuid, count(*) as n_sessions, count(*) as n_days"
                " from sessions where task = 'training' group by 1",
                "a mouse can have two sessions on a day",
            ),
        ),
    ),
    "2e": Question(
        "select training_day, avg(performance_easy) as performance_easy, count(*) as n_mice"
        " from days where performance_easy is not null and training_day between 1 and 40"
        " group by 1",
        ("training_day",),
        (
            Trap(
                "select training_day, avg(correct_easy) as performance_easy,"
                " count(distinct subject_uuid) as n_mice from trials"
                " where correct_easy is not null and training_day between 1 and 40 group by 1",
                "this is the mean over trials, in which a mouse of many trials counts more: take"
                " that of each mouse first",
            ),
        ),
    ),
    "3a": Question(
        f"select signed_contrast, count(*) as n_trials, avg(choice_right) as p_right from trials"
        f" where {MOUSE} and task = 'training' and not is_no_go group by 1",
        ("signed_contrast",),
        (
            Trap(
                "select signed_contrast, count(*) as n_trials, avg(choice_right) as p_right"
                f" from trials where {MOUSE} and not is_no_go group by 1",
                "these are trials of every task: blocks shift the curve",
            ),
            Trap(
                "select signed_contrast, count(*) as n_trials,"
                " avg(coalesce(choice_right, 0)) as p_right"
                f" from trials where {MOUSE} and task = 'training' group by 1",
                "a trial without a choice is no choice to the left",
            ),
        ),
    ),
    "3b": Question(
        "select contrast, median(reaction_time) as reaction_time from trials"
        f" where {MOUSE} and task = 'training' and is_valid group by 1",
        ("contrast",),
        (
            Trap(
                "select contrast, avg(reaction_time) as reaction_time from trials"
                f" where {MOUSE} and task = 'training' and is_valid group by 1",
                "a few long trials pull the mean up: take the median",
            ),
        ),
    ),
    "3c": Question(
        f"select 100 * avg(stay) from trials where {MOUSE} and previous_rewarded = 1",
        traps=(
            Trap(
                f"select 100 * avg(stay) from trials where {MOUSE}",
                "this is after any trial: take those after a reward",
            ),
            Trap(
                "select 100 * avg((choice = before)::int) from (select choice, lag(choice) over w"
                " as before, lag(rewarded) over w as gain from trials"
                f" where {MOUSE} window w as (order by session_start_time, trial_id))"
                " where gain = 1 and choice <> 0 and before <> 0",
                "the first trial of a session does not follow the last of the one before, nor one"
                " the other across a gap in trial_id",
            ),
        ),
    ),
    "4a": Question(
        f"select subject_uuid, training_day, performance_easy from ({DAYS})",
        ("subject_uuid", "training_day"),
        (
            Trap(
                "select subject_uuid, training_day, 100 * performance_easy as performance_easy"
                " from days where performance_easy is not null and training_day between 1 and 40",
                "days of 100 trials or fewer are not in the figure",
            ),
        ),
    ),
    "4b": Question(MEANS, ("institution_short", "training_day")),
    "4c": Question(
        f"select min(training_day) from ({MEANS})"
        " where institution_short = 'All' and performance_easy > 80",
        traps=(
            Trap(
                f"select min(training_day) - 1 from ({MEANS})"
                " where institution_short = 'All' and performance_easy > 80",
                "days are counted from 1 here, and from 0 in the paper",
            ),
        ),
    ),
}
