"""SQLAlchemy with a driver: reflection, and expressions with parameters."""

import os
import sys
from datetime import date

import sqlalchemy as sa
from asked import SESSIONS, TABLE, TRIALS
from said import said

url = sa.URL.create(
    f"mysql+{sys.argv[1]}",
    os.environ["NAME"],
    os.environ["PASS"],
    os.environ["HOST"],
    int(os.environ["PORT"]),
    "ibl_behavior",
)
engine = sa.create_engine(url)
with engine.connect() as connection:
    said("connect", connection.execute(sa.text("select 1 + 1")).all())
    said("list", TABLE in sa.inspect(engine).get_table_names())
    trials = sa.Table(TABLE, sa.MetaData(), autoload_with=engine)
    said("describe", [(c.name, str(c.type), c.nullable, c.primary_key) for c in trials.columns][:3])
    mice = sa.Table("subject", sa.MetaData(), schema="ibl_subject", autoload_with=engine)
    chosen = (
        sa.select(mice.c.subject_nickname, mice.c.subject_birth_date)
        .where(mice.c.sex == "M", mice.c.subject_birth_date > date(2018, 1, 1))
        .order_by(mice.c.subject_uuid)
        .limit(5)
    )
    said("parameters", connection.execute(chosen).all())
    key = connection.execute(sa.select(mice.c.subject_uuid).order_by(mice.c.subject_uuid)).scalar()
    by_key = sa.select(mice.c.subject_nickname).where(mice.c.subject_uuid == key)
    said("key", connection.execute(by_key).all())
    for step, statement in (("sessions", SESSIONS), ("trials", TRIALS)):
        said(step, connection.exec_driver_sql(statement.replace("%", "%%")).all())
