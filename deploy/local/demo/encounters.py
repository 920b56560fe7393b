"""A session as the practice's EHR tells it."""

from datetime import timedelta
from typing import Any

from deploy.local.demo.practice import Practice, Session, address

_DIAGNOSES = (("F33.1", "F41.1"), ("F43.10",), ("F41.1",), ("F90.2", "F34.1"), ("F31.81",))
_KINDS = {
    "individual": "individual",
    "long": "individual",
    "eap": "individual",
    "family": "family_with_patient",
    "intake": "intake",
    "medication": "individual",
    "skills": "units",
    "group": "group",
}


def encounter(practice: Practice, practice_id: str, location_id: str, session: Session) -> dict[str, Any]:
    """The payload for POST /v1/encounters and for the EHR's webhook."""
    patient = session.patient
    stop = session.start + timedelta(minutes=session.minutes)
    return {
        "external_id": session.external_id,
        "source": {"system": "lakeside-ehr", "event_id": f"e-{session.external_id}"},
        "practice_id": practice_id,
        "patient": {
            "external_id": patient.external_id,
            "first_name": patient.first_name,
            "last_name": patient.last_name,
            "dob": patient.dob.isoformat(),
            "sex": patient.sex,
            "address": address(patient.number),
        },
        "coverages": [
            {"rank": 1, "payer": {"id": patient.payer_id}, "member_id": patient.member_id, "relationship": "self"}
        ],
        "service": {
            "date": session.service_date.isoformat(),
            "start": session.start.isoformat(),
            "stop": stop.isoformat(),
            "place_of_service": "10" if session.video else "11",
            "modality": "video" if session.video else "in_person",
            "patient_location": {"state": "TX", "home": True} if session.video else None,
            **_service(session),
        },
        "providers": {
            "rendering": {"npi": session.clinician.npi, "taxonomy": session.clinician.taxonomy},
            "billing": {"npi": practice.npi},
            "facility_id": location_id,
        },
        "diagnoses": [
            {"rank": rank, "code": code} for rank, code in enumerate(_DIAGNOSES[patient.number % len(_DIAGNOSES)], 1)
        ],
        "lines": _lines(session),
        "documentation": {
            "note_id": f"n-{session.external_id}",
            "signed_at": (stop + timedelta(minutes=20)).isoformat(),
            "signer_npi": session.clinician.npi,
            "treatment_plan": {
                "id": f"tp-{patient.number}",
                "effective": "2026-08-03",
                "review_due": "2026-12-31",
                "client_signed": True,
            },
            "attests": {
                "time_documented": True,
                "interventions": True,
                "progress": True,
                "necessity": True,
                "telehealth_consent": True if session.video else None,
            },
        },
        "collected_at_visit": _collected(session),
        "billing_flags": {"eap": session.kind == "eap"},
    }


def _service(session: Session) -> dict[str, Any]:
    if session.kind == "skills":
        return {"kind": "units", "service_code": "H0004", "minutes": session.minutes}
    found: dict[str, Any] = {"kind": _KINDS[session.kind], "psychotherapy_minutes": session.minutes}
    if session.kind == "group":
        found["group"] = {"size": 6}
    if session.kind == "medication":
        found["em"] = "99213"
    return found


def _lines(session: Session) -> list[dict[str, Any]]:
    """Most sessions come without codes, and their minutes choose them; some EHRs send codes of their own."""
    if session.oddity in ("up_code", "up_code_left"):
        return [{"line_ref": "1", "code": "90837", "units": 1}]
    if session.kind == "skills" and session.oddity != "no_level_modifier":
        return [{"line_ref": "1", "code": "H0004", "modifiers": ["HO"], "units": (session.minutes + 7) // 15}]
    return []


def _collected(session: Session) -> list[dict[str, Any]]:
    if session.kind == "eap" or not session.patient.copay_cents or session.patient.number % 4 == 3:
        return []
    return [
        {
            "kind": "copay",
            "amount_cents": session.patient.copay_cents,
            "method": "card",
            "ref": f"pi_{session.external_id}",
        }
    ]
