"""PyMySQL, mysql-connector, MariaDB's ODBC: what speaks Python's DB-API."""

import os
import sys
from datetime import date

from asked import KEY, PARAMETERS, SESSIONS, TABLE, TRIALS
from said import said


def connected(client: str):
    host, port, user, password = (os.environ[name] for name in ("HOST", "PORT", "NAME", "PASS"))
    if client == "pymysql":
        import pymysql

        return pymysql.connect(host=host, port=int(port), user=user, password=password)
    if client == "odbc":
        import pyodbc

        driver = "/usr/lib/x86_64-linux-gnu/odbc/libmaodbc.so"
        return pyodbc.connect(
            f"DRIVER={driver};SERVER={host};PORT={port};UID={user};PWD={password}"
        )
    import mysql.connector

    pure = client.startswith("pure")
    return mysql.connector.connect(
        host=host, port=int(port), user=user, password=password, use_pure=pure
    )


client = sys.argv[1]
connection = connected(client)
options = {"prepared": True} if client.endswith("prepared") else {}
cursor = connection.cursor(**options)


def ask(statement: str, *values: object) -> list:
    if not values:
        cursor.execute(statement)
    else:
        marked = statement if client == "odbc" else statement.replace("?", "%s")
        cursor.execute(marked, values)
    rows = [tuple(row) for row in cursor.fetchall()]
    return [rows, [[type(value).__name__ for value in row] for row in rows]]


said("connect", ask("select 1 + 1"))
if client == "odbc":
    tables = [row.table_name for row in cursor.tables(catalog="ibl_behavior")]
    said("list", TABLE in tables)
    columns = cursor.columns(table=TABLE, catalog="ibl_behavior")
    said("describe", [(row.column_name, row.type_name, row.nullable) for row in columns])
else:
    said("list", (TABLE,) in ask("show tables from ibl_behavior")[0])
    said("describe", ask(f"describe ibl_behavior.{TABLE}")[0][3][:2])
said("parameters", ask(PARAMETERS, "M", 1, date(2018, 1, 1)))
[[key]] = ask("select subject_uuid from ibl_subject.subject order by 1 limit 1")[0]
said("key", ask(KEY, bytes(key)))
said("sessions", ask(SESSIONS))
said("trials", ask(TRIALS))
connection.close()
