"""Django with PyMySQL: inspectdb, and cursors with parameters."""

import io
import os
from datetime import date

import django
import pymysql
from asked import KEY, PARAMETERS, SESSIONS, TABLE, TRIALS
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from said import said

# Django asks for mysqlclient, whose place PyMySQL takes
pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "NAME": "ibl_behavior",
            **{key: os.environ[key] for key in ("HOST", "PORT")},
            "USER": os.environ["NAME"],
            "PASSWORD": os.environ["PASS"],
        }
    }
)
django.setup()


def ask(statement: str, *values: object) -> list:
    with connection.cursor() as cursor:
        if values:
            cursor.execute(statement.replace("?", "%s"), values)
        else:
            cursor.execute(statement)
        return list(cursor.fetchall())


said("connect", ask("select 1 + 1"))
said("list", TABLE in connection.introspection.table_names())
models = io.StringIO()
call_command("inspectdb", TABLE, stdout=models)
# a MariaDB does not tell a login that may only read which keys there are, and then this differs
said("describe", models.getvalue())
said("parameters", ask(PARAMETERS, "M", 1, date(2018, 1, 1)))
[[key]] = ask("select subject_uuid from ibl_subject.subject order by 1 limit 1")
said("key", ask(KEY, key))
said("sessions", ask(SESSIONS))
said("trials", ask(TRIALS))
