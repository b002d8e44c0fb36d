"""A Spark session on this machine, and what it needs: pyspark, and a Java that is new enough."""

import os
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from mirror.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# what Spark 4 runs on
OLDEST_JAVA = 17
INSTALL_JAVA = (
    "install one ('apt-get install openjdk-17-jre-headless', or 'conda install openjdk=17') and"
    " let JAVA_HOME name its folder"
)


def session(master: str = "local[*]", **settings: str) -> "SparkSession":
    """A Spark session of this machine's cores, or on another `master`, or the one there is.

    `settings` are Spark's own, with underscores for dots. Raises UsageError without pyspark 4,
    and without Java from 17 on.
    """
    check_pyspark()
    check_java()
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("ibl-mirror").master(master)
    for name, value in settings.items():
        builder = builder.config(name.replace("_", "."), value)
    return builder.getOrCreate()


def check_pyspark() -> None:
    """Whether pyspark is here. Raises UsageError."""
    try:
        found = version("pyspark")
    except PackageNotFoundError:
        found = None
    if found is None or not found.startswith("4."):
        here = f"pyspark {found} is here" if found else "pyspark is not installed"
        raise UsageError(f"{here}: pip install 'pyspark>=4,<5'.")


def check_java() -> None:
    """Whether the Java that Spark would start is new enough. Raises UsageError."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else "java"
    if shutil.which(java) is None:
        where = f"in {home}, which JAVA_HOME names" if home else "on the path"
        raise UsageError(f"Spark runs on Java, and there is none {where}: {INSTALL_JAVA}.")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    number = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    if number is None:
        raise UsageError(f"{java} does not say which Java it is: {INSTALL_JAVA}.")
    if int(number[1]) < OLDEST_JAVA:
        raise UsageError(
            f"{java} is Java {number[1]}, and Spark 4 needs {OLDEST_JAVA} or later: {INSTALL_JAVA}."
        )
