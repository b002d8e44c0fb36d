"""MySQL's SELECT in DuckDB's SQL, typed, with MySQL's meaning restored rule by rule."""

from mirror.serve.translate.dialect import parse
from mirror.serve.translate.scope import Relation
from mirror.serve.translate.select import Translator

__all__ = ["Relation", "Translator", "parse"]
