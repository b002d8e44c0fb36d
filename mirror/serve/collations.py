"""The collations of MySQL that a mirror knows: letter by letter, or one that minds no case."""

import re

from mirror.serve.answers import Refusal

# they differ in a few letters, as in whether ß is s or ss
KNOWN = re.compile(
    r"binary|(?:utf8|utf8mb3|utf8mb4|latin1|ascii)_"
    r"(?:bin|general_ci|unicode_ci|unicode_520_ci|0900_ai_ci|uca1400_ai_ci|swedish_ci)"
)


def is_exact(name: str) -> bool:
    """Whether a collation compares letter by letter. Raises Refusal 1273 for an unknown one."""
    if not KNOWN.fullmatch(name.lower()):
        raise Refusal(1273, "HY000", f"Unknown collation: '{name}'")
    return name.lower().endswith(("_bin", "binary"))
