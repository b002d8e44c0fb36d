"""ONE-api, IBL's own library, in an environment of its own: it wants older libraries than we do.

    python tests/one_api.py

makes the environment, unless it is there. Offline, ONE asks nobody: it finds what OpenAlyx would
answer in a folder `.rest` of its cache.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).parents[1]
PACKAGE = "ONE-api>=3.6,<4"
OPEN = """
from one.api import OneAlyx
one = OneAlyx(base_url="https://openalyx.internationalbrainlab.org", cache_dir=sys.argv[1],
              mode="local", silent=True)
"""


def python() -> Path:
    """The interpreter that has ONE-api."""
    folder = ROOT / ".venv-one"
    found = folder / "bin" / "python"
    if not found.exists():
        # where tests/run.sh puts it when there is none
        own = ROOT / ".venv-uv" / "bin"
        uv = shutil.which("uv", path=os.pathsep.join([os.environ["PATH"], str(own)])) or "uv"
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for install in (
            ["venv", "--relocatable", f"--python={sys.executable}", str(partial)],
            ["pip", "install", f"--python={partial}", PACKAGE],
        ):
            subprocess.run([uv, *install, "--quiet"], check=True)
        partial.rename(folder)
    return found


def remember(cache: Path, ids: dict[str, str]) -> None:
    """Write down what OpenAlyx would answer of these files of a cache, each with its dataset."""
    records = [
        {
            "url": f"/datasets/{dataset}",
            "name": Path(path).name,
            "file_size": (cache / path).stat().st_size,
            "hash": hashlib.md5((cache / path).read_bytes()).hexdigest(),
            "session": None,
            "revision": None,
            "default_dataset": True,
            "qc": "NOT_SET",
            "file_records": [
                {
                    "exists": True,
                    "data_url": f"https://ibl.flatironinstitute.org/public/"
                    f"{path.removesuffix('.pqt')}.{dataset}.pqt",
                }
            ],
        }
        for path, dataset in ids.items()
    ]
    parameters = [{"in": "query", "name": name} for name in ("django", "limit", "offset")]
    schema = {"openapi": "3.0.3", "paths": {"/datasets": {"get": {"parameters": parameters}}}}
    listed = {"count": len(records), "next": None, "previous": None, "results": records}
    (cache / ".rest").mkdir()
    for query, answer in (
        ("/api/schema", schema),
        (f"/datasets?{urlencode({'django': 'session__isnull,True'})}", listed),
    ):
        file = cache / ".rest" / hashlib.sha1(query.encode()).hexdigest()
        # good until that day
        file.write_text(json.dumps([answer, "3000-01-01T00:00:00"]))


if __name__ == "__main__":
    python()
