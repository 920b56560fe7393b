"""The facts that claims tells: a session that can be billed, a claim that went out. Identity travels sealed."""

from collections.abc import Collection, Mapping
from typing import Any

from libs.codes.procedures import family
from libs.common.db import Row, Transaction
from libs.common.events import ClaimSubmitted, EncounterCreated
from libs.common.events.claims import (
    CodedService,
    EncounterCoverage,
    EncounterDetail,
    SubmissionDetail,
    SubmittedLine,
    SubmittedLineDetail,
)
from libs.common.events.credentialing import Address
from services.claims.domain import Claim
from services.claims.views import CoverageIn, EncounterIn


def encounter_created(
    sent: EncounterIn, encounter: Mapping[str, Any], claim: Claim, kept_from: Collection[str] = ()
) -> EncounterCreated:
    """The session as eligibility asks about it; payers that it is `kept_from` are not asked."""
    patient = sent.patient
    return EncounterCreated(
        encounter_id=encounter["id"],
        claim_id=claim.id,
        practice_id=claim.practice_id,
        patient_id=claim.patient_id,
        code_family=claim.code_family,
        charge_cents=claim.charge_cents,
        collected_cents=sum(taken.amount_cents for taken in sent.collected_at_visit),
        revision=encounter["revision"],
        sealed=EncounterDetail(
            external_id=sent.external_id,
            patient_external_id=patient.external_id,
            first_name=patient.first_name,
            last_name=patient.last_name,
            middle_name=patient.middle_name,
            dob=patient.dob,
            sex=patient.sex,
            address=Address(**patient.address.model_dump()) if patient.address else None,
            coverages=[
                _coverage(coverage, may_be_asked=coverage.payer.id not in kept_from)
                for coverage in sorted(sent.coverages, key=lambda c: c.rank)
            ],
            service_date=claim.service_date,
            place_of_service=claim.content.place_of_service,
            modality=claim.content.modality,
            diagnoses=list(claim.content.diagnoses),
            services=[
                CodedService(
                    line_id=line.id,
                    procedure=line.code,
                    modifiers=list(line.modifiers),
                    units=line.units,
                    charge_cents=line.charge_cents or 0,
                )
                for line in claim.content.lines
            ],
            rendering_npi=claim.provider_npi,
            authorization_number=claim.content.authorization_number,
            eap=sent.billing_flags.eap,
        ),
    )


def _coverage(coverage: CoverageIn, *, may_be_asked: bool) -> EncounterCoverage:
    subscriber = coverage.subscriber
    return EncounterCoverage(
        rank=coverage.rank,
        payer_id=coverage.payer.id,
        member_id=coverage.member_id,
        group_number=coverage.group_number,
        relationship=coverage.relationship,
        subscriber_first_name=subscriber.first_name if subscriber else None,
        subscriber_last_name=subscriber.last_name if subscriber else None,
        subscriber_dob=subscriber.dob if subscriber else None,
        may_be_asked=may_be_asked,
    )


def claim_submitted(tx: Transaction, claim: Claim, row: Row, *, next_payer: bool) -> ClaimSubmitted:
    assert claim.provider_id is not None
    return ClaimSubmitted(
        claim_id=claim.id,
        submission_id=row["id"],
        encounter_id=claim.encounter_id,
        practice_id=claim.practice_id,
        patient_id=claim.patient_id,
        provider_id=claim.provider_id,
        payer_id=row["payer_id"],
        rank=row["rank"],
        attempt=row["attempt"],
        frequency=row["frequency"],
        patient_control_number=row["pcn"],
        replaces=row["replaces"],
        next_payer=next_payer,
        clean=claim.clean,
        charge_cents=row["charge_cents"],
        submitted_on=tx.today,
        lines=[
            SubmittedLine(
                line_id=line["line_id"],
                line_control=line["line_control"],
                code_family=family(line["code"], claim.service_date),
                charge_cents=line["charge_cents"],
                units=line["units"],
            )
            for line in row["lines"]
        ],
        sealed=SubmissionDetail(
            lines=[
                SubmittedLineDetail(
                    line_id=line["line_id"],
                    procedure=line["code"],
                    modifiers=line["modifiers"],
                    service_date=claim.service_date,
                )
                for line in row["lines"]
            ],
            original_reference=row["original_reference"],
            member_id=row["member_id"],
        ),
    )
