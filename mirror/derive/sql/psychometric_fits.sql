-- Grain: one row per curve and variant of the fit. Curves are sessions, blocks of a session,
-- blocks of a day, and windows: the last three sessions up to one session, of any protocol, of
-- the biased task, or of the biased and ephys tasks.
--
-- Definition: psychofit's erf_psycho_2gammas by maximum likelihood,
--   P(right | x) = lapse_low + (1 - lapse_low - lapse_high) * (erf((x - bias) / threshold) + 1) / 2
-- with x the signed contrast in percent. Variants: `datajoint`, the bounds of PsychResults
-- (threshold 0 to 100), no-go counted as "not right"; `paper`, those of paper-behavior
-- (threshold 5 to 40), no-go left out of the mean.
--
-- Traps: the threshold is the square root of two times the standard deviation. A fit to few
-- contrasts says little: see verdict, n_contrasts and the standard errors. Windows pool trials
-- of all priors where prob_left_block is NULL; in a block it means that the prior is missing.
-- Windows are fitted as `datajoint` only, because that is what the criteria ask for.
create table if not exists derived.psychometric_fits (
    grain varchar,
    subject_uuid uuid,
    session_start_time timestamp,
    session_date date,
    first_session_start_time timestamp,
    prob_left_block integer,
    variant varchar,
    n_trials bigint,
    n_contrasts integer,
    threshold double,
    bias double,
    lapse_low double,
    lapse_high double,
    threshold_se double,
    bias_se double,
    lapse_low_se double,
    lapse_high_se double,
    threshold_at_bound boolean,
    bias_at_bound boolean,
    lapse_low_at_bound boolean,
    lapse_high_at_bound boolean,
    log_likelihood double,
    verdict varchar
);

comment on table derived.psychometric_fits is
'One row per curve (session, block, day, three sessions) and variant: parameters, recomputed.';
comment on column derived.psychometric_fits.grain is
'session, session_block, day_block, last_three, last_three_biased or last_three_biased_or_ephys.';
comment on column derived.psychometric_fits.subject_uuid is
'The mouse.';
comment on column derived.psychometric_fits.session_start_time is
'Start of the session, or of the last of the three. NULL for a day.';
comment on column derived.psychometric_fits.session_date is
'Date of the start of the session, or of the last of the three.';
comment on column derived.psychometric_fits.first_session_start_time is
'Start of the session, or of the first of the three. NULL for a day.';
comment on column derived.psychometric_fits.prob_left_block is
'Probability left of the block, percent: 20, 50, 80. NULL for all together, or unrecorded.';
comment on column derived.psychometric_fits.variant is
'Bounds and treatment of no-go: datajoint or paper.';
comment on column derived.psychometric_fits.n_trials is
'Trials, no-go included; paper leaves out contrasts with nothing but no-go.';
comment on column derived.psychometric_fits.n_contrasts is
'Distinct signed contrasts. With fewer than 6 the parameters mean little.';
comment on column derived.psychometric_fits.threshold is
'Width of the curve, percent contrast. NULL if the data do not determine it, see verdict.';
comment on column derived.psychometric_fits.bias is
'Contrast of equal choice, percent, right positive. NULL if not determined, see verdict.';
comment on column derived.psychometric_fits.lapse_low is
'Error rate for strong stimuli on the left, 0 to 1. NULL if not determined, see verdict.';
comment on column derived.psychometric_fits.lapse_high is
'Error rate for strong stimuli on the right, 0 to 1. NULL if not determined, see verdict.';
comment on column derived.psychometric_fits.threshold_se is
'Standard error from the curvature, percent contrast. NULL at a bound or if not determined.';
comment on column derived.psychometric_fits.bias_se is
'Standard error from the curvature, percent contrast. NULL at a bound or if not determined.';
comment on column derived.psychometric_fits.lapse_low_se is
'Standard error from the curvature. NULL at a bound or if not determined.';
comment on column derived.psychometric_fits.lapse_high_se is
'Standard error from the curvature. NULL at a bound or if not determined.';
comment on column derived.psychometric_fits.threshold_at_bound is
'True if the search ended at a bound of threshold.';
comment on column derived.psychometric_fits.bias_at_bound is
'True if the search ended at a bound of bias, the smallest or largest contrast.';
comment on column derived.psychometric_fits.lapse_low_at_bound is
'True if the search ended at a bound of lapse_low, mostly 0.';
comment on column derived.psychometric_fits.lapse_high_at_bound is
'True if the search ended at a bound of lapse_high, mostly 0.';
comment on column derived.psychometric_fits.log_likelihood is
'Natural log of the likelihood, without the binomial coefficients, as psychofit''s. NULL if no fit.';
comment on column derived.psychometric_fits.verdict is
'ok, or why not: no_trials, trials_missing, few_contrasts, one_sided, undetermined.';

insert into derived.psychometric_fits

with

curve as (

    select distinct
        curve,
        grain,
        subject_uuid,
        session_start_time,
        session_date,
        prob_left_block
    from _points

),

labelled_fit as (

    select
        curve.grain,
        curve.subject_uuid,
        curve.session_start_time,
        curve.session_date,
        curve.prob_left_block,
        curve.session_start_time as first_session_start_time,
        fit.* exclude (curve)
    from _fits as fit
    join curve
        on curve.curve = fit.curve

    union all by name

    select
        fit."window" as grain,
        session.subject_uuid,
        session.session_start_time,
        session.session_date,
        fit.prob_left_block,
        first_session.session_start_time as first_session_start_time,
        fit.* exclude (session, "window", prob_left_block, first_session)
    from _window_fits as fit
    join _sessions as session
        on session.session = fit.session
    join _sessions as first_session
        on first_session.session = fit.first_session

)

select
    grain,
    subject_uuid,
    session_start_time,
    session_date,
    first_session_start_time,
    prob_left_block::integer as prob_left_block,
    variant,
    n_trials::bigint as n_trials,
    n_contrasts::integer as n_contrasts,
    threshold,
    bias,
    lapse_low,
    lapse_high,
    threshold_se,
    bias_se,
    lapse_low_se,
    lapse_high_se,
    case when log_likelihood is not null then threshold_at_bound end as threshold_at_bound,
    case when log_likelihood is not null then bias_at_bound end as bias_at_bound,
    case when log_likelihood is not null then lapse_low_at_bound end as lapse_low_at_bound,
    case when log_likelihood is not null then lapse_high_at_bound end as lapse_high_at_bound,
    log_likelihood,
    verdict::varchar as verdict
from labelled_fit
order by grain, variant, subject_uuid, session_date, session_start_time, prob_left_block;
