"""Which faults of the database pass: the whole list, and that nothing else is on it."""

import pytest
from bson.errors import InvalidDocument
from pymongo import errors
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

from services.chassis.faults import Nature
from services.chassis.store.contract import NoAnswer, Outpaced
from services.chassis.store.faults import CLASSES, CODES, LABELS, nature_of


@pytest.mark.parametrize(("code", "nature"), CODES.items())
def test_a_code_of_the_server_says_whether_it_passes(code: int, nature: Nature) -> None:
    assert nature_of(OperationFailure("here", code)) == nature


@pytest.mark.parametrize(("label", "nature"), LABELS.items())
def test_a_label_of_the_server_says_that_it_passes(label: str, nature: Nature) -> None:
    assert nature_of(OperationFailure("here", 8, {"errorLabels": [label]})) == nature


@pytest.mark.parametrize(("kind", "nature"), CLASSES.items())
def test_the_driver_says_by_its_class_that_nobody_answered(
    kind: type[PyMongoError], nature: Nature
) -> None:
    assert nature_of(kind("here")) == nature


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("a rule of the database", 121),
        OperationFailure("a code that nobody has met", 999_999),
        OperationFailure("none at all"),
        errors.DuplicateKeyError("twice", 11000),
        errors.DocumentTooLarge("too large"),
        InvalidDocument("a NUL in a key"),
        errors.InvalidOperation("closed"),
        errors.ConfigurationError("nonsense"),
        errors.ProtocolError("nonsense"),
        OverflowError("more than 64 bits"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        ValueError("whatever it is"),
        Outpaced(),
    ],
    ids=repr,
)
def test_whatever_is_not_on_the_list_does_not_pass(error: Exception) -> None:
    assert nature_of(error) == "permanent"


def refused(*codes: int) -> BulkWriteError:
    return BulkWriteError({"writeErrors": [{"code": code} for code in codes]})


@pytest.mark.parametrize(
    ("error", "nature"),
    [
        (refused(), "passing"),
        (refused(112), "passing"),
        (refused(112, 13), "denied"),
        (refused(112, 10334), "permanent"),
        (refused(13, 11000), "permanent"),
    ],
    ids=["only the majority is missing", "a conflict", "a permission", "too large", "twice"],
)
def test_of_many_writes_the_hardest_to_mend_counts(error: Exception, nature: Nature) -> None:
    assert nature_of(error) == nature


def test_a_question_without_an_answer_is_what_it_came_to() -> None:
    unanswered, denied = NoAnswer(), NoAnswer()
    unanswered.__cause__ = errors.AutoReconnect("gone")
    denied.__cause__ = OperationFailure("no", 13)

    assert (nature_of(unanswered), nature_of(denied), nature_of(NoAnswer())) == (
        *("passing", "denied"),
        "permanent",
    )
