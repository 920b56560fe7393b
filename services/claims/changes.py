"""What a person may change of a claim, as callers say it."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from services.claims.views import CentsIn, Diagnosis, Label, ModifierCode, ProcedureCode, Strict


class LineChange(Strict):
    """What is new of one line; what is left out stays."""

    line_id: str = Field(pattern=r"^sln_[0-9a-z]{1,48}$")
    code: ProcedureCode | None = None
    modifiers: list[ModifierCode] | None = Field(None, max_length=4, description="All of them, not only the new ones.")
    units: int | None = Field(None, ge=1, le=999)
    charge_cents: CentsIn | None = None
    dx_pointers: list[Annotated[int, Field(ge=1, le=12)]] | None = Field(None, min_length=1, max_length=4)
    minutes: int | None = Field(None, ge=0, le=1440, description="As the clinician documented them.")


class Route(Strict):
    """The payer that the claim goes to instead."""

    payer_id: str = Field(pattern=r"^pay_[0-9a-z]{1,40}$")
    member_id: str | None = Field(None, pattern=r"^[A-Za-z0-9-]{2,40}$", description="The patient's number there.")


class Changes(Strict):
    """What is new of a claim; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "seen by video", "modality": "video"}]})

    why: Label = Field("corrected", description="In a few words without names; kept in the claim's history.")
    lines: list[LineChange] = Field(default_factory=list, max_length=50)
    diagnoses: list[Diagnosis] | None = Field(None, min_length=1, max_length=12)
    authorization_number: str | None = Field(None, pattern=r"^[A-Za-z0-9-]{1,30}$")
    place_of_service: str | None = Field(None, pattern=r"^[0-9]{2}$")
    modality: Literal["in_person", "video", "audio"] | None = None
    route: Route | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"why"}:
            raise ValueError("Say what is new.")
        return self
