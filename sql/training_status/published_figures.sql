-- Grain: one row per published figure and the part of the mice that it is of.
--
-- Sources: subjects, days, time_to_criterion, psychometric_fits, trials, sessions, cohorts,
-- training_milestones.
--
-- Definition: constants that were published of IBL's 140 mice (eLife 2021;10:e63711), each beside
-- the same figure of the mice and trials here, by the query that stands in its row. The constants
-- are the paper's own where source names the paper, and were computed once from the data that were
-- published with it where source names its data.
--
-- The mice are those of cohort `paper` that are here.
--
-- Traps:
-- * A mirror of few of these mice has other figures; n_mice says of how many they are.
-- * The paper counts days from 0 and this mirror from 1: first_day_above_80 is counted from 0 here.
-- * What the mirror lacks is NULL, not 0.
create or replace view published_figures as

with

constant (number, topic, figure, part, unit, published, source) as (

    values
    (1, 'the data', 'mice', 'all', 'mice', 140.0::double, 'eLife 2021;10:e63711, abstract'),
    (2, 'the data', 'institutions', 'all', 'institutions', 7.0, 'eLife 2021;10:e63711, abstract'),
    (3, 'the data', 'trials', 'all', 'trials', 5573514.0, 'data of the paper'),
    (4, 'days to trained', 'median_days', 'all', 'days', 15.5, 'data of the paper'),
    (5, 'days to trained', 'mean_days', 'all', 'days', 19.1, 'data of the paper'),
    (6, 'days to trained', 'median_trials', 'all', 'trials', 9086.0, 'data of the paper'),
    (7, 'days to trained', 'median_days', 'danlab', 'days', 8.0, 'data of the paper'),
    (8, 'days to trained', 'median_days', 'zadorlab', 'days', 10.0, 'data of the paper'),
    (9, 'days to trained', 'median_days', 'mainenlab', 'days', 11.0, 'data of the paper'),
    (10, 'days to trained', 'median_days', 'wittenlab', 'days', 12.5, 'data of the paper'),
    (11, 'days to trained', 'median_days', 'angelakilab', 'days', 18.0, 'data of the paper'),
    (12, 'days to trained', 'median_days', 'cortexlab', 'days', 19.0, 'data of the paper'),
    (13, 'days to trained', 'median_days', 'churchlandlab', 'days', 19.5, 'data of the paper'),
    (14, 'days to trained', 'median_days', 'hoferlab', 'days', 22.0, 'data of the paper'),
    (15, 'days to trained', 'median_days', 'mrsicflogellab', 'days', 26.0, 'data of the paper'),
    (
        16, 'learning', 'first_day_above_80', 'all', 'day, the first is 0', 12.0,
        'IBL-pipeline, notebook Replication of Figure 2a and b'
    ),
    (17, 'learning', 'median_easy_correct', 'day 0', '%', 45.0, 'data of the paper'),
    (18, 'learning', 'median_easy_correct', 'day 4', '%', 53.0, 'data of the paper'),
    (19, 'learning', 'median_easy_correct', 'day 9', '%', 81.0, 'data of the paper'),
    (20, 'learning', 'median_easy_correct', 'day 14', '%', 90.0, 'data of the paper'),
    (21, 'learning', 'median_easy_correct', 'day 29', '%', 95.0, 'data of the paper'),
    (22, 'at the criterion', 'threshold', 'all', '% contrast', 15.4, 'data of the paper'),
    (23, 'at the criterion', 'lapse_low', 'all', 'share', 0.097, 'data of the paper'),
    (24, 'at the criterion', 'lapse_high', 'all', 'share', 0.1, 'data of the paper'),
    (25, 'at the criterion', 'bias', 'all', '% contrast', 0.2, 'data of the paper'),
    (26, 'at the criterion', 'reaction_time', 'all', 's', 0.425, 'data of the paper'),
    (27, 'at the criterion', 'easy_correct', 'all', '%', 90.2, 'data of the paper'),
    (28, 'at the criterion', 'trials_of_day', 'all', 'trials', 700.0, 'data of the paper'),
    (29, 'stages', 'share', 'trained', '%', null, 'eLife 2021;10:e63711, figure 1a'),
    (30, 'stages', 'share', 'ready for ephys', '%', null, 'eLife 2021;10:e63711, figure 1a'),
    (31, 'the biased task', 'trials_of_session', 'all', 'trials', 774.0, 'IBL''s public sessions'),
    (32, 'the biased task', 'correct', '0 %', '%', 58.7, 'IBL''s public sessions'),
    (33, 'the biased task', 'correct', '6.25 %', '%', 73.9, 'IBL''s public sessions'),
    (34, 'the biased task', 'correct', '12.5 %', '%', 83.8, 'IBL''s public sessions'),
    (35, 'the biased task', 'correct', '25 %', '%', 89.5, 'IBL''s public sessions'),
    (36, 'the biased task', 'correct', '100 %', '%', 94.1, 'IBL''s public sessions'),
    (37, 'the biased task', 'reaction_time_biased', '0 %', 's', 0.430, 'IBL''s public sessions'),
    (38, 'the biased task', 'reaction_time_biased', '6.25 %', 's', 0.362, 'IBL''s public sessions'),
    (39, 'the biased task', 'reaction_time_biased', '12.5 %', 's', 0.321, 'IBL''s public sessions'),
    (40, 'the biased task', 'reaction_time_biased', '25 %', 's', 0.293, 'IBL''s public sessions'),
    (41, 'the biased task', 'reaction_time_biased', '100 %', 's', 0.262, 'IBL''s public sessions'),
    (42, 'the biased task', 'right_at_0', 'block 20', '%', 64.6, 'IBL''s public sessions'),
    (43, 'the biased task', 'right_at_0', 'block 50', '%', 46.3, 'IBL''s public sessions'),
    (44, 'the biased task', 'right_at_0', 'block 80', '%', 30.6, 'IBL''s public sessions')

),

explained (topic, reason) as (

    values
    ('the data', 'Not every mouse of the paper is in every mirror, nor only these.'),
    (
        'days to trained',
        'Days and statuses that are not here move the day of being trained; the paper''s table'
        || ' counts one day less than its queries, and these figures count as the queries.'
    ),
    (
        'learning',
        'Of the mice here, by the day and performance of one source each; mice leave as time'
        || ' passes, and the notebook has all mice of its day.'
    ),
    (
        'at the criterion',
        'Here of the day of being trained, each fit with the paper''s bounds; published of this'
        || ' day and the two before it, pooled.'
    ),
    (
        'stages',
        'The figure prints how many animals the laboratories had at each stage, in numbers that'
        || ' its data do not hold: nothing to compare.'
    ),
    (
        'the biased task',
        'Published of the sessions with public files; here of all biased and ephys sessions with'
        || ' trials.'
    )

),

asked (topic, figure, query) as (

    values
    ('the data', 'mice', 'select count(*) from subjects semi join paper using (subject_uuid)'),
    (
        'the data', 'institutions',
        'select count(distinct institution_short) from subjects'
        || ' semi join paper using (subject_uuid)'
    ),
    (
        'the data', 'trials',
        'select count(*) from trials semi join paper using (subject_uuid)'
    ),
    (
        'days to trained', 'median_days',
        'select lab_name, median(n_days) from time_to_criterion'
        || ' semi join paper using (subject_uuid)'
        || ' where criterion = ''trained'' and is_reached group by rollup (lab_name)'
    ),
    (
        'days to trained', 'mean_days',
        'select avg(n_days) from time_to_criterion'
        || ' semi join paper using (subject_uuid) where criterion = ''trained'' and is_reached'
    ),
    (
        'days to trained', 'median_trials',
        'select median(n_trials) from time_to_criterion'
        || ' semi join paper using (subject_uuid) where criterion = ''trained'' and is_reached'
    ),
    (
        'learning', 'first_day_above_80',
        'select min(day) - 1 from (select day, avg(easy) as mean from (select case day_source'
        || ' when ''stored'' then stored_training_day else training_day end as day,'
        || ' case summary_source when ''stored'' then stored_performance_easy'
        || ' else performance_easy end as easy from days'
        || ' semi join paper using (subject_uuid)) group by day) where mean > 0.8'
    ),
    (
        'learning', 'median_easy_correct',
        'select day - 1, 100 * median(easy) from (select case day_source'
        || ' when ''stored'' then stored_training_day else training_day end as day,'
        || ' case summary_source when ''stored'' then stored_performance_easy'
        || ' else performance_easy end as easy from days'
        || ' semi join paper using (subject_uuid)) group by day'
    ),
    (
        'at the criterion', 'threshold',
        'select median(threshold) from psychometric_fits as fits join time_to_criterion as reached'
        || ' on reached.subject_uuid = fits.subject_uuid'
        || ' and reached.date_reached = fits.session_date'
        || ' semi join paper on paper.subject_uuid = fits.subject_uuid'
        || ' where reached.criterion = ''trained'''
        || ' and grain = ''day_block'' and prob_left_block = 50 and variant = ''paper'''
        || ' and source = ''derived'''
    ),
    (
        'at the criterion', 'lapse_low',
        'select median(lapse_low) from psychometric_fits as fits join time_to_criterion as reached'
        || ' on reached.subject_uuid = fits.subject_uuid'
        || ' and reached.date_reached = fits.session_date'
        || ' semi join paper on paper.subject_uuid = fits.subject_uuid'
        || ' where reached.criterion = ''trained'''
        || ' and grain = ''day_block'' and prob_left_block = 50 and variant = ''paper'''
        || ' and source = ''derived'''
    ),
    (
        'at the criterion', 'lapse_high',
        'select median(lapse_high) from psychometric_fits as fits join time_to_criterion as reached'
        || ' on reached.subject_uuid = fits.subject_uuid'
        || ' and reached.date_reached = fits.session_date'
        || ' semi join paper on paper.subject_uuid = fits.subject_uuid'
        || ' where reached.criterion = ''trained'''
        || ' and grain = ''day_block'' and prob_left_block = 50 and variant = ''paper'''
        || ' and source = ''derived'''
    ),
    (
        'at the criterion', 'bias',
        'select median(bias) from psychometric_fits as fits join time_to_criterion as reached'
        || ' on reached.subject_uuid = fits.subject_uuid'
        || ' and reached.date_reached = fits.session_date'
        || ' semi join paper on paper.subject_uuid = fits.subject_uuid'
        || ' where reached.criterion = ''trained'''
        || ' and grain = ''day_block'' and prob_left_block = 50 and variant = ''paper'''
        || ' and source = ''derived'''
    ),
    (
        'at the criterion', 'reaction_time',
        'select median(days.median_reaction_time) from days join time_to_criterion as reached'
        || ' on reached.subject_uuid = days.subject_uuid'
        || ' and reached.date_reached = days.session_date'
        || ' semi join paper on paper.subject_uuid = days.subject_uuid'
        || ' where reached.criterion = ''trained'''
    ),
    (
        'at the criterion', 'easy_correct',
        'select median(100 * days.performance_easy) from days join time_to_criterion as reached'
        || ' on reached.subject_uuid = days.subject_uuid'
        || ' and reached.date_reached = days.session_date'
        || ' semi join paper on paper.subject_uuid = days.subject_uuid'
        || ' where reached.criterion = ''trained'''
    ),
    (
        'at the criterion', 'trials_of_day',
        'select median(days.n_trials) from days join time_to_criterion as reached'
        || ' on reached.subject_uuid = days.subject_uuid'
        || ' and reached.date_reached = days.session_date'
        || ' semi join paper on paper.subject_uuid = days.subject_uuid'
        || ' where reached.criterion = ''trained'''
    ),
    (
        'stages', 'share',
        'select 100 * count(date_reached_trained_1a) / count(status_source),'
        || ' 100 * count(date_reached_ready4ephysrig) / count(status_source)'
        || ' from training_milestones semi join paper using (subject_uuid)'
    ),
    (
        'the biased task', 'trials_of_session',
        'select median(n_trials) from sessions semi join paper using (subject_uuid)'
        || ' where n_trials > 0 and task in (''biased'', ''ephys'')'
    ),
    (
        'the biased task', 'correct',
        'select contrast, 100 * avg(rewarded) from trials semi join paper using (subject_uuid)'
        || ' where task in (''biased'', ''ephys'') group by contrast'
    ),
    (
        'the biased task', 'reaction_time_biased',
        'select contrast, median(reaction_time) from trials semi join paper using (subject_uuid)'
        || ' where task in (''biased'', ''ephys'') and choice <> 0 group by contrast'
    ),
    (
        'the biased task', 'right_at_0',
        'select prob_left_block, 100 * avg(choice_right) from trials'
        || ' semi join paper using (subject_uuid)'
        || ' where task in (''biased'', ''ephys'') and contrast = 0 group by prob_left_block'
    )

),

mouse as (

    select
        subjects.subject_uuid,
        subjects.lab_name,
        subjects.institution_short
    from subjects
    where subjects.subject_uuid in (
        select cohorts.subject_uuid from cohorts where cohorts.cohort = 'paper'
    )

),

trained as (

    select
        reached.subject_uuid,
        mouse.lab_name,
        reached.date_reached,
        reached.n_days,
        reached.n_trials
    from time_to_criterion as reached
    join mouse
        on mouse.subject_uuid = reached.subject_uuid
    where reached.criterion = 'trained' and reached.is_reached

),

-- of each mouse the number of the day and its performance from one source
day as (

    select
        days.subject_uuid,
        case days.day_source
            when 'stored' then days.stored_training_day else days.training_day
        end as training_day,
        case days.summary_source
            when 'stored' then days.stored_performance_easy else days.performance_easy
        end as performance_easy
    from days
    join mouse
        on mouse.subject_uuid = days.subject_uuid

),

day_of_mice as (

    select
        day.training_day - 1 as day_from_0,
        avg(day.performance_easy) as mean_easy,
        median(day.performance_easy) as median_easy,
        count(day.performance_easy) as n_mice
    from day
    where day.training_day is not null
    group by day.training_day

),

first_above as (

    select
        min(day_of_mice.day_from_0) as day_from_0
    from day_of_mice
    where day_of_mice.mean_easy > 0.8e0

),

fit_at_criterion as (

    select
        fits.threshold,
        fits.bias,
        fits.lapse_low,
        fits.lapse_high
    from psychometric_fits as fits
    join trained
        on trained.subject_uuid = fits.subject_uuid
        and trained.date_reached = fits.session_date
    where fits.grain = 'day_block'
        and fits.prob_left_block = 50
        and fits.variant = 'paper'
        and fits.source = 'derived'
        and fits.threshold is not null

),

day_at_criterion as (

    select
        days.median_reaction_time,
        days.performance_easy,
        days.n_trials
    from days
    join trained
        on trained.subject_uuid = days.subject_uuid
        and trained.date_reached = days.session_date
    where days.n_trials > 0

),

biased_trial as (

    select
        trials.subject_uuid,
        trials.contrast,
        trials.prob_left_block,
        trials.rewarded,
        trials.choice,
        trials.choice_right,
        trials.reaction_time
    from trials
    join mouse
        on mouse.subject_uuid = trials.subject_uuid
    where trials.task in ('biased', 'ephys')

),

recomputed as (

    select 'mice' as figure, 'all' as part, count(*)::double as recomputed, count(*) as n_mice
    from mouse

    union all

    select 'institutions', 'all', count(distinct mouse.institution_short)::double, count(*)
    from mouse

    union all

    select 'trials', 'all', count(*)::double, count(distinct trials.subject_uuid)
    from trials
    join mouse
        on mouse.subject_uuid = trials.subject_uuid

    union all

    select 'median_days', 'all', median(trained.n_days)::double, count(*)
    from trained

    union all

    select 'median_days', trained.lab_name, median(trained.n_days)::double, count(*)
    from trained
    group by trained.lab_name

    union all

    select 'mean_days', 'all', avg(trained.n_days), count(*)
    from trained

    union all

    select 'median_trials', 'all', median(trained.n_trials)::double, count(trained.n_trials)
    from trained

    union all

    select 'first_day_above_80', 'all', first_above.day_from_0::double, day_of_mice.n_mice
    from first_above
    join day_of_mice
        on day_of_mice.day_from_0 = first_above.day_from_0

    union all

    select
        'median_easy_correct',
        'day ' || day_of_mice.day_from_0::varchar,
        100 * day_of_mice.median_easy,
        day_of_mice.n_mice
    from day_of_mice
    where day_of_mice.day_from_0 in (0, 4, 9, 14, 29)

    union all

    select 'threshold', 'all', median(fit_at_criterion.threshold), count(*)
    from fit_at_criterion

    union all

    select 'bias', 'all', median(fit_at_criterion.bias), count(*)
    from fit_at_criterion

    union all

    select 'lapse_low', 'all', median(fit_at_criterion.lapse_low), count(*)
    from fit_at_criterion

    union all

    select 'lapse_high', 'all', median(fit_at_criterion.lapse_high), count(*)
    from fit_at_criterion

    union all

    select 'reaction_time', 'all', median(day_at_criterion.median_reaction_time), count(*)
    from day_at_criterion

    union all

    select 'easy_correct', 'all', 100 * median(day_at_criterion.performance_easy), count(*)
    from day_at_criterion

    union all

    select 'trials_of_day', 'all', median(day_at_criterion.n_trials)::double, count(*)
    from day_at_criterion

    union all

    select
        'share',
        'trained',
        100 * count(milestones.date_reached_trained_1a)
        / nullif(count(milestones.status_source), 0),
        count(milestones.status_source)
    from training_milestones as milestones
    join mouse
        on mouse.subject_uuid = milestones.subject_uuid

    union all

    select
        'share',
        'ready for ephys',
        100 * count(milestones.date_reached_ready4ephysrig)
        / nullif(count(milestones.status_source), 0),
        count(milestones.status_source)
    from training_milestones as milestones
    join mouse
        on mouse.subject_uuid = milestones.subject_uuid

    union all

    select
        'trials_of_session',
        'all',
        median(sessions.n_trials)::double,
        count(distinct sessions.subject_uuid)
    from sessions
    join mouse
        on mouse.subject_uuid = sessions.subject_uuid
    where sessions.task in ('biased', 'ephys') and sessions.n_trials > 0

    union all

    select
        'correct',
        case biased_trial.contrast
            when 0 then '0 %'
            when 6.25 then '6.25 %'
            when 12.5 then '12.5 %'
            when 25 then '25 %'
            when 50 then '50 %'
            when 100 then '100 %'
        end,
        100 * avg(biased_trial.rewarded),
        count(distinct biased_trial.subject_uuid)
    from biased_trial
    group by biased_trial.contrast

    union all

    select
        'reaction_time_biased',
        case biased_trial.contrast
            when 0 then '0 %'
            when 6.25 then '6.25 %'
            when 12.5 then '12.5 %'
            when 25 then '25 %'
            when 50 then '50 %'
            when 100 then '100 %'
        end,
        median(biased_trial.reaction_time),
        count(distinct biased_trial.subject_uuid)
    from biased_trial
    where biased_trial.choice <> 0
    group by biased_trial.contrast

    union all

    select
        'right_at_0',
        'block ' || biased_trial.prob_left_block::varchar,
        100 * avg(biased_trial.choice_right),
        count(distinct biased_trial.subject_uuid)
    from biased_trial
    where biased_trial.contrast = 0
    group by biased_trial.prob_left_block

)

select
    constant.number,
    constant.topic,
    constant.figure,
    constant.part,
    constant.unit,
    constant.published,
    recomputed.recomputed,
    recomputed.recomputed - constant.published as difference,
    recomputed.n_mice,
    explained.reason,
    constant.source,
    'with paper as (select subject_uuid from cohorts where cohort = ''paper'') ' || asked.query
        as query
from constant
join explained
    on explained.topic = constant.topic
left join asked
    on asked.topic = constant.topic
    and asked.figure = constant.figure
left join recomputed
    on recomputed.figure = constant.figure
    and recomputed.part = constant.part;

comment on view published_figures is
'Figures published of IBL''s mice, each beside what is computed from the trials here';
comment on column published_figures.number is
'A number to order the figures by';
comment on column published_figures.topic is
'What the figure is about';
comment on column published_figures.figure is
'The figure''s name';
comment on column published_figures.part is
'The lab, day, contrast, block or stage that it is of';
comment on column published_figures.unit is
'Unit of published, recomputed and difference';
comment on column published_figures.published is
'The published value; NULL: in no data, see reason';
comment on column published_figures.recomputed is
'The same of the mice here; NULL: cannot be had from this mirror';
comment on column published_figures.difference is
'recomputed - published';
comment on column published_figures.n_mice is
'Mice here that recomputed is of';
comment on column published_figures.reason is
'Why the two can differ';
comment on column published_figures.source is
'Where the published value stands';
comment on column published_figures.query is
'A query that recomputes it, of all parts of the figure';
