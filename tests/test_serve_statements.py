"""What the clauses of a statement mean together: joins, names, groups and order, as in MariaDB.

Every answer is MariaDB 10.11's.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.serve.answers import Refusal
from mirror.serve.engine import Engine, Session

Q = "(select 1 a, 2 b, 3 c) q"
R = "(select 3 c, 2 b, 7 d) r"
PAIRS = "(select 1 a, 2 b union all select 2, 1) q"
ODD = "(select 1 a union all select 3) q"


@pytest.fixture(scope="module")
def session(simulated_file: Path) -> Iterator[Session]:
    engine = Engine(simulated_file)
    yield engine.session()
    engine.close()


@pytest.mark.parametrize(
    ("tables", "columns", "row"),
    [
        # a name that both sides have is there twice
        (f"{Q} join {R} on q.c = r.c", "a b c c b d", (1, 2, 3, 3, 2, 7)),
        (f"{Q} left join {R} on q.c > r.c", "a b c c b d", (1, 2, 3, None, None, None)),
        (f"{Q} right join {R} on q.c > r.c", "a b c c b d", (None, None, None, 3, 2, 7)),
        (f"{Q}, {R}", "a b c c b d", (1, 2, 3, 3, 2, 7)),
        # what USING and NATURAL share stands first, in the order of the table that leads
        (f"{Q} join {R} using (c, b)", "b c a d", (2, 3, 1, 7)),
        (f"{Q} left join {R} using (c, b)", "b c a d", (2, 3, 1, 7)),
        (f"{Q} right join {R} using (b, c)", "c b d a", (3, 2, 7, 1)),
        (f"{Q} natural join {R}", "b c a d", (2, 3, 1, 7)),
        (f"{Q} natural right join {R}", "c b d a", (3, 2, 7, 1)),
        (f"{Q} join {R} using (b)", "b a c c d", (2, 1, 3, 3, 7)),
        # a comma binds looser than JOIN
        (
            "(select 1 a) q, (select 2 b) r natural join (select 2 b, 5 a) s",
            "a b a",
            (1, 2, 5),
        ),
        (
            "(select 1 a) q, (select 2 b) r right join (select 3 c) s on b = c",
            "a b c",
            (1, None, 3),
        ),
        # parentheses bind tighter
        (
            "(select 9 c) s left join ((select 1 a) q join (select 2 b) r on a < b) on c = b",
            "c a b",
            (9, None, None),
        ),
        (
            "((select 1 a) q, (select 2 b) r) left join (select 3 c) s on c = b",
            "a b c",
            (1, 2, None),
        ),
        ("(select 1 a) q straight_join (select 2 b) r on a < b", "a b", (1, 2)),
    ],
)
def test_a_star_lists_the_columns_of_joins(
    session: Session, tables: str, columns: str, row: tuple
) -> None:
    answer = session.ask(f"select * from {tables}")
    assert [field.name for field in answer.fields] == columns.split()
    assert answer.rows() == [row]


def test_tables_in_parentheses_are_all_read(session: Session) -> None:
    lab, user = "ibl_reference.`#lab`", "ibl_reference.`#project`"
    [(labs,)] = session.ask(f"select count(*) from {lab}").rows()
    [(users,)] = session.ask(f"select count(*) from {user}").rows()
    assert session.ask(f"select count(*) from ({lab}, {user})").rows() == [(labs * users,)]


def test_a_comma_hides_its_left_side_from_the_condition_of_a_join(session: Session) -> None:
    with pytest.raises(Refusal) as caught:
        session.ask("select 1 from (select 1 a) q, (select 2 b) r join (select 3 c) s on a = c")
    assert caught.value.number == 1054


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        # HAVING takes a key of GROUP BY for itself before an alias, an alias before a column
        (f"select a % 2 as a, count(*) from {ODD} group by a having a = 3", [(1, 1)]),
        (f"select count(*) as a from {ODD} group by a having a > 1", [(1,)]),
        (f"select a + 1 as a from {ODD} having a = 2", [(2,)]),
        (f"select a b, b a from {PAIRS} group by a, b having a = 1", [(1, 2)]),
        ("select 1 as x, 2 as x having x = 1", [(1, 2)]),
        # ORDER BY takes an alias first, but a column inside of an expression
        (f"select a + 1 as b, b from {PAIRS} order by b", [(2, 2), (3, 1)]),
        (f"select -a as a from {ODD} order by a", [(-3,), (-1,)]),
        (f"select -a as a from {ODD} order by -a", [(-3,), (-1,)]),
        (f"select a from {ODD} order by 'x', a desc", [(3,), (1,)]),
        (f"select a from {ODD} order by null, a desc", [(3,), (1,)]),
        # GROUP BY takes a column first
        (f"select a % 2 as a, count(*) from {ODD} group by a", [(1, 1), (1, 1)]),
        (f"select a % 2 as x, count(*) from {ODD} group by x", [(1, 2)]),
        # an aggregate in ORDER BY makes one group of all
        (f"select count(*) from {ODD} order by sum(a)", [(2,)]),
        (f"select group_concat(a order by 1 desc) from {ODD}", [("3,1",)]),
        (f"select group_concat(b, a order by 2) from {PAIRS}", [("21,12",)]),
    ],
)
def test_names_mean_what_their_clause_makes_of_them(
    session: Session, statement: str, rows: list
) -> None:
    assert session.ask(statement).rows() == rows


@pytest.mark.parametrize(
    ("item", "value"),
    [
        # in DuckDB, too, two dashes begin a comment
        ("- -1", 1),
        ("-(-(-2))", -2),
        ("5 - - - 2", 3),
        ("- -9223372036854775807", 9223372036854775807),
    ],
)
def test_two_minus_signs_are_no_comment(session: Session, item: str, value: int) -> None:
    assert session.ask(f"select {item}, 'and the rest'").rows() == [(value, "and the rest")]


def test_an_integer_is_not_compared_with_more_digits_than_are_held(session: Session) -> None:
    with pytest.raises(Refusal):
        session.ask("select 9223372036854775807 = '9223372036854775806'")
    assert session.ask("select 12 = '12.0', 9223372036854775807 = 9223372036854775806").rows() == [
        (1, 0)
    ]


def test_columns_without_an_alias_are_called_by_their_text(session: Session) -> None:
    items = "(a), a  +  1, 'x' 'y', \"z\", null, true, .5, count( * )"
    said = [field.name for field in session.ask(f"select {items} from {ODD}").fields]
    assert said == ["a", "a  +  1", "xy", "z", "NULL", "TRUE", ".5", "count( * )"]


def test_a_comment_may_follow_the_semicolon(session: Session) -> None:
    assert session.ask("select 1; -- done").rows() == [(1,)]


def test_a_table_has_no_catalogue_before_its_schema(session: Session) -> None:
    with pytest.raises(Refusal):
        session.ask("select * from mirror.ibl_reference.`#lab`")
