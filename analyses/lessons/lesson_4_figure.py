# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Exercise 4: figure 2a of the paper
#
# Recreate the learning curves of *Standardized and reproducible measurement of decision-making in
# mice* (eLife 2021;10:e63711): performance at easy contrasts against the day of training, a panel
# per lab, a line per mouse and the mean of the lab.

# %%
import altair as alt
import pandas as pd

import mirror
from analyses import learning_curves
from analyses.lessons import check

con = mirror.connect()

# %% [markdown]
# ## 4a. The lines
#
# A frame of `subject_uuid`, `training_day` and `performance_easy` in percent, for days 1 to 40 with
# more than 100 trials.

# %%
check(con, "4a", ...)

# %% [markdown]
# **SQL.** The lab is labelled by its institution, as in the paper.

# %%
lines = con.sql("""
    select
        subject_uuid::varchar as subject_uuid,
        coalesce(institution_short, 'no institution') as institution_short,
        training_day,
        100 * performance_easy as performance_easy
    from days
    where n_trials > 100 and performance_easy is not null and training_day between 1 and 40
""").df()
check(con, "4a", lines)

# %% [markdown]
# **pandas.**

# %%
days = con.sql("from days").df()
days = days[(days["n_trials"] > 100) & days["training_day"].between(1, 40)]
days = days.dropna(subset=["performance_easy"])
days = days.assign(
    performance_easy=100 * days["performance_easy"],
    institution_short=days["institution_short"].fillna("no institution"),
)
check(con, "4a", days)

# %% [markdown]
# ## 4b. The means
#
# A frame of `institution_short`, `training_day`, `performance_easy` (the mean over mice) and
# `n_mice`, for days with more than two mice; and the same over all mice, under the name `All`.

# %%
check(con, "4b", ...)

# %% [markdown]
# **SQL.** A frame is a table as well, once it is registered.

# %%
con.register("lines", lines)
means = con.sql("""
    with twice as (
        select institution_short, training_day, performance_easy from lines
        union all
        select 'All', training_day, performance_easy from lines
    )
    select
        institution_short,
        training_day,
        avg(performance_easy) as performance_easy,
        count(*) as n_mice
    from twice
    group by institution_short, training_day
    having count(*) > 2
""").df()
check(con, "4b", means)

# %% [markdown]
# **pandas.**

# %%
twice = pd.concat([days, days.assign(institution_short="All")])
by_day = twice.groupby(["institution_short", "training_day"])["performance_easy"]
averaged = by_day.agg(performance_easy="mean", n_mice="size")
check(con, "4b", averaged[averaged["n_mice"] > 2])

# %% [markdown]
# ## 4c. The figure
#
# A thin line per mouse, and the mean of the lab in colour. A panel per lab needs both in one frame,
# in which only the lines have a mouse.

# %%
# a notebook takes 5,000 rows without being asked
alt.data_transformers.disable_max_rows()
both = pd.concat([lines, means[means["institution_short"] != "All"]])
line = alt.Chart().encode(
    alt.X("training_day:Q", title="training day"),
    alt.Y("performance_easy:Q", title="easy correct, %").scale(domain=[0, 100]),
)
mouse = (
    line.transform_filter("isValid(datum.subject_uuid)")
    .mark_line(color="lightgrey", strokeWidth=1)
    .encode(detail="subject_uuid:N")
)
mean = (
    line.transform_filter("!isValid(datum.subject_uuid)")
    .mark_line(strokeWidth=3)
    .encode(color=alt.Color("institution_short:N", legend=None))
)
alt.layer(mouse, mean, data=both).properties(width=120, height=160).facet(
    alt.Facet("institution_short:N", title=None), columns=4
)

# %% [markdown]
# The mirror's own version has dark lines from the day a mouse is trained, and a panel of all labs:

# %%
learning_curves.chart(con)

# %% [markdown]
# Last question: on which `training_day` does the mean over all mice (`All`) first exceed 80 %? A
# number; `None` if it never does.

# %%
check(con, "4c", ...)

# %% [markdown]
# **SQL.**

# %%
con.register("means", means)
first = con.sql("""
    select min(training_day)
    from means
    where institution_short = 'All' and performance_easy > 80
""")
check(con, "4c", first)

# %% [markdown]
# **pandas.**

# %%
over = means[(means["institution_short"] == "All") & (means["performance_easy"] > 80)]
check(con, "4c", over["training_day"].min())

# %% [markdown]
# ## Against the published one
#
# The view `published_figures` has what was published of the 140 mice of the paper, and the same
# recomputed from those of them that are here. It counts days from 0, as the paper does, and the
# mean that first exceeds 80 % is that of IBL's own notebook, which leaves out no day.

# %%
con.sql("""
    select figure, part, unit, published, recomputed, n_mice
    from published_figures
    where topic = 'learning'
    order by number
""").df()

# %% [markdown]
# What else differs:
#
# * The paper draws a running median of three days of each mouse; here every day is as it was, so
#   that the lines are rougher.
# * The paper has what the server had stored; `performance_easy` is recomputed from the trials, and
#   `stored_performance_easy` stands beside it. On how many days do they differ, and by how much?
# * If the mirror is simulated, or has other mice, so are its figures: `mirror status` says whose
#   they are.
