"""sql_mode, by names or by a number, and the modes in which a mirror answers."""

from mirror.serve.answers import Refusal

# MariaDB's, each the bit of its place
MODES = (
    *("REAL_AS_FLOAT", "PIPES_AS_CONCAT", "ANSI_QUOTES", "IGNORE_SPACE"),
    *("IGNORE_BAD_TABLE_OPTIONS", "ONLY_FULL_GROUP_BY", "NO_UNSIGNED_SUBTRACTION"),
    *("NO_DIR_IN_CREATE", "POSTGRESQL", "ORACLE", "MSSQL", "DB2", "MAXDB", "NO_KEY_OPTIONS"),
    *("NO_TABLE_OPTIONS", "NO_FIELD_OPTIONS", "MYSQL323", "MYSQL40", "ANSI"),
    *("NO_AUTO_VALUE_ON_ZERO", "NO_BACKSLASH_ESCAPES", "STRICT_TRANS_TABLES"),
    *("STRICT_ALL_TABLES", "NO_ZERO_IN_DATE", "NO_ZERO_DATE", "ALLOW_INVALID_DATES"),
    *("ERROR_FOR_DIVISION_BY_ZERO", "TRADITIONAL", "NO_AUTO_CREATE_USER"),
    *("HIGH_NOT_PRECEDENCE", "NO_ENGINE_SUBSTITUTION", "PAD_CHAR_TO_FULL_LENGTH"),
    *("EMPTY_STRING_IS_NULL", "SIMULTANEOUS_ASSIGNMENT", "TIME_ROUND_FRACTIONAL"),
)
FULL_GROUPS, PIPES = "ONLY_FULL_GROUP_BY", "PIPES_AS_CONCAT"
# in the others the same text means another thing, or the same values are other ones
TAKEN = {
    *(FULL_GROUPS, "TRADITIONAL", "STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"),
    *("NO_ZERO_IN_DATE", "NO_ZERO_DATE", "ERROR_FOR_DIVISION_BY_ZERO", "NO_AUTO_VALUE_ON_ZERO"),
    *("NO_AUTO_CREATE_USER", "NO_ENGINE_SUBSTITUTION", "NO_DIR_IN_CREATE", "NO_KEY_OPTIONS"),
    *("NO_TABLE_OPTIONS", "NO_FIELD_OPTIONS", "IGNORE_BAD_TABLE_OPTIONS"),
    *("SIMULTANEOUS_ASSIGNMENT", PIPES),
}
TRADITIONAL = {
    *("STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "NO_ZERO_IN_DATE", "NO_ZERO_DATE"),
    *("ERROR_FOR_DIVISION_BY_ZERO", "NO_AUTO_CREATE_USER", "NO_ENGINE_SUBSTITUTION"),
}


def settled(value: object) -> str:
    """The names of the modes that a value stands for, as @@sql_mode lists them.

    Raises Refusal: 1231 for a mode that there is not, or that the mirror does not take, 1232 for
    what is neither names nor a number.
    """
    match value:
        case int():
            if not 0 <= value < 1 << len(MODES):
                raise _unknown(value)
            named = {mode for place, mode in enumerate(MODES) if value >> place & 1}
        case str():
            # spaces at the end do not count, and of what is between two commas there may be nothing
            named = {name.upper() for name in value.rstrip(" ").split(",") if name}
        case None:
            raise _unknown("NULL")
        case _:
            raise Refusal(1232, "42000", "Incorrect argument type to variable 'sql_mode'")
    for mode in sorted(named):
        if mode not in MODES:
            raise _unknown(mode)
        if mode not in TAKEN:
            raise Refusal(1231, "42000", f"The mirror does not take the sql_mode {mode}")
    if "TRADITIONAL" in named:
        named |= TRADITIONAL
    return ",".join(mode for mode in MODES if mode in named)


def _unknown(value: object) -> Refusal:
    return Refusal(1231, "42000", f"Variable 'sql_mode' can't be set to the value of '{value}'")
