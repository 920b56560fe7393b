"""What no schema can say of an encounter: check digits, payers that we know, days that have come, twins."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import orjson

from libs.codes import npi, payers
from libs.common.problems import FieldError, Invalid
from services.claims.views import EncounterIn, ServiceIn

EASTERNMOST: Final = timedelta(hours=14)
WESTERNMOST: Final = timedelta(hours=12)
"""Where the date of service begins first, and ends last, on earth."""


def vet(sent: EncounterIn, today: date) -> None:
    """The encounter makes sense. Raises Invalid with everything that does not."""
    errors = [*_who(sent), *_what(sent, today)]
    if errors:
        raise Invalid(errors)


def _who(sent: EncounterIn) -> list[FieldError]:
    errors = []
    named: dict[str, str | None] = {"/providers/rendering/npi": sent.providers.rendering.npi}
    if sent.providers.billing:
        named["/providers/billing/npi"] = sent.providers.billing.npi
    if sent.providers.supervising:
        named["/providers/supervising/npi"] = sent.providers.supervising.npi
    for pointer, value in named.items():
        if value is not None and not npi.valid(value):
            errors.append(FieldError(pointer, "npi_invalid", "The check digit of this NPI is wrong."))
    for index, coverage in enumerate(sent.coverages):
        if not payers.knows(coverage.payer.id):
            errors.append(FieldError(f"/coverages/{index}/payer/id", "payer_unknown", "No payer has this id."))
        if coverage.relationship != "self" and coverage.subscriber is None:
            pointer = f"/coverages/{index}/subscriber"
            errors.append(FieldError(pointer, "required", "Whose coverage is it, if not the patient's?"))
    if len({coverage.rank for coverage in sent.coverages}) != len(sent.coverages):
        errors.append(FieldError("/coverages", "rank_repeated", "Each coverage has a rank of its own."))
    return errors


def _what(sent: EncounterIn, today: date) -> list[FieldError]:
    errors = []
    if sent.service.date > today + timedelta(days=1):
        errors.append(FieldError("/service/date", "in_the_future", "This session has not taken place yet."))
    if sent.patient.dob > sent.service.date:
        errors.append(FieldError("/patient/dob", "after_service", "The patient was not born on the date of service."))
    errors += _when(sent.service)
    if not sent.lines and sent.service.kind is None:
        errors.append(FieldError("/service/kind", "required", "Without lines, say what the session was."))
    if [d.rank for d in sorted(sent.diagnoses, key=lambda d: d.rank)] != list(range(1, len(sent.diagnoses) + 1)):
        errors.append(FieldError("/diagnoses", "ranks_have_gaps", "Diagnoses are ranked from 1 without gaps."))
    for index, line in enumerate(sent.lines):
        if any(pointer > len(sent.diagnoses) for pointer in line.dx_pointers):
            pointer = f"/lines/{index}/dx_pointers"
            errors.append(FieldError(pointer, "no_such_diagnosis", "It points to a diagnosis that is not there."))
    return errors


def _when(service: ServiceIn) -> list[FieldError]:
    """A session belongs to the day on which it begins, whatever clock the EHR writes, and may run over midnight."""
    errors = []
    if service.start is not None:
        anywhere = datetime.combine(service.date, time(0), UTC)
        if not anywhere - EASTERNMOST <= service.start < anywhere + timedelta(days=1) + WESTERNMOST:
            errors.append(
                FieldError("/service/start", "not_on_that_day", "It is not on the date of service, anywhere.")
            )
        if service.stop is not None and service.stop - service.start > timedelta(days=1):
            errors.append(FieldError("/service/stop", "too_long", "A session does not last longer than a day."))
    return errors


_CARRIED: Final = frozenset({"source", "metadata", "allow_duplicate_reason"})


def content_hash(detail: Mapping[str, Any]) -> str:
    """What makes two messages the same: everything but who carried them."""
    body = {name: value for name, value in detail.items() if name not in _CARRIED}
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def natural_key(sent: EncounterIn) -> str:
    """The same patient, clinician, day, service and beginning are the same session, whatever its id."""
    service = sent.service
    what = ",".join(sorted(line.code for line in sent.lines)) or f"{service.kind}/{service.service_code}/{service.em}"
    start = service.start.isoformat() if service.start else ""
    parts = (sent.practice_id, sent.patient.external_id, sent.providers.rendering.npi, service.date.isoformat())
    return hashlib.sha256("\x1f".join((*parts, what, start)).encode()).hexdigest()
