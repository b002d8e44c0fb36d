"""What clients of MySQL besides this project's DataJoint can do with `mirror serve`.

    python tests/bench_clients.py ibl.duckdb

Each client is installed by uv into an environment of its own, and connects, lists, describes
and selects. DataJoint 2 reads no blobs of earlier versions and does not join their schemas,
whatever the server.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench_serve import served

DATAJOINT = """
import datajoint as dj
dj.conn()
step("connect")
assert "ibl_behavior" in dj.list_schemas()
behavior = dj.VirtualModule("behavior", "ibl_behavior")
assert "_trial_set__trial" in behavior.schema.list_tables()
step("list")
assert "trial_id" in (behavior.TrialSet.Trial().describe() or "trial_id")
assert "trial_response_choice" in behavior.TrialSet.Trial.heading.names
step("describe")
rows = (behavior.TrialSet.Trial & "trial_id < 3").fetch(limit=5, as_dict=True)
assert len(rows) == 5 and {row["trial_id"] for row in rows} <= {1, 2}
step("select")
"""
SQLALCHEMY = """
import os, sqlalchemy as sa
url = sa.URL.create(
    "mysql+DRIVER", "ibl", "any", "127.0.0.1", int(os.environ["PORT"]), "ibl_behavior"
)
engine = sa.create_engine(url)
engine.connect()
step("connect")
assert "_trial_set__trial" in sa.inspect(engine).get_table_names()
step("list")
trials = sa.Table("_trial_set__trial", sa.MetaData(), autoload_with=engine)
assert len(trials.primary_key) == 3 and trials.foreign_keys
step("describe")
with engine.connect() as connection:
    assert len(connection.execute(sa.select(trials).limit(5)).all()) == 5
step("select")
"""
CONNECTOR = """
import os, mysql.connector
connection = mysql.connector.connect(
    host="127.0.0.1", port=int(os.environ["PORT"]), user="ibl", password="any",
    database="ibl_behavior", use_pure=True,
)
cursor = connection.cursor()
step("connect")
def ask(statement):
    cursor.execute(statement)
    return cursor.fetchall()
assert ("_trial_set__trial",) in ask("show tables")
step("list")
assert ask("describe _trial_set__trial")[0][0] == "subject_uuid"
step("describe")
assert len(ask("select * from _trial_set__trial limit 5")) == 5
step("select")
"""
STEP = """
def step(name): print("did", name)
"""
STEPS = ("connect", "list", "describe", "select")
CLIENTS = {
    "DataJoint 0.13.8": (("datajoint==0.13.8", "setuptools<81", "pymysql<1.2"), DATAJOINT),
    "DataJoint 2.3.5": (("datajoint==2.3.5",), DATAJOINT),
    "SQLAlchemy with PyMySQL": (
        ("sqlalchemy", "pymysql"),
        SQLALCHEMY.replace("DRIVER", "pymysql"),
    ),
    "SQLAlchemy with mysql-connector": (
        ("sqlalchemy", "mysql-connector-python"),
        SQLALCHEMY.replace("DRIVER", "mysqlconnector"),
    ),
    "mysql-connector": (("mysql-connector-python",), CONNECTOR),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mirror", type=Path)
    arguments = parser.parse_args()
    own = Path(__file__).parents[1] / ".venv-uv" / "bin"
    uv = shutil.which("uv", path=os.pathsep.join([os.environ["PATH"], str(own)])) or "uv"
    with (
        tempfile.TemporaryDirectory(prefix="ibl-") as folder,
        served(arguments.mirror.resolve()) as (port, _),
    ):
        print(f"\n| client | {' | '.join(STEPS)} |\n| --- {'| --- ' * len(STEPS)}|")
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            **{"DJ_HOST": f"127.0.0.1:{port}", "DJ_USER": "ibl", "DJ_PASS": "any"},
            **{"HOME": folder, "PORT": str(port)},
        }
        for client, (packages, script) in CLIENTS.items():
            command = [uv, "run", "--quiet", "--no-project", "--python", "3.11"]
            command += [part for package in packages for part in ("--with", package)]
            done = subprocess.run(
                [*command, "python", "-W", "ignore", "-c", STEP + script],
                cwd=folder,
                env={**environment, "UV_CACHE_DIR": str(Path(folder) / "cache")},
                capture_output=True,
                text=True,
            )
            said = ["yes" if f"did {step}\n" in done.stdout else "no" for step in STEPS]
            print(f"| {client} | {' | '.join(said)} |", flush=True)
            if done.returncode:
                print(done.stderr[-1000:])


if __name__ == "__main__":
    main()
