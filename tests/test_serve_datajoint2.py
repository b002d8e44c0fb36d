"""What DataJoint 2 asks beside what 0.13 and 0.14 do, by the statements that 2.3.5 sends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.serve.engine import Engine, Session

FOUND = "SELECT * FROM information_schema.tables WHERE table_schema = '{}' AND table_name = '{}'"
COLUMNS = "SHOW FULL COLUMNS FROM `{}` IN `{}`"
LINEAGE = "SELECT attribute_name, lineage FROM `{}`.`~lineage` WHERE table_name = '{}'"


@pytest.fixture(scope="module")
def engine(simulated_file: Path) -> Iterator[Engine]:
    opened = Engine(simulated_file)
    yield opened
    opened.close()


@pytest.fixture
def older(engine: Engine) -> Iterator[Session]:
    """A session that asks nothing that only DataJoint 2 asks."""
    opened = engine.session()
    yield opened
    opened.close()


@pytest.fixture
def newer(engine: Engine) -> Iterator[Session]:
    opened = engine.session()
    assert opened.ask(FOUND.format("ibl_subject", "subject")).rows()
    yield opened
    opened.close()


def test_attributes_have_one_origin_in_all_schemas(newer: Session) -> None:
    origin = "ibl_subject.subject.subject_uuid"
    for schema, table in (
        ("ibl_subject", "subject"),
        ("ibl_acquisition", "session"),
        ("ibl_behavior", "_trial_set"),
        ("ibl_behavior", "_trial_set__trial"),
    ):
        assert newer.ask(FOUND.format(schema, "~lineage")).rows()
        lineages = dict(newer.ask(LINEAGE.format(schema, table)).rows())
        assert lineages["subject_uuid"] == origin
        if "session_start_time" in lineages:
            assert lineages["session_start_time"] == "ibl_acquisition.session.session_start_time"
    assert lineages["trial_id"] == "ibl_behavior._trial_set__trial.trial_id"
    assert len(lineages) == 3


def test_blobs_are_marked_for_who_decodes_by_marks(newer: Session, older: Session) -> None:
    asked = COLUMNS.format("__psych_results", "ibl_analyses_behavior")
    marked, plain = newer.ask(asked).rows(), older.ask(asked).rows()
    for new, old in zip(marked, plain, strict=True):
        is_blob = "blob" in old[1]
        assert new[:-1] == old[:-1]
        assert new[-1] == (f":<blob>:{old[-1]}" if is_blob else old[-1])
    assert any(new[-1].startswith(":<blob>:") for new in marked)


def test_other_clients_find_what_the_server_had(older: Session, newer: Session) -> None:
    tables = "select table_name from information_schema.tables where table_schema = 'ibl_subject'"
    for asked in ("show tables from ibl_subject", tables, "show table status from ibl_subject"):
        found = {row[0] for row in older.ask(asked).rows()}
        assert "subject" in found and "~lineage" not in found
        assert {row[0] for row in newer.ask(asked).rows()} == found | {"~lineage"}
    assert not older.ask(
        "select * from information_schema.columns where table_name = '~lineage'"
    ).rows()


def test_what_a_client_asks_as_outlasts_the_file(simulated_file: Path, newer: Session) -> None:
    engine = Engine(simulated_file)
    again = engine.session("anyone", newer.settings)
    assert again.ask(FOUND.format("ibl_subject", "~lineage")).rows()
    engine.close()
