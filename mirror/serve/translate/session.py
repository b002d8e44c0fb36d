"""What a statement can ask about the session and the server."""

from sqlglot import exp

from mirror.serve.answers import Refusal
from mirror.serve.translate.rules import operator, special
from mirror.serve.translate.scope import Context
from mirror.serve.translate.typed import Typed, constant
from mirror.serve.variables import GLOBAL

FACTS = {
    "DATABASE": "database()",
    "SCHEMA": "database()",
    "USER": "user()",
    "CURRENT_USER": "user()",
    "SESSION_USER": "user()",
    "SYSTEM_USER": "user()",
    "VERSION": "version()",
    "CONNECTION_ID": "connection_id()",
    "FOUND_ROWS": "found_rows()",
    "LAST_INSERT_ID": "last_insert_id",
    "ROW_COUNT": "row_count()",
}


def _about(name: str) -> None:
    @special(name)
    def rule(arguments: list[exp.Expr], context: Context) -> Typed:
        return constant(context.session.get(FACTS[name]))


for _name in FACTS:
    _about(_name)


@operator(exp.SessionParameter)
def variable(node: exp.SessionParameter, context: Context) -> Typed:
    """@@name: a variable of the session, or with GLOBAL of the server."""
    scope = GLOBAL if str(node.args.get("kind")).lower() == "global" else ""
    name = scope + node.name.lower()
    if name not in context.session:
        raise Refusal(1193, "HY000", f"Unknown system variable '{node.name.lower()}'")
    return constant(context.session[name])


@operator(exp.Parameter)
def user_variable(node: exp.Parameter, context: Context) -> Typed:
    """@name: what the client has set, or NULL."""
    return constant(context.session.get(f"@{node.name.lower()}"))
