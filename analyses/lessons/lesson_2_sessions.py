# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Exercise 2: sessions
#
# When are sessions run, by whom and of which mice, and how do mice get better? All questions but
# the last are about sessions whose `task` is `training`, in the view `sessions`: it has every
# session once, also those that the tutorial's query loses.

# %%
import numpy as np

import mirror
from analyses.lessons import check

con = mirror.connect()
sessions = con.sql("from sessions where task = 'training'").df()

# %% [markdown]
# ## 2a. The time of day
#
# A frame of `hour`, from 0 to 23, and `n_sessions`, the sessions that start in it. The start is
# the clock of the rig, so no time zone is to be added.

# %%
check(con, "2a", ...)

# %% [markdown]
# **SQL.**

# %%
hours = con.sql("""
    select floor(local_hour) as hour, count(*) as n_sessions
    from sessions
    where task = 'training'
    group by hour
    order by hour
""").df()
check(con, "2a", hours)

# %% [markdown]
# **pandas.**

# %%
by_hour = sessions.assign(hour=np.floor(sessions["local_hour"])).groupby("hour")
check(con, "2a", by_hour.size().rename("n_sessions"))

# %% [markdown]
# ## 2b. The labs
#
# A frame of `lab_name`, `n_sessions` and `n_mice`, for labs that have sessions of training.

# %%
check(con, "2b", ...)

# %% [markdown]
# **SQL.**

# %%
labs = con.sql("""
    select lab_name, count(*) as n_sessions, count(distinct subject_uuid) as n_mice
    from sessions
    where task = 'training' and lab_name is not null
    group by lab_name
""").df()
check(con, "2b", labs)

# %% [markdown]
# **pandas.** `groupby` leaves out rows without a lab by itself.

# %%
by_lab = sessions.groupby("lab_name")["subject_uuid"].agg(n_sessions="size", n_mice="nunique")
check(con, "2b", by_lab)

# %% [markdown]
# ## 2c. The users
#
# A frame of `user_name` and `n_sessions`. A session can have several users, and is of each: the
# table `acquisition.session_user` has a row for each of them.

# %%
check(con, "2c", ...)

# %% [markdown]
# **SQL.**

# %%
users = con.sql("""
    select user_name, count(*) as n_sessions
    from acquisition.session_user
    join sessions using (subject_uuid, session_start_time)
    where task = 'training'
    group by user_name
""").df()
check(con, "2c", users)

# %% [markdown]
# **pandas.**

# %%
session_user = con.sql("from acquisition.session_user").df()
run = session_user.merge(sessions, on=["subject_uuid", "session_start_time"])
check(con, "2c", run.groupby("user_name").size().rename("n_sessions"))

# %% [markdown]
# ## 2d. The mice
#
# A frame of `subject_uuid`, `n_sessions` and `n_days`, the dates with a session.

# %%
check(con, "2d", ...)

# %% [markdown]
# **SQL.**

# %%
mice = con.sql("""
    select subject_uuid, count(*) as n_sessions, count(distinct session_date) as n_days
    from sessions
    where task = 'training'
    group by subject_uuid
""").df()
check(con, "2d", mice)

# %% [markdown]
# **pandas.**

# %%
dates = sessions.groupby("subject_uuid")["session_date"].agg(n_sessions="size", n_days="nunique")
check(con, "2d", dates)

# %% [markdown]
# ## 2e. Performance, day by day
#
# The mean over mice of the performance at easy contrasts, by day of training: `training_day` from
# 1 to 40, `performance_easy` as a share from 0 to 1, and `n_mice`, those of the mean. The view
# `days` has a row per mouse and date.

# %%
check(con, "2e", ...)

# %% [markdown]
# **SQL.**

# %%
course = con.sql("""
    select training_day, avg(performance_easy) as performance_easy, count(*) as n_mice
    from days
    where performance_easy is not null and training_day between 1 and 40
    group by training_day
    order by training_day
""").df()
check(con, "2e", course)

# %% [markdown]
# **pandas.**

# %%
days = con.sql("from days").df().dropna(subset=["performance_easy"])
days = days[days["training_day"].between(1, 40)]
by_day = days.groupby("training_day")["performance_easy"]
check(con, "2e", by_day.agg(performance_easy="mean", n_mice="size"))

# %% [markdown]
# To see it: `mirror plot session_hours`, `sessions_per_lab` and `learning_progress`.
