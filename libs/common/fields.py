"""Of what callers send, that which more than one service takes: addresses, payers, and the merge patch."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from libs.codes import payers
from libs.common.problems import Invalid, field_errors


def _payer(text: str) -> str:
    if not payers.knows(text):
        raise ValueError("no payer has this id")
    return text


PayerId = Annotated[str, AfterValidator(_payer)]
State = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class PostalAddress(BaseModel):
    """Where post arrives, a box or a street; the ZIP has five or nine digits and no dash."""

    model_config = ConfigDict(extra="forbid")

    line1: Annotated[str, Field(min_length=1, max_length=55)]
    line2: Annotated[str, Field(max_length=55)] | None = None
    city: Annotated[str, Field(min_length=2, max_length=30)]
    state: State
    zip: Annotated[str, Field(pattern=r"^[0-9]{5}([0-9]{4})?$")]


_B = TypeVar("_B", bound=BaseModel)


def merged(model: type[_B], present: Mapping[str, Any], patch: BaseModel) -> _B:
    """What is there with the merge patch on it (RFC 7396), or Invalid naming the fields that are not right."""
    given = patch.model_dump(exclude_unset=True)
    try:
        return model.model_validate({name: present[name] for name in model.model_fields if name in present} | given)
    except ValidationError as error:
        raise Invalid(field_errors(error.errors())) from None
