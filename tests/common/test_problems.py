"""A problem repeats nothing of what was sent, whatever pydantic would say."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError, field_validator

from libs.common.problems import Conflict, FieldError, InFlight, Invalid, Unavailable, field_errors, pointer

SECRET = "Rivera-1990-04-12"


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Everything(BaseModel):
    """A field of each kind whose errors might quote."""

    model_config = ConfigDict(extra="forbid")

    number: int
    ratio: Decimal
    day: date
    id: UUID
    link: HttpUrl
    word: Literal["a", "b"]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    text: str = Field(pattern="^[0-9]$")
    counts: dict[str, int]
    careless: str

    @field_validator("careless")
    @classmethod
    def _quote(cls, value: str) -> str:
        raise ValueError(f"{value} is not one of ours")


@given(st.sampled_from([SECRET, [SECRET], {SECRET: SECRET}, {"kind": SECRET}]))
def test_no_error_quotes_the_input(value: Any) -> None:
    names = ("number", "ratio", "day", "id", "link", "word", "pet", "text", "counts", "careless")
    with pytest.raises(ValidationError) as failed:
        Everything.model_validate({**dict.fromkeys(names, value), "counts": {SECRET: SECRET}, SECRET: SECRET})
    found = field_errors(failed.value.errors())
    assert len(found) >= len(names)
    assert SECRET not in str([error.view() for error in found])
    assert "1990" not in str([error.view() for error in found])


def test_words_of_our_own_validators_are_told() -> None:
    class Clinician(BaseModel):
        npi: str

        @field_validator("npi")
        @classmethod
        def _check(cls, value: str) -> str:
            raise ValueError("The check digit is wrong.")

    with pytest.raises(ValidationError) as failed:
        Clinician(npi="1999999999")
    assert field_errors(failed.value.errors())[0].message == "The check digit is wrong."


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["lines", 0, "code"], "/lines/0/code"),
        ([], ""),
        (["birthDate", "line_2"], "/birthDate/line_2"),
        (["a/b"], "/*"),
        (["Jo Rivera"], "/*"),
        (["1990-04-12"], "/*"),
        (["Rivera"], "/*"),
        (["x" * 65], "/*"),
    ],
)
def test_pointers_are_made_of_plain_names(parts: list[Any], expected: str) -> None:
    assert pointer(parts) == expected


def test_a_problem_says_whether_to_try_again() -> None:
    assert Unavailable("later").view(None)["retryable"] is True
    assert InFlight("later").view(None)["retryable"] is True
    assert Conflict("closed").view(None)["retryable"] is False
    assert Invalid().view(None)["retryable"] is False


def test_a_field_error_may_carry_a_suggestion() -> None:
    error = FieldError("/lines/0/code", "time_mismatch", "41 minutes make 90834", more={"suggestion": "90834"})
    assert error.view()["suggestion"] == "90834"
