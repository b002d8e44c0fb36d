"""Print how the demo's mice compare to the published ones, and how long they take.

Run: python tests/bench_demo.py --mice 60
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd

from mirror.derive import status
from mirror.sources.demo.mice import Cohort, simulate

TRAINED = ("trained_1a", "trained_1b")
# What IBL published, or what its published trials give: the figures of the 140 mice, of their
# sessions, and of a set of 2,500 sessions, most of them of the biased task.
PUBLISHED = {
    "trained, share of mice": "about .9",
    "days to trained, median": "15.5",
    "days to trained, mean": "19.1",
    "days to trained, range": "4-58",
    "days to trained, by lab": "dan 8 zad 10 mai 11 wit 12.5 ang 18 cor 19 chu 19.5 hof 22 mrs 26",
    "trials to trained, median": "9086",
    "easy performance, days 0 4 9 14 29": "45 53 81 90 95",
    "trials a day, days 0 4 9 14 29": "313 509 643 658 736",
    "at criterion: threshold": "15.4",
    "at criterion: bias": "0.2",
    "at criterion: lapses": ".097 .100",
    "at criterion: reaction time": ".425",
    "at criterion: easy performance, trials": ".902 700",
    "biased: trials a session": "551 774 994, most 2000",
    "biased: accuracy": ".587 .739 .838 .895 .941",
    "biased: reaction time": ".430 .362 .321 .293 .262",
    "biased: rightward at 0, by prior": ".646 .463 .306",
    "biased: block length": "50.3, 20-99",
    "reaction time missing": ".034",
    "reaction time negative": ".0012",
    "no-go": ".0036",
    "weekend share of days": ".018",
    "sessions by task": "training 3391 biased 2900 ephys 187",
    "sessions without trials": "-",
    "session minutes, biased": "35 45 57",
    "sessions on a day: 1 2 4": "6304 86 4",
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
    days = trained["day"] + 1
    lab = cohort.mice["lab_name"].str[:3]
    by_lab = days.groupby(lab.reindex(days.index)).median().sort_values()
    to_trained = sessions.merge(trained["day"].rename("until").reset_index(), on="mouse")
    to_trained = to_trained[to_trained["day"] <= to_trained["until"]]
    n_to_trained = to_trained.groupby("mouse")["n_trials"].sum()
    by_day = sessions.groupby(["mouse", "day"]).agg(
        easy=("performance_easy", "mean"), n=("n_trials", "sum")
    )
    medians = by_day.groupby("day").median().loc[[0, 4, 9, 14, 29]]
    window = sessions.merge(trained["session"].rename("at").reset_index(), on="mouse")
    window = window[(window["session"] <= window["at"]) & (window["session"] > window["at"] - 3)]
    at_criterion = trials[trials["session"].isin(window["session"])]
    biased = trials[trials["task"] == "biased"]
    usual = biased[~biased["contrast"].isin([4, 8])]
    zero = biased[(biased["contrast"] == 0) & (biased["choice"] != 0)]
    accuracy = (usual["trial_feedback_type"] == 1).groupby(usual["contrast"]).mean()
    reaction = usual.groupby("contrast")["reaction_time"].median()
    right = (zero["choice"] == 1).groupby(zero["trial_stim_prob_left"]).mean()
    blocks = block_lengths(biased)
    whole = sessions[sessions["is_biased"] & (sessions["n_trials"] > 60)]
    per_session = whole["n_trials"].quantile([0.25, 0.5, 0.75])
    minutes = (biased.groupby("session")["trial_end_time"].last() / 60).quantile([0.25, 0.5, 0.75])
    per_day = sessions.groupby(["mouse", "date"]).size().value_counts()
    dates = sessions.drop_duplicates(["mouse", "date"])["date"]
    lapses = trained[["lapse_low", "lapse_high"]].median()
    reactions = at_criterion.groupby("mouse")["reaction_time"].median()
    return {
        "trained, share of mice": f"{len(trained) / len(cohort.mice):.2f}",
        "days to trained, median": f"{days.median():.1f}",
        "days to trained, mean": f"{days.mean():.1f}",
        "days to trained, range": f"{days.min():.0f}-{days.max():.0f}",
        "days to trained, by lab": " ".join(f"{k} {v:g}" for k, v in by_lab.items()),
        "trials to trained, median": _row([n_to_trained.median()], 0),
        "easy performance, days 0 4 9 14 29": _row(100 * medians["easy"], 0),
        "trials a day, days 0 4 9 14 29": _row(medians["n"], 0),
        "at criterion: threshold": _row([trained["threshold"].median()], 1),
        "at criterion: bias": _row([trained["bias"].median()], 1),
        "at criterion: lapses": _row(lapses),
        "at criterion: reaction time": _row([reactions.median()]),
        "at criterion: easy performance, trials": (
            f"{window['performance_easy'].median():.3f} {window['n_trials'].median():.0f}"
        ),
        "biased: trials a session": f"{_row(per_session, 0)}, most {whole['n_trials'].max():.0f}",
        "biased: accuracy": _row(accuracy),
        "biased: reaction time": _row(reaction),
        "biased: rightward at 0, by prior": _row(right),
        "biased: block length": f"{blocks.mean():.1f}, {blocks.min()}-{blocks.max()}",
        "reaction time missing": _row([trials["reaction_time"].isna().mean()], 4),
        "reaction time negative": _row([(trials["reaction_time"] < 0).mean()], 4),
        "no-go": _row([(trials["choice"] == 0).mean()], 4),
        "weekend share of days": _row([dates.dt.strftime("%u").isin(["6", "7"]).mean()]),
        "sessions by task": " ".join(
            f"{k} {v}" for k, v in trials.groupby("task")["session"].nunique().items()
        ),
        "sessions without trials": f"{(~cohort.sessions['has_trials']).mean():.3f}",
        "session minutes, biased": _row(minutes, 0),
        "sessions on a day: 1 2 4": _row(per_day.reindex([1, 2, 4], fill_value=0), 0),
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
    return " ".join(f"{value:.{digits}f}" for value in np.asarray(values, float))


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
    parser.add_argument("--mice", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started, worked = time.perf_counter(), time.process_time()
    cohorts = list(simulate(options.mice, options.seed))
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cohort = joined(cohorts)
    width = max(map(len, PUBLISHED))
    for name, value in figures(cohort).items():
        print(f"{name:{width}}  {value}\n{'published':>{width}}  {PUBLISHED[name]}")
    print(
        f"{len(cohort.mice)} mice, {len(cohort.sessions)} sessions,"
        f" {len(cohort.trials['session']):,} trials in {seconds:.1f} s"
        f" ({work:.1f} s of processor), peak {memory:.0f} MB"
    )


if __name__ == "__main__":
    main()
