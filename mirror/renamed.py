"""The names of columns that earlier versions had and that are gone, with what to write now.

A name that stayed and now means the recomputed value is not here: it cannot be told apart.
sql/README.md lists both.
"""

import re

TRIAL_TIMES = (
    "trial_start_time",
    "trial_stim_on_time",
    "trial_go_cue_time",
    "trial_go_cue_trigger_time",
    "trial_response_time",
    "trial_feedback_time",
    "trial_end_time",
    "trial_feedback_type",
    "trial_reward_volume",
    "trial_iti_duration",
    "reaction_time_stim_on",
)
RENAMED = {
    "has_reaction_time": "has_stored_reaction_time",
    "has_training_status": "has_stored_training_status",
    "trials_duration_min": "stored_trials_duration_min",
    "derived_status": "training_status",
    "derived_good_enough_for_brainwide_map": "good_enough_for_brainwide_map",
    "is_certain": "is_status_certain",
    "n_trial_rows": "n_trials",
    "unit": "grain",
    "next_contrast": "abs(next_signed_contrast)",
    "why_no_status": "why_no_stored_status",
    "why_no_reaction_time": "why_no_stored_reaction_time",
    **{name: f"{name} of the view trial_times" for name in TRIAL_TIMES},
}
# What DuckDB says of a column that is not there: by itself, in `exclude` or `replace`, in `using`,
# and with the table's name before it.
MISSING = re.compile(
    r'column "(\w+)" (?:in \w+ list )?(?:not found|does not exist)'
    r'|does not have a column named "(\w+)"',
    re.IGNORECASE,
)


def hint(message: str) -> str:
    """What the column that DuckDB misses is called now, as a sentence; empty if it never was."""
    found = MISSING.search(message)
    name = found and (found[1] or found[2]).lower()
    return f"It is now {RENAMED[name]} (sql/README.md)." if name in RENAMED else ""
