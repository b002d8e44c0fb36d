"""connectorx, polars and DuckDB's own MySQL extension: whole answers as frames."""

import os
import sys
from pathlib import Path

from asked import SESSIONS, TABLE, TRIALS
from said import said

client = sys.argv[1]
host, port, user, password = (os.environ[name] for name in ("HOST", "PORT", "NAME", "PASS"))
url = f"mysql://{user}:{password}@{host}:{port}/ibl_behavior"
if client == "duckdb":
    import duckdb
    import duckdb_extension_mysql_scanner

    connection = duckdb.connect()
    [binary] = Path(duckdb_extension_mysql_scanner.__file__).parent.rglob("*.duckdb_extension")
    connection.execute(f"load '{binary}'")
    login = f"host={host} port={port} user={user} password={password}"
    connection.execute(f"attach '{login}' as m (type mysql, read_only)")

    def ask(statement: str):
        return connection.execute("from mysql_query('m', ?)", [statement]).fetchall()

    said("connect", ask("select 1 + 1 as two"))
    tables = connection.execute("select table_name from duckdb_tables() where database_name = 'm'")
    said("list", (TABLE,) in tables.fetchall())
    columns = connection.execute(f"describe m.ibl_behavior.{TABLE}").fetchall()
    said("describe", [row[:3] for row in columns])
    chosen = connection.execute(
        "select subject_nickname, sex, subject_birth_date from m.ibl_subject.subject"
        " where sex = ? order by subject_uuid limit 5",
        ["M"],
    )
    said("parameters", chosen.fetchall())
    [[key]] = connection.execute("select min(subject_uuid) from m.ibl_subject.subject").fetchall()
    by_key = "select subject_nickname from m.ibl_subject.subject where subject_uuid = ?"
    said("key", connection.execute(by_key, [key]).fetchall())
    said("sessions", ask(SESSIONS))
    connection.execute(f"create table trials as from m.ibl_behavior.{TABLE}")
    summed = "select count(*), max(trial_start_time), min(trial_id) from trials"
    said("trials", connection.execute(summed).fetchall())
else:
    if client == "polars":
        import polars

        def ask(statement: str):
            frame = polars.read_database_uri(statement, url)
            return frame.rows(), [str(kind) for kind in frame.dtypes]

    else:
        import connectorx

        def ask(statement: str):
            frame = connectorx.read_sql(url, statement, return_type="arrow")
            return frame.to_pylist(), [str(field.type) for field in frame.schema]

    said("connect", ask("select 1 + 1 as two"))
    listed = "select table_name as t from information_schema.tables where table_schema = '{}'"
    said("list", TABLE in str(ask(listed.format("ibl_behavior"))))
    said("sessions", ask(SESSIONS.replace("timediff(session_end_time, session_start_time)", "5")))
    said("trials", ask(TRIALS))
