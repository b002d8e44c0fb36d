"""DataJoint, of any version."""

import os

import datajoint as dj

os.environ.setdefault("DJ_USE_TLS", "false")
host, port = os.environ["HOST"], int(os.environ["PORT"])
dj.config["database.host"], dj.config["database.port"] = host, port
dj.config["database.user"], dj.config["database.password"] = os.environ["NAME"], os.environ["PASS"]
dj.config["database.use_tls"] = False
from said import said  # noqa: E402

dj.conn()
is_new = int(dj.__version__.split(".")[0]) >= 2
module = dj.VirtualModule if hasattr(dj, "VirtualModule") else dj.create_virtual_module
said("connect", True)
subject, acquisition, behavior, analyses = (
    module(name, f"ibl_{name}")
    for name in ("subject", "acquisition", "behavior", "analyses_behavior")
)
joined = subject.Subject * acquisition.Session
said("list", "_trial_set__trial" in behavior.schema.list_tables())
said("describe", list(behavior.TrialSet.Trial.heading.names)[:5])


def rows(query, *names, limit):
    query = query.proj(*names) if names else query
    if is_new:
        found = query.to_dicts(limit=limit, order_by="KEY")
    else:
        found = query.fetch(as_dict=True, limit=limit, order_by="KEY")
    return [(dict(row), [type(value).__name__ for value in row.values()]) for row in found]


mice = subject.Subject & {"sex": "M", "protocol_number": 3}
said("parameters", rows(mice, "subject_nickname", "subject_birth_date", limit=5))
key = rows(subject.Subject, limit=1)[0][0]["subject_uuid"]
said("key", (subject.Subject & {"subject_uuid": key}).fetch1("subject_nickname"))
sessions = joined & 'task_protocol like "%training%"'
said("sessions", rows(sessions, "subject_nickname", "session_end_time", limit=20))
names = ("trial_response_choice", "trial_start_time", "trial_feedback_type")
said("trials", rows(behavior.TrialSet.Trial, *names, limit=10_000))
blobs = rows(analyses.PsychResults, "signed_contrasts", limit=3)
said("blobs", [[list(map(float, row["signed_contrasts"])) for row, _ in blobs], is_new])
