"""What callers send and see of a patient's consent to disclosure."""

from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.codes import payers
from services.claims.views import Label, Strict

EXAMPLE: dict[str, Any] = {
    "external_id": "cns_9",
    "practice_id": "prc_01",
    "patient_external_id": "MRN-5521",
    "kind": "part2_tpo",
    "given_on": "2026-10-01",
    "document_ref": "dms-4711",
}


class ConsentIn(Strict):
    """A patient's written consent under 42 CFR Part 2; its text is never asked for."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, json_schema_extra={"examples": [EXAMPLE]}
    )

    external_id: Label = Field(min_length=1, description="The EHR's own id, unique in the practice.")
    practice_id: str = Field(pattern=r"^[a-z]{2,4}_[0-9a-z]{1,48}$")
    patient_external_id: Label = Field(min_length=1)
    kind: Literal["part2_tpo", "part2_specific"] = Field(
        "part2_tpo", description="For treatment, payment and operations, or for the named payers only."
    )
    payer_ids: list[str] = Field(default_factory=list, max_length=20, description="Empty: whoever pays.")
    given_on: date
    expires_on: date | None = Field(None, description="The last day on which it holds.")
    document_ref: Label | None = Field(None, description="Where the signed document is kept.")

    @model_validator(mode="after")
    def _names_whom_it_is_for(self) -> Self:
        if self.kind == "part2_specific" and not self.payer_ids:
            raise ValueError("A specific consent names its payers.")
        if any(not payers.knows(payer_id) for payer_id in self.payer_ids):
            raise ValueError("One of the payers is not known.")
        if self.expires_on is not None and self.expires_on < self.given_on:
            raise ValueError("A consent does not end before it is given.")
        return self


class ConsentView(BaseModel):
    """A patient's consent to disclosure as it stands."""

    id: str
    external_id: str
    practice_id: str
    patient_id: str
    kind: str
    payer_ids: list[str]
    given_on: date
    expires_on: date | None
    revoked_at: datetime | None
    document_ref: str | None
    version: int
    created_at: datetime
    updated_at: datetime
