"""What the demo's mice do is what the task allows and what IBL's mice did."""

from zoneinfo import ZoneInfo

import bench_demo
import numpy as np
import pandas as pd
import pytest

from mirror.sources.demo import sessions as planning
from mirror.sources.demo.labs import LABS
from mirror.sources.demo.mice import Cohort, simulate

pytestmark = pytest.mark.slow

EASY = (50, 100)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return next(simulate(30, seed=1, cohort_size=30))


@pytest.fixture(scope="module")
def trials(cohort: Cohort) -> pd.DataFrame:
    return bench_demo.trial_table(cohort)


@pytest.fixture(scope="module")
def sessions(cohort: Cohort, trials: pd.DataFrame) -> pd.DataFrame:
    return bench_demo.session_table(cohort, trials)


def same(one: Cohort, other: Cohort) -> None:
    pd.testing.assert_frame_equal(one.mice, other.mice)
    pd.testing.assert_frame_equal(one.sessions, other.sessions)
    assert one.trials.keys() == other.trials.keys()
    for name, values in one.trials.items():
        np.testing.assert_array_equal(values, other.trials[name])


def test_a_seed_gives_the_same_mice_again():
    same(next(simulate(3, seed=7, cohort_size=3)), next(simulate(3, seed=7, cohort_size=3)))


def test_another_seed_gives_others():
    one, other = (
        next(simulate(2, seed=seed, cohort_size=2)).mice["subject_uuid"] for seed in (1, 2)
    )
    assert not set(one) & set(other)


def test_mice_do_not_depend_on_who_is_simulated_beside_them():
    together = next(simulate(4, seed=3, cohort_size=4))
    in_parts = list(simulate(4, seed=3, cohort_size=1))
    assert [len(part.mice) for part in in_parts] == [1, 1, 1, 1]
    same(together, bench_demo.joined(in_parts))


def test_a_mouse_that_was_never_trained_may_be_alone():
    together = next(simulate(12, seed=1, cohort_size=12))
    alone = list(simulate(12, seed=1, cohort_size=11))[-1]
    assert len(alone.mice) == 1
    assert len(alone.sessions) and not alone.sessions["has_trials"].any()
    assert not len(alone.trials["session"])
    own = together.sessions[together.sessions["mouse"] == 11].assign(mouse=0)
    pd.testing.assert_frame_equal(
        alone.sessions.astype(object), own.reset_index(drop=True).astype(object)
    )
    assert {k: v.dtype for k, v in alone.trials.items()} == {
        k: v.dtype for k, v in together.trials.items()
    }


def test_mice_may_have_empty_sessions_alone(monkeypatch):
    monkeypatch.setattr(planning, "DAYS", (((planning.EMPTY,), 1.0),))
    cohort = next(simulate(2, seed=1, cohort_size=2))
    assert cohort.sessions.groupby("mouse").size().min() > 10
    assert not cohort.sessions["has_trials"].any() and not len(cohort.trials["session"])


def test_mice_are_sorted_and_their_cohorts_too():
    uuids = [str(u) for part in simulate(6, 5, cohort_size=2) for u in part.mice["subject_uuid"]]
    assert uuids == sorted(set(uuids))


def test_labs_have_their_share_of_mice_and_a_time_zone(cohort):
    mice = cohort.mice["lab_name"].value_counts()
    assert mice.idxmax() == "mainenlab"
    assert set(mice.index) == {lab.lab_name for lab in LABS}
    assert len({lab.institution for lab in LABS}) == 7
    assert all(ZoneInfo(lab.time_zone) for lab in LABS)
    users = {lab.lab_name: lab.users for lab in LABS}
    known = cohort.mice.dropna(subset="lab_name")
    assert all(m.responsible_user in users[m.lab_name] for m in known.itertuples())


def test_a_nickname_is_unique_in_its_lab_only(cohort):
    known = cohort.mice.dropna(subset="lab_name")
    assert not known.duplicated(["lab_name", "subject_nickname"]).any()
    assert known.duplicated("subject_nickname").sum() == 1


def test_some_mice_are_odd(cohort, sessions):
    assert cohort.mice["lab_name"].isna().sum() == 1
    assert len(set(range(30)) - set(sessions["mouse"])) == 1
    assert 0 < cohort.mice["death_date"].isna().sum() < 30
    ends = cohort.sessions.groupby("mouse")["session_start_time"].max()
    deaths = pd.to_datetime(cohort.mice["death_date"])
    assert (deaths.isna() | (deaths >= ends.reindex(deaths.index).dt.normalize())).all()


def test_sessions_are_keyed_by_mouse_and_start(cohort):
    table = cohort.sessions
    assert list(table.index) == list(range(len(table)))
    key = table[["mouse", "session_start_time"]]
    assert not key.duplicated().any()
    assert key.equals(key.sort_values(["mouse", "session_start_time"]))
    assert table["session_start_time"].dtype == "datetime64[s]"
    assert table["session_uuid"].is_unique


def test_sessions_of_a_day_do_not_overlap(cohort):
    table = cohort.sessions
    ends = table["session_end_time"].where(
        table["session_end_time"] > table["session_start_time"], table["session_start_time"]
    )
    gap = table["session_start_time"] - ends.shift()
    assert (gap[table["mouse"] == table["mouse"].shift()] > pd.Timedelta(0)).all()


def test_mice_work_on_weekdays_and_at_their_labs_hour(cohort):
    start = cohort.sessions["session_start_time"]
    assert 0.005 < (start.dt.strftime("%u").astype(int) > 5).mean() < 0.04
    assert start.min() >= pd.Timestamp("2019-03-01") and start.max() < pd.Timestamp("2020-03-21")
    hour = start.dt.hour + start.dt.minute / 60
    lab = cohort.mice["lab_name"].reindex(cohort.sessions["mouse"]).to_numpy()
    median = hour.groupby(lab).median()
    assert median["danlab"] < median["churchlandlab"] < median["zadorlab"]
    assert hour.between(6, 24).all()


def test_stages_follow_each_other(cohort):
    task = cohort.sessions["task_protocol"].dropna().str.extract("_([a-z]+)ChoiceWorld")[0]
    rank = task.map({"habituation": 0, "training": 1, "biased": 2, "ephys": 3})
    assert rank.notna().all()
    assert (rank.groupby(cohort.sessions["mouse"]).diff().dropna() >= 0).all()
    assert not cohort.sessions.loc[task.index[task == "habituation"], "has_trials"].any()


def test_rig_and_delay_come_with_the_status(cohort, sessions):
    on_ephys_rig = sessions["pybpod_board"].fillna("").str.contains("ephys")
    ready = sessions["training_status"].fillna("").str.startswith("ready4")
    before = ready.astype(int).groupby(sessions["mouse"]).cumsum() - ready
    assert (before[on_ephys_rig] > 0).all()
    delayed = sessions["session_delay_in_mins"] >= 15
    assert delayed.any() and on_ephys_rig[delayed].mean() > 0.95
    assert {"trained_1a", "trained_1b", "ready4ephysrig", "ready4delay", "ready4recording"} <= set(
        sessions["training_status"]
    )


def test_contrasts_come_in_one_after_the_other(trials):
    usual = trials[~trials["contrast"].isin([4, 8]) & (trials["task"] == "training")]
    shown = usual[usual["trial_id"] > 0].groupby("session")["contrast"].agg(frozenset)
    shown = shown[usual.groupby("session").size() > 100]
    order = [
        frozenset(s)
        for s in (
            (100, 50),
            (100, 50, 25),
            (100, 50, 25, 12.5),
            (100, 50, 25, 12.5, 6.25),
            (100, 50, 25, 12.5, 6.25, 0),
            (100, 25, 12.5, 6.25, 0),
        )
    ]
    place = shown.map(order.index)
    mouse = trials.groupby("session")["mouse"].first()
    assert (place.groupby(mouse).diff().dropna() >= 0).all()
    assert set(place) == set(range(6))
    biased = trials[trials["task"].isin(["biased", "ephys"])]
    assert set(biased["contrast"]) - {4, 8} == {0, 6.25, 12.5, 25, 100}


def test_blocks_last_20_to_99_trials_after_90_unbiased_ones(trials):
    biased = trials[trials["task"] == "biased"]
    unbiased = biased[biased["trial_id"] <= 90]
    assert (unbiased["trial_stim_prob_left"] == 0.5).all()
    later = biased[biased["trial_id"] > 90]
    assert set(later["trial_stim_prob_left"]) == {0.2, 0.8}
    assert (
        (later["stim_side"] < 0)
        .groupby(later["trial_stim_prob_left"])
        .mean()
        .between([0.18, 0.78], [0.22, 0.82])
        .all()
    )
    lengths = bench_demo.block_lengths(biased)
    # rows that were lost shorten a block by one or two
    assert lengths.min() >= 18 and lengths.max() <= 100
    assert 48 < lengths.mean() < 53


def test_only_easy_errors_repeat_and_only_in_training(trials):
    sides = (trials["stim_side"] * trials["contrast"]).astype(float)
    next_row = trials.shift(-1)
    adjacent = (next_row["session"] == trials["session"]) & (
        next_row["trial_id"] == trials["trial_id"] + 1
    )
    repeated = adjacent & (next_row["trial_rep_num"] > 0)
    should = (
        adjacent
        & (trials["task"] == "training")
        & trials["contrast"].isin(EASY)
        & (trials["trial_feedback_type"] < 0)
    )
    known = trials["task"].notna()
    assert (repeated == should)[known].all()
    assert (sides.shift(-1) == sides)[repeated].all()
    steps = next_row["trial_rep_num"] - trials["trial_rep_num"]
    assert (steps[repeated] == 1).all()


def test_debiasing_moves_the_prior_in_tenths_in_early_sessions(trials):
    training = trials[trials["task"] == "training"]
    tenths = training["trial_stim_prob_left"] * 10
    assert np.allclose(tenths, tenths.round())
    share = (tenths != 5).mean()
    assert 0.002 < share < 0.1
    assert training.loc[tenths != 5, "contrast"].isin([25, 50, 100]).all()
    assert tenths.min() == 0 and tenths.max() == 10


def test_trials_are_numbered_upwards_with_gaps(trials):
    step = trials["trial_id"].diff()[trials["session"] == trials["session"].shift()]
    assert (step >= 1).all()
    assert 0 < (step > 1).sum() < 0.001 * len(step)
    assert (trials["session"].diff().dropna() >= 0).all()


def test_times_come_in_order(trials):
    fine = ~(trials["reaction_time"] <= 0)
    assert (trials["trial_start_time"] < trials["trial_response_time"]).all()
    stim, response = trials["trial_stim_on_time"], trials["trial_response_time"]
    assert ((trials["trial_start_time"] < stim) | stim.isna()).all()
    assert ((stim < response) | stim.isna())[fine].all()
    assert (response <= trials["trial_feedback_time"]).all()
    assert (trials["trial_feedback_time"] < trials["trial_end_time"]).all()
    following = trials["session"] == trials["session"].shift(-1)
    assert (trials["trial_end_time"] < trials["trial_start_time"].shift(-1))[following].all()
    cue, trigger = trials["trial_go_cue_time"], trials["trial_go_cue_trigger_time"]
    assert ((trigger < cue) | trigger.isna()).all()
    assert (stim.isna() & trigger.notna()).any() and (stim.isna() & trigger.isna()).any()


def test_feedback_follows_the_side_of_the_stimulus(trials):
    rewarded = trials["trial_feedback_type"] == 1
    assert (rewarded == (trials["choice"] == trials["stim_side"])).all()
    assert (trials["trial_reward_volume"] > 0).equals(rewarded)
    volume = trials["trial_reward_volume"][rewarded]
    assert volume.min() == 1.5 and volume.max() == 3
    shown = trials["contrast"] > 0
    assert (np.sign(trials["signed_contrast"]) == trials["stim_side"])[shown].all()
    no_go = trials["choice"] == 0
    took = trials["reaction_time"][no_go].dropna()
    assert took.between(59.99, 60.01).all()
    assert not trials.loc[no_go, "trial_feedback_type"].eq(1).any()


def test_faults_come_at_about_the_measured_rates(cohort, trials):
    table = cohort.sessions
    assert 0.01 < trials["trial_stim_on_time"].isna().mean() < 0.06
    assert 0.0008 < (trials["reaction_time"] < 0).mean() < 0.0016
    assert 0.002 < (trials["choice"] == 0).mean() < 0.007
    assert 0 < trials["contrast"].isin([4, 8]).sum() < 0.001 * len(trials)
    ends = table["session_end_time"]
    assert 0.05 < ends.isna().mean() < 0.2
    assert 0 < (ends < table["session_start_time"]).mean() < 0.01
    assert 0 < table["task_protocol"].isna().mean() < 0.01
    assert 0.01 < (table["users"].map(len) == 2).mean() < 0.1
    assert 0 < table["pybpod_board"].isna().mean() < 0.03
    assert 0.01 < table["session_delay_in_mins"].isna().mean() < 0.05
    counts = trials.groupby("session")["trial_id"].max()
    assert 0 < (counts < 50).mean() < 0.04
    # sessions that a crash or an accident of the pipeline left empty, habituation aside
    empty = ~table["has_trials"] & ~table["task_protocol"].fillna("").str.contains("habituation")
    assert 0.01 < empty.mean() < 0.05


def test_missing_text_is_none(cohort):
    for table, names in (
        (cohort.mice, ["lab_name", "ear_mark", "subject_strain", "death_date"]),
        (cohort.sessions, ["task_protocol", "pybpod_board"]),
    ):
        for name in names:
            assert {type(v) for v in table[name][table[name].isna()]} == {type(None)}, name


def test_mice_learn_as_long_as_published(cohort, sessions):
    trained = bench_demo.first_trained(sessions)
    days = trained["day"] + 1
    assert 0.7 < len(trained) / len(cohort.mice) < 1
    assert 11 < days.median() < 21
    assert 13 < days.mean() < 25
    assert days.min() >= 4 and days.max() > 30
    easy = sessions[sessions["n_trials"] > 60].groupby("day")["performance_easy"].median()
    for day, published in {0: 0.45, 4: 0.53, 9: 0.81, 14: 0.90, 29: 0.95}.items():
        assert abs(easy[day] - published) < 0.15, day
    n_trials = sessions.groupby("day")["n_trials"].median()
    assert 220 < n_trials[0] < 400 < n_trials[4] < n_trials[14] < 900
    assert 11 < trained["threshold"].median() < 19
    assert 0.06 < trained[["lapse_low", "lapse_high"]].median().mean() < 0.14
    assert abs(trained["bias"].median()) < 4


def test_biased_mice_follow_contrast_and_block(trials):
    biased = trials[(trials["task"] == "biased") & ~trials["contrast"].isin([4, 8])]
    accuracy = (biased["trial_feedback_type"] == 1).groupby(biased["contrast"]).mean()
    assert np.allclose(accuracy, [0.587, 0.739, 0.838, 0.895, 0.941], atol=0.05)
    assert accuracy.is_monotonic_increasing
    reaction = biased.groupby("contrast")["reaction_time"].median()
    assert np.allclose(reaction, [0.430, 0.362, 0.321, 0.293, 0.262], rtol=0.2)
    assert reaction.is_monotonic_decreasing
    zero = biased[(biased["contrast"] == 0) & (biased["choice"] != 0)]
    right = (zero["choice"] == 1).groupby(zero["trial_stim_prob_left"]).mean()
    assert np.allclose(right, [0.646, 0.463, 0.306], atol=0.09)
    sizes = biased.groupby("session")["trial_id"].max()
    assert 600 < sizes.median() < 950 and sizes.max() <= 2000
