"""What was fetched is ONE's: IBL's own library opens the folder, without a network."""

import json
import subprocess
from contextlib import closing
from pathlib import Path

import bucket
import one_api
import one_cache
import pyarrow.parquet as pq
import pytest

from mirror.sources.one import fetch, releases
from mirror.sources.one.bucket import Bucket

pytestmark = pytest.mark.slow

LOAD = f"""
import json, sys
{one_api.OPEN}
tables = [
    one.load_aggregate("subjects", f"{{mouse}}$", f"_ibl_subject{{kind}}.table").reset_index()
    for mouse in sys.argv[2:]
    for kind in ("Trials", "Sessions", "Training")
]
print(json.dumps([json.loads(table.to_json(date_format='iso')) for table in tables]))
"""


def test_one_opens_what_was_fetched(tmp_path: Path) -> None:
    made, cache = one_cache.build(tmp_path / "made"), tmp_path / "cache"
    with bucket.serving(bucket.of_folder(made)) as public, closing(Bucket(public.url)) as client:
        plan = fetch.plan(cache, releases.DEFAULT_TAGS, (), client.list)
        fetch.fetch(plan, client)
    one_api.remember(cache, {str(file.path): file.dataset for file in plan.files})

    done = subprocess.run(
        [one_api.python(), "-c", LOAD, cache, "angelakilab/XY_001", "cortexlab/KS017"],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    for file, table in zip(plan.files, loaded, strict=True):
        expected = pq.read_table(made / file.path).to_pandas().to_json(date_format="iso")
        table.pop("index", None)
        assert table == json.loads(expected), file.path
