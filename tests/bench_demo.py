"""Print how the demo's mice compare to the published ones, and how long they take.

Run: python tests/bench_demo.py
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd

from mirror.derive import status
from mirror.sources.demo import COHORT, MICE
from mirror.sources.demo.mice import Cohort, simulate

SEED = 1  # as the demo has it
TRAINED = ("trained_1a", "trained_1b")
DAYS = [0, 4, 9, 14, 29]
LAB_DAYS = (
    "dan 8, zador 10, mainen 11, witten 12.5, angelaki 18, cortex 19, churchland 19.5, hofer 22,"
    " mrsicflogel 26"
)
ASSUMED = "assumed"
# The published figures are those of the 140 mice of eLife 2021;10:e63711, of the trials exported
# with it, of the sessions of its release, and of a set of 2,500 sessions, most of them biased.
PUBLISHED = {
    "mice that get trained, %": ASSUMED,
    "days to trained, median": "15.5",
    "days to trained, mean": "19.1",
    "days to trained, range": "4 to 58",
    "days to trained, median by lab": LAB_DAYS,
    "trials to trained, median": "9086",
    "easy trials correct on days 0, 4, 9, 14, 29, %": "45, 53, 81, 90, 95",
    "trials on days 0, 4, 9, 14, 29": "313, 509, 643, 658, 736",
    "threshold at criterion, % contrast": "15.4",
    "bias at criterion, % contrast": "0.2",
    "lapses at criterion, left and right": "0.097, 0.100",
    "reaction time at criterion, s": "0.425",
    "easy trials correct at criterion, %": "90.2",
    "trials a session at criterion": "700",
    "trials a biased session, quartiles": "551, 774, 994",
    "trials a biased session, most": "2000",
    "biased trials correct at 0, 6.25, 12.5, 25, 100 %, %": "58.7, 73.9, 83.8, 89.5, 94.1",
    "biased reaction time at 0, 6.25, 12.5, 25, 100 %, s": "0.430, 0.362, 0.321, 0.293, 0.262",
    "rightward at 0 % after prior 0.2, 0.5, 0.8, %": "64.6, 46.3, 30.6",
    "block after the first, mean trials": "50.3",
    "block after the first, range": "20 to 99",
    "reaction times missing, %": "3.4",
    "reaction times negative, %": "0.12",
    "no-go trials, %": "0.36",
    "days on weekends, %": "1.8",
    "sessions: training, biased, ephys, %": "52, 45, 3",
    "sessions without trials, %": ASSUMED,
    "minutes of a biased session, quartiles": ASSUMED,
    "days with two sessions, %": "1.35",
}


def trial_table(cohort: Cohort) -> pd.DataFrame:
    """Join each trial with its session."""
    sessions = cohort.sessions
    trials = pd.DataFrame(cohort.trials)
    trials["mouse"] = sessions["mouse"].to_numpy()[trials["session"]]
    protocol = sessions["task_protocol"].fillna("unknown")
    task = protocol.str.extract("(training|biased|ephys)", expand=False)
    trials["task"] = task.to_numpy()[trials["session"]]
    right, left = trials["trial_stim_contrast_right"], trials["trial_stim_contrast_left"]
    trials["signed_contrast"] = (100 * (right - left)).round(2)
    trials["contrast"] = trials["signed_contrast"].abs()
    trials["reaction_time"] = trials["trial_response_time"] - trials["trial_stim_on_time"]
    return trials


def session_table(cohort: Cohort, trials: pd.DataFrame) -> pd.DataFrame:
    """Summarise the sessions with trials, with their day and their training status."""
    sessions = cohort.sessions.copy()
    sessions["date"] = sessions["session_start_time"].dt.normalize()
    is_training_day = ~sessions["task_protocol"].fillna("").str.contains("habituation")
    dates = sessions[is_training_day].groupby("mouse")["date"]
    sessions.loc[is_training_day, "day"] = dates.rank("dense") - 1
    easy = trials[trials["contrast"] >= 50]
    sessions["n_trials"] = trials.groupby("session")["trial_id"].max()
    is_correct = easy["trial_feedback_type"] == 1
    sessions["performance_easy"] = is_correct.groupby(easy["session"]).mean()
    sessions["is_biased"] = trials.groupby("session")["task"].first().isin(["biased", "ephys"])
    sessions = sessions[sessions["has_trials"]].reset_index(names="session")
    prob_left = np.where(trials["task"] == "training", 50, 100 * trials["trial_stim_prob_left"])
    counts = trials.assign(prob_left_pct=np.rint(prob_left).astype(int))
    counts["is_right"] = counts["choice"] == 1
    keys = ["session", "prob_left_pct", "signed_contrast"]
    counts = counts.groupby(keys)["is_right"].agg(n_trials="size", n_right="sum").reset_index()
    zero = trials[(trials["contrast"] == 0) & trials["reaction_time"].notna()]
    found = status.evaluate(
        sessions.rename(columns={"mouse": "subject"}), counts, zero[["session", "reaction_time"]]
    )
    windows = found.windows[found.windows["window"] == "last_three"]
    sessions = sessions.merge(found.status[["session", "training_status"]], on="session")
    fits = windows[["session", "bias", "threshold", "lapse_low", "lapse_high"]]
    return sessions.merge(fits, on="session", how="left")


def first_trained(sessions: pd.DataFrame) -> pd.DataFrame:
    """Find each mouse's first session with status trained_1a or trained_1b."""
    return sessions[sessions["training_status"].isin(TRAINED)].groupby("mouse").first()


def figures(cohort: Cohort) -> dict[str, str]:
    """Work out the demo's side of `PUBLISHED`."""
    trials = trial_table(cohort)
    sessions = session_table(cohort, trials)
    trained = first_trained(sessions)
    return {
        **_of_learning(cohort, sessions, trained),
        **_at_criterion(trials, sessions, trained),
        **_of_biased(trials, sessions),
        **_of_records(cohort, trials, sessions),
    }


def _of_learning(cohort: Cohort, sessions: pd.DataFrame, trained: pd.DataFrame) -> dict[str, str]:
    days = trained["day"] + 1
    lab = cohort.mice["lab_name"].str.removesuffix("lab")
    by_lab = days.groupby(lab.reindex(days.index)).median().sort_values()
    to_trained = sessions.merge(trained["day"].rename("until").reset_index(), on="mouse")
    to_trained = to_trained[to_trained["day"] <= to_trained["until"]]
    n_to_trained = to_trained.groupby("mouse")["n_trials"].sum()
    by_day = sessions.groupby(["mouse", "day"]).agg(
        easy=("performance_easy", "mean"), n=("n_trials", "sum")
    )
    medians = by_day.groupby("day").median().reindex(DAYS)
    return {
        "mice that get trained, %": _row(100 * len(trained) / len(cohort.mice), 0),
        "days to trained, median": _row(days.median(), 1),
        "days to trained, mean": _row(days.mean(), 1),
        "days to trained, range": f"{days.min():.0f} to {days.max():.0f}",
        "days to trained, median by lab": ", ".join(f"{k} {v:g}" for k, v in by_lab.items()),
        "trials to trained, median": _row(n_to_trained.median(), 0),
        "easy trials correct on days 0, 4, 9, 14, 29, %": _row(100 * medians["easy"], 0),
        "trials on days 0, 4, 9, 14, 29": _row(medians["n"], 0),
    }


def _at_criterion(
    trials: pd.DataFrame, sessions: pd.DataFrame, trained: pd.DataFrame
) -> dict[str, str]:
    window = sessions.merge(trained["session"].rename("at").reset_index(), on="mouse")
    window = window[(window["session"] <= window["at"]) & (window["session"] > window["at"] - 3)]
    at_criterion = trials[trials["session"].isin(window["session"])]
    reactions = at_criterion.groupby("mouse")["reaction_time"].median()
    return {
        "threshold at criterion, % contrast": _row(trained["threshold"].median(), 1),
        "bias at criterion, % contrast": _row(trained["bias"].median(), 1),
        "lapses at criterion, left and right": _row(trained[["lapse_low", "lapse_high"]].median()),
        "reaction time at criterion, s": _row(reactions.median()),
        "easy trials correct at criterion, %": _row(100 * window["performance_easy"].median(), 1),
        "trials a session at criterion": _row(window["n_trials"].median(), 0),
    }


def _of_biased(trials: pd.DataFrame, sessions: pd.DataFrame) -> dict[str, str]:
    biased = trials[trials["task"] == "biased"]
    usual = biased[~biased["contrast"].isin([4, 8])]
    zero = biased[(biased["contrast"] == 0) & (biased["choice"] != 0)]
    accuracy = (usual["trial_feedback_type"] == 1).groupby(usual["contrast"]).mean()
    reaction = usual.groupby("contrast")["reaction_time"].median()
    right = (zero["choice"] == 1).groupby(zero["trial_stim_prob_left"]).mean()
    blocks = block_lengths(biased)
    whole = sessions.loc[sessions["is_biased"] & (sessions["n_trials"] > 60), "n_trials"]
    minutes = biased.groupby("session")["trial_end_time"].last() / 60
    quartiles = [0.25, 0.5, 0.75]
    return {
        "trials a biased session, quartiles": _row(whole.quantile(quartiles), 0),
        "trials a biased session, most": _row(whole.max(), 0),
        "biased trials correct at 0, 6.25, 12.5, 25, 100 %, %": _row(100 * accuracy, 1),
        "biased reaction time at 0, 6.25, 12.5, 25, 100 %, s": _row(reaction),
        "rightward at 0 % after prior 0.2, 0.5, 0.8, %": _row(100 * right, 1),
        "block after the first, mean trials": _row(blocks.mean(), 1),
        "block after the first, range": f"{blocks.min()} to {blocks.max()}",
        "minutes of a biased session, quartiles": _row(minutes.quantile(quartiles), 0),
    }


def _of_records(cohort: Cohort, trials: pd.DataFrame, sessions: pd.DataFrame) -> dict[str, str]:
    reaction = trials["reaction_time"]
    dates = sessions.drop_duplicates(["mouse", "date"])["date"]
    per_day = sessions.groupby(["mouse", "date"]).size()
    tasks = trials.groupby("task")["session"].nunique()[["training", "biased", "ephys"]]
    return {
        "reaction times missing, %": _row(100 * reaction.isna().mean(), 1),
        "reaction times negative, %": _row(100 * (reaction < 0).mean(), 2),
        "no-go trials, %": _row(100 * (trials["choice"] == 0).mean(), 2),
        "days on weekends, %": _row(100 * dates.dt.strftime("%u").isin(["6", "7"]).mean(), 1),
        "sessions: training, biased, ephys, %": _row(100 * tasks / tasks.sum(), 0),
        "sessions without trials, %": _row(100 * (~cohort.sessions["has_trials"]).mean(), 1),
        "days with two sessions, %": _row(100 * (per_day == 2).mean(), 2),
    }


def block_lengths(biased: pd.DataFrame) -> pd.Series:
    """Count the trials of each block but the first and the last of a session."""
    prob_left = biased["trial_stim_prob_left"]
    is_new = (prob_left != prob_left.shift()) | (biased["session"] != biased["session"].shift())
    block = is_new.groupby(biased["session"]).cumsum().rename("block")
    ends = biased.groupby(["session", block])["trial_id"].agg(["first", "last"]).reset_index()
    last = ends["block"] == ends.groupby("session")["block"].transform("max")
    inner = ends[(ends["block"] > 1) & ~last]
    return inner["last"] - inner["first"] + 1


def _row(values: object, digits: int = 3) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in np.atleast_1d(np.asarray(values, float)))


def joined(cohorts: list[Cohort]) -> Cohort:
    """Put cohorts one after the other, as if they were one."""
    n_mice = np.cumsum([0, *(len(c.mice) for c in cohorts)])
    n_sessions = np.cumsum([0, *(len(c.sessions) for c in cohorts)])
    sessions = [
        c.sessions.assign(mouse=c.sessions["mouse"] + before)
        for c, before in zip(cohorts, n_mice, strict=False)
    ]
    trials = {name: np.concatenate([c.trials[name] for c in cohorts]) for name in cohorts[0].trials}
    trials["session"] = np.concatenate(
        [c.trials["session"] + before for c, before in zip(cohorts, n_sessions, strict=False)]
    )
    return Cohort(
        pd.concat([c.mice for c in cohorts], ignore_index=True),
        pd.concat(sessions, ignore_index=True),
        trials,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mice", type=int, default=MICE)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    started = time.perf_counter()
    cohorts = list(simulate(options.mice, options.seed, COHORT))
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cohort = joined(cohorts)
    found = figures(cohort)
    print("| figure | demo | published |\n| --- | --- | --- |")
    for name, published in PUBLISHED.items():
        print(f"| {name} | {found[name]} | {published} |")
    print(
        f"\n{len(cohort.mice)} mice, seed {options.seed}: {len(cohort.sessions):,} sessions and"
        f" {len(cohort.trials['session']):,} trials in {seconds:.1f} s, {memory:.0f} MB at most"
    )


if __name__ == "__main__":
    main()
