-- Grain: one row per value in the server's lists of reaction times, put beside its contrast. A
-- stored list without values keeps one row, of NULLs. Sessions, blocks and days for which the
-- server stored no list have no row.
--
-- Sources: behavior_analyses.reaction_time, reaction_time_contrast_block and
-- behavioral_summary_by_date__reaction_time_contrast; the contrasts from
-- behavior_analyses.psych_results, psych_results_block and
-- behavioral_summary_by_date__psych_results; subjects.
--
-- Definition: median per contrast of response minus stimulus onset, go cue trigger where the
-- onset is missing, no-go included (IBL-pipeline, analyses/behavior.py); the intervals are the
-- server's bootstrap. To be compared with reaction_times_by_session, _by_block and _by_day,
-- which are recomputed from trials, name their contrast themselves, and are the better choice.
--
-- Traps:
-- * The lists are ordered by left minus right contrast, the contrasts stored beside them by
--   right minus left: zipped as they are, they give the mirror image, as on the lab's portal.
-- * A contrast without reaction times is missing from the list, and nothing tells which: where
--   the lengths differ, signed_contrast is NULL for the whole list.
-- * A list without any reaction time is a lone NaN, here NULL.
-- * Days number their blocks 0, 1, 2, for 50, 20, 80.
create or replace view stored_reaction_times as

with

stored_list as (

    select
        'session' as grain,
        stored.subject_uuid,
        stored.session_start_time,
        stored.session_start_time::date as session_date,
        null::integer as prob_left_block,
        curve.signed_contrasts,
        stored.reaction_time as medians,
        null::double[] as lows,
        null::double[] as highs
    from behavior_analyses.reaction_time as stored
    left join behavior_analyses.psych_results as curve
        on curve.subject_uuid = stored.subject_uuid
        and curve.session_start_time = stored.session_start_time

    union all

    select
        'session_block' as grain,
        stored.subject_uuid,
        stored.session_start_time,
        stored.session_start_time::date as session_date,
        stored.prob_left_block,
        curve.signed_contrasts,
        stored.reaction_time_contrast as medians,
        stored.reaction_time_ci_low as lows,
        stored.reaction_time_ci_high as highs
    from behavior_analyses.reaction_time_contrast_block as stored
    left join behavior_analyses.psych_results_block as curve
        on curve.subject_uuid = stored.subject_uuid
        and curve.session_start_time = stored.session_start_time
        and curve.prob_left_block = stored.prob_left_block

    union all

    select
        'day_block' as grain,
        stored.subject_uuid,
        null::timestamp as session_start_time,
        stored.session_date,
        case stored.prob_left_block when 0 then 50 when 1 then 20 when 2 then 80 end
            as prob_left_block,
        curve.signed_contrasts,
        stored.reaction_time_contrast as medians,
        stored.reaction_time_ci_low as lows,
        stored.reaction_time_ci_high as highs
    from behavior_analyses.behavioral_summary_by_date__reaction_time_contrast as stored
    left join behavior_analyses.behavioral_summary_by_date__psych_results as curve
        on curve.subject_uuid = stored.subject_uuid
        and curve.session_date = stored.session_date
        and curve.prob_left_block = stored.prob_left_block

),

counted_list as (

    select
        grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        signed_contrasts,
        medians,
        lows,
        highs,
        coalesce(array_length(signed_contrasts), 0) as n_contrasts,
        coalesce(array_length(medians), 0) as n_values,
        coalesce(array_length(lows), 0) as n_lows,
        coalesce(array_length(highs), 0) as n_highs
    from stored_list

),

numbered_value as (

    select
        grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        signed_contrasts,
        medians,
        lows,
        highs,
        n_contrasts,
        n_values,
        n_lows,
        n_highs,
        unnest(generate_series(1, n_values)) as position
    from counted_list
    where n_values > 0

),

value_with_contrast as (

    select
        grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        n_contrasts,
        n_values,
        position,
        -- counted from the end: the lists run the other way
        case
            when n_contrasts = n_values
                then round(signed_contrasts[n_contrasts + 1 - position] * 100, 4)
        end as signed_contrast,
        medians[position] as median_reaction_time,
        case when n_lows = n_values then lows[position] end as median_reaction_time_low68,
        case when n_highs = n_values then highs[position] end as median_reaction_time_high68
    from numbered_value

    union all

    select
        grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        n_contrasts,
        n_values,
        null::bigint as position,
        null::double as signed_contrast,
        null::double as median_reaction_time,
        null::double as median_reaction_time_low68,
        null::double as median_reaction_time_high68
    from counted_list
    where n_values = 0

)

select
    stored.grain,
    stored.subject_uuid,
    stored.session_start_time,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    stored.session_date,
    stored.prob_left_block,
    stored.position,
    stored.signed_contrast,
    case when not isnan(stored.median_reaction_time) then stored.median_reaction_time end
        as median_reaction_time,
    case
        when not isnan(stored.median_reaction_time_low68) then stored.median_reaction_time_low68
    end as median_reaction_time_low68,
    case
        when not isnan(stored.median_reaction_time_high68) then stored.median_reaction_time_high68
    end as median_reaction_time_high68,
    stored.n_contrasts,
    stored.n_values
from value_with_contrast as stored
left join subjects as mouse
    on mouse.subject_uuid = stored.subject_uuid;

comment on view stored_reaction_times is
'One row per reaction time that the server stored in a list, with the contrast it belongs to.';

comment on column stored_reaction_times.grain is
'What the server summed up: session, session_block or day_block.';
comment on column stored_reaction_times.subject_uuid is
'The mouse.';
comment on column stored_reaction_times.session_start_time is
'Start of the session, wall clock of the rig. NULL for a day.';
comment on column stored_reaction_times.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column stored_reaction_times.session_date is
'Date on the wall clock of the rig.';
comment on column stored_reaction_times.prob_left_block is
'Probability left of the block, percent: 20, 50, 80. NULL for all blocks of a session.';
comment on column stored_reaction_times.position is
'Place of the value in the stored list, from 1. NULL for a list without values.';
comment on column stored_reaction_times.signed_contrast is
'Contrast, percent, right minus left: positive on the right. NULL if n_contrasts is not n_values.';
comment on column stored_reaction_times.median_reaction_time is
'Median as the server stored it, seconds. NULL if stored as NaN.';
comment on column stored_reaction_times.median_reaction_time_low68 is
'Lower end of its 68 % bootstrap interval, seconds. NULL for grain session, or if not stored.';
comment on column stored_reaction_times.median_reaction_time_high68 is
'Upper end of its 68 % bootstrap interval, seconds. NULL for grain session, or if not stored.';
comment on column stored_reaction_times.n_contrasts is
'Contrasts that the server stored for the same curve, 0 if it stored none.';
comment on column stored_reaction_times.n_values is
'Values in the stored list of reaction times.';
