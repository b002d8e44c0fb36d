"""What the pages of the report show of a mouse: its name, its captions and its criteria."""

import pandas as pd
import pytest

from mirror.report import contents

UUIDS = ("uuid-1", "uuid-2", "uuid-3")
MEASURES = {
    ("trained_1b", "threshold"): {"shown": "21", "verdict": "failed", "n_failed": 1},
    ("trained_1a", "threshold"): {"shown": "12.5", "verdict": "passed", "n_failed": 0},
    ("trained_1a", "n_trials"): {"shown": "400", "verdict": "passed", "n_failed": 0},
    ("ready4delay", "delay"): {"verdict": "not known", "n_failed": 0, "n_unknown": 1},
    ("untrainable", "sessions"): {"shown": "9", "verdict": "failed", "n_failed": 1},
}


def names(*nicknames):
    return contents.page_names(nicknames, UUIDS[: len(nicknames)])


# page_names


@pytest.mark.parametrize(
    "nickname, page",
    [
        ("KS014", "KS014"),
        ("ibl_witten_05", "ibl_witten_05"),
        ("a-1.b", "a-1.b"),
        ("lab/mouse 1", "lab_mouse_1"),
        ("mouse #5 & co", "mouse_5_co"),
        ("../../etc", "_.._etc"),
        (".hidden", "hidden"),
        ("Mäuschen", "M_uschen"),
    ],
)
def test_a_page_is_called_as_the_mouse_in_letters_that_every_folder_takes(nickname, page):
    assert names(nickname) == [page]


def test_mice_with_the_same_name_have_their_uuid_in_it():
    assert names("one", "two", "one") == ["one-uuid-1", "two", "one-uuid-3"]


def test_names_that_differ_only_in_case_are_the_same_on_some_disks():
    assert names("DY_01", "dy_01") == ["DY_01-uuid-1", "dy_01-uuid-2"]


def test_names_that_become_the_same_are_the_same():
    assert names("a/b", "a b", "a.b") == ["a_b-uuid-1", "a_b-uuid-2", "a.b"]


@pytest.mark.parametrize("nickname", ("", ".", ".."))
def test_a_mouse_without_a_name_is_called_by_its_uuid(nickname):
    assert names(nickname) == ["uuid-1"]
    assert names(nickname, "") == ["uuid-1", "uuid-2"]


def test_a_long_name_is_cut_to_what_a_folder_takes():
    one, two = names("x" * 255, "x" * 254 + "y")
    assert one == "x" * 80 + "-uuid-1" and two == "x" * 80 + "-uuid-2"
    assert names("y" * 255) == ["y" * 80]


# caption

DAYS = pd.DataFrame({"n_trials": [100, 1100]})
CHOICES = pd.DataFrame({"training_day": [1, 1, 2], "n_trials": [10, 20, 30]})
STATUS = pd.DataFrame({"status": ["trained_1a"]})
NONE = STATUS.head(0)


def test_a_caption_of_several_lines_is_one():
    figure = contents.FIGURES["progress"]
    said = contents.caption(figure, {"days": DAYS, "statuses": STATUS})
    assert said == (
        "2 days with 1,200 trials; reaction time: median; dashed: first date of each status"
    )
    said = contents.caption(figure, {"days": DAYS, "statuses": NONE})
    assert said == "2 days with 1,200 trials; reaction time: median"


def test_a_caption_of_one_line_stays_whole():
    said = contents.caption(
        contents.FIGURES["contrasts"], {"choices": CHOICES, "statuses": NONE, "days": DAYS}
    )
    assert said == "2 days, 60 trials with even odds of left and right"


@pytest.mark.parametrize("figure", contents.FIGURES.values(), ids=contents.FIGURES)
def test_a_figure_without_rows_has_no_caption(figure):
    nothing = dict.fromkeys(figure.rows, NONE)
    assert contents.caption(figure, nothing) is None
    assert contents.caption(figure, nothing | {figure.rows[-1]: STATUS}) is None


# checklist


def measures():
    return pd.DataFrame(
        {"criterion": criterion, "measure": measure, "limit_shown": "> 1"}
        | {"n_unknown": 0, "is_near": False}
        | values
        for (criterion, measure), values in MEASURES.items()
    )


def test_criteria_come_in_the_order_in_which_a_mouse_meets_them():
    found = contents.checklist(measures())
    assert [(row["criterion"], row["met"]) for row in found] == [
        ("trained_1a", "met"),
        ("trained_1b", "not met"),
        ("untrainable", "not met"),
        ("ready4delay", "not known"),
    ]


def test_each_criterion_has_its_measures_in_words():
    trained, *_, delay = contents.checklist(measures())
    assert [(row["words"], row["shown"], row["verdict"]) for row in trained["measures"]] == [
        ("trials", "400", "passed"),
        ("threshold, % contrast", "12.5", "passed"),
    ]
    [row] = delay["measures"]
    # what is not there is None for the templates, not NaN
    assert (row["words"], row["shown"]) == ("delay before the start, min", None)


def test_a_mouse_without_measures_has_no_criteria():
    assert contents.checklist(measures().head(0)) == []
