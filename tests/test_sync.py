"""What a sync puts into the file, and what it leaves out."""

from pathlib import Path
from types import SimpleNamespace

import ibl
import pytest
from mirror import connect
from mirror.errors import UsageError
from mirror.sources.datajoint import DataJointSource, Login
from mirror.sync import Options, sync


def test_every_table_arrives_with_its_rows_names_and_types(
    source: DataJointSource, tmp_path: Path
) -> None:
    report = sync(source, tmp_path / "ibl.duckdb")

    with connect(tmp_path / "ibl.duckdb") as mirror:
        held = dict(
            mirror.sql(
                "select schema_name || '.' || table_name, n_rows from _mirror.tables"
            ).fetchall()
        )
        trial = mirror.sql(
            "select * from behavior.trial_set__trial order by all limit 1"
        ).fetchall()[0]
    assert held["reference.lab"] == 2
    assert held["behavior.trial_set__trial"] == 4 * ibl.TRIALS_PER_SESSION
    assert held["behavior_analyses.psych_results"] == 4
    assert trial[:3] == (ibl.KS014, ibl.SESSIONS[0][1], 1)
    assert trial[6] == "CW" and trial[8] == 1.0 and trial[-1] is True
    assert report.rows == sum(held.values())


if __name__ == "__main__":
    pytest.main()
