"""The same tables and views on Apache Spark, from a folder that `mirror export --all` wrote.

from mirror.spark import define, session
spark = session()
define(spark, "parquet/")
spark.sql("select lab_name, count(*) from sessions group by all").show()
"""

from mirror.spark.definition import Defined, define
from mirror.spark.java import session

__all__ = ["Defined", "define", "session"]
