-- Grain: one row per fit: source, grain, mouse, session or day, block, variant.
--
-- Sources: derived.psychometric_fits; behavior_analyses.psych_results, psych_results_block and
-- behavioral_summary_by_date__psych_results; subjects.
--
-- Definition: psychofit's erf_psycho_2gammas,
--   P(right | x) = lapse_low + (1 - lapse_low - lapse_high) * (erf((x - bias) / threshold) + 1) / 2
-- with x the signed contrast in percent. `source` tells who fitted: `stored` is what the server
-- held (IBL-pipeline, analyses/behavior.py, compute_psych_pars), `derived` was fitted again here
-- from trials. Variant `datajoint` has the pipeline's bounds (threshold 0 to 100) and counts a
-- no-go as not right; `paper` those of paper-behavior (threshold 5 to 40), without no-go. The
-- grains last_three, last_three_biased and last_three_biased_or_ephys are the windows of three
-- sessions that the training status asks for, under the start of the last of them; only derived.
--
-- Traps:
-- * Without a condition on source and variant each curve comes up to three times.
-- * threshold is the square root of two times the standard deviation of the underlying Gaussian.
-- * lapse_low is the error rate for strong stimuli on the LEFT, lapse_high for the RIGHT. Some
--   of the originals' own comments have them the wrong way round.
-- * The server always stored four numbers, also where the data determine none (early training,
--   four contrasts): ask for n_contrasts >= 6, as figure 2 of the paper does. The derived ones
--   are NULL there and verdict says why.
-- * The server's search started at random: stored fits of poor data are not repeatable.
-- * Unit session pools the blocks of biased and ephys sessions.
-- * The server numbers the blocks of a day 0, 1, 2; here they are 50, 20, 80 everywhere.
create or replace view psychometric_fits as

with

stored_result as (

    select
        'session' as grain,
        subject_uuid,
        session_start_time,
        session_start_time::date as session_date,
        null::integer as prob_left_block,
        signed_contrasts,
        n_trials_stim,
        threshold,
        bias,
        lapse_low,
        lapse_high
    from behavior_analyses.psych_results

    union all

    select
        'session_block' as grain,
        subject_uuid,
        session_start_time,
        session_start_time::date as session_date,
        prob_left_block,
        signed_contrasts,
        n_trials_stim,
        threshold,
        bias,
        lapse_low,
        lapse_high
    from behavior_analyses.psych_results_block

    union all

    select
        'day_block' as grain,
        subject_uuid,
        null::timestamp as session_start_time,
        session_date,
        case prob_left_block when 0 then 50 when 1 then 20 when 2 then 80 end as prob_left_block,
        signed_contrasts,
        n_trials_stim,
        threshold,
        bias,
        lapse_low,
        lapse_high
    from behavior_analyses.behavioral_summary_by_date__psych_results

),

stored_contrast as (

    select
        grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        unnest(n_trials_stim) as n_trials
    from stored_result

),

stored_count as (

    select
        grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        sum(n_trials)::bigint as n_trials
    from stored_contrast
    group by grain, subject_uuid, session_start_time, session_date, prob_left_block

),

fit as (

    select
        'stored' as source,
        result.grain,
        result.subject_uuid,
        result.session_start_time,
        result.session_date,
        result.prob_left_block,
        'datajoint' as variant,
        coalesce(stored_count.n_trials, 0) as n_trials,
        coalesce(array_length(result.signed_contrasts), 0)::integer as n_contrasts,
        result.threshold::double as threshold,
        result.bias::double as bias,
        result.lapse_low::double as lapse_low,
        result.lapse_high::double as lapse_high,
        null::double as threshold_se,
        null::double as bias_se,
        null::double as lapse_low_se,
        null::double as lapse_high_se,
        null::boolean as threshold_at_bound,
        null::boolean as bias_at_bound,
        null::boolean as lapse_low_at_bound,
        null::boolean as lapse_high_at_bound,
        null::double as log_likelihood,
        null::varchar as verdict
    from stored_result as result
    left join stored_count
        on stored_count.grain = result.grain
        and stored_count.subject_uuid = result.subject_uuid
        and stored_count.session_date = result.session_date
        and stored_count.session_start_time is not distinct from result.session_start_time
        and stored_count.prob_left_block is not distinct from result.prob_left_block

    union all

    select
        'derived' as source,
        grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block,
        variant,
        n_trials,
        n_contrasts,
        threshold,
        bias,
        lapse_low,
        lapse_high,
        threshold_se,
        bias_se,
        lapse_low_se,
        lapse_high_se,
        threshold_at_bound,
        bias_at_bound,
        lapse_low_at_bound,
        lapse_high_at_bound,
        log_likelihood,
        verdict
    from derived.psychometric_fits

)

select
    fit.source,
    fit.grain,
    fit.subject_uuid,
    fit.session_start_time,
    mouse.subject_nickname,
    mouse.lab_name,
    mouse.institution_short,
    fit.session_date,
    fit.prob_left_block,
    fit.variant,
    fit.n_trials,
    fit.n_contrasts,
    fit.threshold,
    fit.bias,
    fit.lapse_low,
    fit.lapse_high,
    fit.threshold_se,
    fit.bias_se,
    fit.lapse_low_se,
    fit.lapse_high_se,
    fit.threshold_at_bound,
    fit.bias_at_bound,
    fit.lapse_low_at_bound,
    fit.lapse_high_at_bound,
    fit.log_likelihood,
    fit.verdict
from fit
left join subjects as mouse
    on mouse.subject_uuid = fit.subject_uuid;

comment on view psychometric_fits is
'One row per psychometric fit, stored by the server or derived from trials, of session or day.';

comment on column psychometric_fits.source is
'Who fitted: stored (the server) or derived (this file, from trials).';
comment on column psychometric_fits.grain is
'session, session_block, day_block, last_three, last_three_biased or last_three_biased_or_ephys.';
comment on column psychometric_fits.subject_uuid is
'The mouse.';
comment on column psychometric_fits.session_start_time is
'Start of the session, or of the last of the three. NULL for a day.';
comment on column psychometric_fits.institution_short is
'Short name of the institution of the lab. NULL without a lab or a short name.';
comment on column psychometric_fits.session_date is
'Date of the start of the session, or of the last of the three.';
comment on column psychometric_fits.prob_left_block is
'Probability left of the block, percent: 20, 50, 80. NULL for all together, or unrecorded.';
comment on column psychometric_fits.variant is
'Bounds and treatment of no-go: datajoint or paper. Stored fits are all datajoint.';
comment on column psychometric_fits.n_trials is
'Trials, no-go included; derived paper leaves out contrasts with nothing but no-go.';
comment on column psychometric_fits.n_contrasts is
'Distinct signed contrasts. With fewer than 6 the parameters mean little.';
comment on column psychometric_fits.threshold is
'Width of the curve, percent contrast. NULL if derived and not determined, see verdict.';
comment on column psychometric_fits.bias is
'Midpoint of the curve, percent, right positive. NULL if derived and not determined.';
comment on column psychometric_fits.lapse_low is
'Error rate for strong stimuli on the left, 0 to 1. NULL if derived and not determined.';
comment on column psychometric_fits.lapse_high is
'Error rate for strong stimuli on the right, 0 to 1. NULL if derived and not determined.';
comment on column psychometric_fits.threshold_se is
'Standard error from the curvature, percent contrast. NULL if stored, at a bound, not determined.';
comment on column psychometric_fits.bias_se is
'Standard error from the curvature, percent contrast. NULL if stored, at a bound, not determined.';
comment on column psychometric_fits.lapse_low_se is
'Standard error from the curvature. NULL if stored, at a bound, or not determined.';
comment on column psychometric_fits.lapse_high_se is
'Standard error from the curvature. NULL if stored, at a bound, or not determined.';
comment on column psychometric_fits.threshold_at_bound is
'True if the search ended at a bound of threshold. NULL if stored.';
comment on column psychometric_fits.bias_at_bound is
'True if the search ended at a bound of bias, the smallest or largest contrast. NULL if stored.';
comment on column psychometric_fits.lapse_low_at_bound is
'True if the search ended at a bound of lapse_low, mostly 0. NULL if stored.';
comment on column psychometric_fits.lapse_high_at_bound is
'True if the search ended at a bound of lapse_high, mostly 0. NULL if stored.';
comment on column psychometric_fits.log_likelihood is
'Natural log of the likelihood, without the binomial coefficients. NULL if stored.';
comment on column psychometric_fits.verdict is
'ok, or why not: no_trials, few_contrasts, one_sided, undetermined, ... NULL if stored.';
