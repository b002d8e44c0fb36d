"""What each client asks: of every script here, the same, in its own language."""

# ? stands for a parameter; columns that a mirror leaves out are not asked for
TABLE = "_trial_set__trial"
PARAMETERS = (
    "select subject_nickname, sex, subject_birth_date, protocol_number, subject_ts"
    " from ibl_subject.subject where sex = ? and protocol_number >= ? and subject_birth_date > ?"
    " order by subject_uuid limit 5"
)
KEY = "select subject_nickname from ibl_subject.subject where subject_uuid = ?"
SESSIONS = (
    "select subject_nickname, session_start_time, n_trials,"
    " timediff(session_end_time, session_start_time) as duration"
    " from ibl_acquisition.session join ibl_subject.subject using (subject_uuid)"
    " join ibl_behavior._trial_set using (subject_uuid, session_start_time)"
    " where task_protocol like '%training%' order by subject_uuid, session_start_time limit 20"
)
TRIALS = (
    "select session_start_time, trial_id, trial_response_choice, trial_start_time,"
    " trial_stim_contrast_left, trial_feedback_type"
    " from ibl_behavior._trial_set__trial order by subject_uuid, session_start_time, trial_id"
    " limit 10000"
)
