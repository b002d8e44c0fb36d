# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Exercise 3: trials
#
# The tutorial warns that trials are slow to fetch: here they are in the file. All questions are
# about one mouse, the one with the most trials.

# %%
import mirror
from analyses.lessons import check

con = mirror.connect()
[(mouse,)] = con.sql("""
    select subject_uuid::varchar
    from trials
    group by subject_uuid
    order by count(*) desc, subject_uuid
    limit 1
""").fetchall()
trials = con.sql(f"from trials where subject_uuid = '{mouse}'").df()

# %% [markdown]
# ## 3a. A psychometric curve
#
# Of the task `training`, and of trials in which the mouse chose: a frame of `signed_contrast`,
# `n_trials` and `p_right`, the share of choices to the right.

# %%
check(con, "3a", ...)

# %% [markdown]
# **SQL.**

# %%
curve = con.sql(f"""
    select signed_contrast, count(*) as n_trials, avg(choice_right) as p_right
    from trials
    where subject_uuid = '{mouse}' and task = 'training' and not is_no_go
    group by signed_contrast
    order by signed_contrast
""").df()
check(con, "3a", curve)

# %% [markdown]
# **pandas.** `choice_right` is missing where the mouse made no choice.

# %%
training = trials[trials["task"] == "training"]
chosen = training[~training["is_no_go"]].groupby("signed_contrast")["choice_right"]
check(con, "3a", chosen.agg(n_trials="size", p_right="mean"))

# %% [markdown]
# ## 3b. A chronometric curve
#
# The median reaction time of each contrast, on either side: `contrast` and `reaction_time`, in
# seconds, of the trials of the task `training` that are valid (`is_valid`).

# %%
check(con, "3b", ...)

# %% [markdown]
# **SQL.**

# %%
times = con.sql(f"""
    select contrast, median(reaction_time) as reaction_time
    from trials
    where subject_uuid = '{mouse}' and task = 'training' and is_valid
    group by contrast
    order by contrast
""").df()
check(con, "3b", times)

# %% [markdown]
# **pandas.**

# %%
valid = training[training["is_valid"]]
check(con, "3b", valid.groupby("contrast")["reaction_time"].median())

# %% [markdown]
# ## 3c. After a reward
#
# In all tasks: in how many percent of the trials that follow a rewarded one does the mouse choose
# the same side again? A number. Leave out trials without a choice, now or before, and do not step
# over the border of a session or a gap in `trial_id`.

# %%
check(con, "3c", ...)

# %% [markdown]
# **SQL.** The view has the choice before, and whether the mouse stayed with it.

# %%
check(
    con,
    "3c",
    con.sql(f"""
        select 100 * avg(stay)
        from trials
        where subject_uuid = '{mouse}' and previous_rewarded = 1
    """),
)

# %% [markdown]
# **pandas.** From scratch: shift within each session, and drop what does not follow directly.

# %%
trials = trials.sort_values(["session_start_time", "trial_id"])
before = trials.groupby("session_start_time")[["trial_id", "choice", "rewarded"]].shift()
follows = trials["trial_id"] == before["trial_id"] + 1
both_chose = (trials["choice"] != 0) & (before["choice"] != 0)
pairs = follows & both_chose & (before["rewarded"] == 1)
check(con, "3c", 100 * (trials["choice"] == before["choice"])[pairs].mean())

# %% [markdown]
# To see it: `mirror plot mouse_contrasts`, `chronometric_curves` and `choice_history`.
