# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Exercise 1: the frames of the tutorial, without a server
#
# IBL's tutorial begins with two frames, mice and sessions, fetched from the server and saved as
# CSV, to be read again offline. A mirror is offline by itself; the frames are views in it.
#
# Each question here has a cell for your answer, and below it two ways that work: SQL and pandas.
# Put your frame or number in the place of the dots, and `check` says what is off, not the answer.

# %%
import pandas as pd

import mirror
from analyses.lessons import check

con = mirror.connect()

# %% [markdown]
# ## 1a. The mice
#
# A frame of all mice that have a lab: `subject_uuid`, `subject_nickname`, `lab_name`, `sex`,
# `time_zone`. In DataJoint it was `subject.Subject * subject.SubjectLab * reference.Lab`.

# %%
check(con, "1a", ...)

# %% [markdown]
# **SQL.** The join is a view already; `mirror describe tutorial_subjects` explains it.

# %%
mice = con.sql("""
    select subject_uuid, subject_nickname, lab_name, sex, time_zone
    from tutorial_subjects
    order by lab_name, subject_nickname
""").df()
check(con, "1a", mice)

# %% [markdown]
# **pandas.** The three tables are in the file under the names that they have in DataJoint.

# %%
subject = con.sql("from subject.subject").df()
subject_lab = con.sql("from subject.subject_lab").df()
lab = con.sql("from reference.lab").df()
merged = subject.merge(subject_lab, on="subject_uuid").merge(lab, on="lab_name")
check(con, "1a", merged[["subject_uuid", "subject_nickname", "lab_name", "sex", "time_zone"]])

# %% [markdown]
# ## 1b. The sessions, with the mice
#
# The tutorial's sessions of training, joined with its mice: `subject_uuid`, `session_start_time`,
# `user_name`, `subject_nickname`, `lab_name`, `n_trials`, `performance_easy`, `training_status`.

# %%
check(con, "1b", ...)

# %% [markdown]
# **SQL.**

# %%
joined = con.sql("""
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
    join tutorial_subjects as mouse using (subject_uuid)
""").df()
check(con, "1b", joined)

# %% [markdown]
# **pandas.** Join by the uuid: the nickname is only unique within a lab.

# %%
sessions = con.sql("from tutorial_sessions").df().merge(mice, on="subject_uuid")
check(con, "1b", sessions)

# %% [markdown]
# ## 1c. Saved and read again
#
# Save the frame as CSV, read it again, and say how many sessions it has.
#
# CSV forgets what a column is: uuids come back as text, and so do times unless you say which
# columns hold them. `mirror export tutorial_sessions -o sessions.parquet` forgets nothing.

# %%
check(con, "1c", ...)

# %% [markdown]
# **SQL.** DuckDB reads CSV files as it reads tables.

# %%
sessions.to_csv("tutorial_sessions.csv", index=False)
check(
    con,
    "1c",
    con.sql("""
        select count(*)
        from (
            select distinct subject_uuid, session_start_time
            from read_csv('tutorial_sessions.csv')
        )
    """),
)

# %% [markdown]
# **pandas.**

# %%
again = pd.read_csv("tutorial_sessions.csv", parse_dates=["session_start_time"])
check(con, "1c", len(again.drop_duplicates(["subject_uuid", "session_start_time"])))

# %% [markdown]
# The tutorial's query joins so much that it loses sessions without saying so. Which ones, and why:

# %%
con.sql("select reason, count(*) as n_rows from tutorial_sessions_lost group by all").df()
