"""Claim edits: each looks at one thing, and says what is wrong or puts it right. Which run is decided by the rules."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from libs.codes import modifiers as modifier_book
from libs.codes.payers import Payer
from libs.codes.places import place
from libs.codes.procedures import conflict, procedure
from libs.codes.taxonomies import taxonomy
from services.claims import coding
from services.claims.domain import UNSENT, Claim, Content, Line
from services.claims.rules import Rule, in_force

TELEHEALTH = frozenset({"95", "93", "GT", "FQ", "GQ"})
MOST_MODIFIERS = modifier_book.MOST_ON_A_LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the edits may look at."""

    claim: Claim
    payer: Payer
    today: date
    documentation: Mapping[str, Any] = field(default_factory=dict)
    eap: bool = False
    taxonomy: str | None = None
    others: Sequence[Claim] = ()
    """The patient's other claims of the day."""
    patient_has_address: bool = True
    file_from: date | None = None
    """The day from which the payer counts its filing limit, where that is not the date of service."""
    session_minutes: int | None = None
    """From start to stop, by the clock."""
    overlap_minutes: int = 0
    """Of this session in which its clinician was in another one, too."""
    at_home: bool | None = None
    """Whether the patient was at home; None where the EHR did not say."""

    @property
    def content(self) -> Content:
        return self.claim.content

    @property
    def on(self) -> date:
        return self.claim.service_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule noticed; `pointer` leads into the claim, never a value."""

    rule_id: str
    severity: str
    code: str
    message: str
    pointer: str | None = None
    suggestion: str | None = None

    def view(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


Found = Iterator[tuple[str | None, str, str | None]]
"""(pointer, words, suggestion)"""
Edit = Callable[[Facts, Mapping[str, Any]], Found]
Repair = Callable[[Facts], Content]


def run(facts: Facts) -> tuple[Content, list[Finding]]:
    """The content after what the rules put right by themselves, and everything that they found."""
    rules = in_force(facts.payer.id, facts.on)
    findings: list[Finding] = []
    for rule in rules:
        if rule.severity == "fixed":
            repaired = REPAIRS[rule.edit](facts)
            if repaired != facts.content:
                facts = replace(facts, claim=replace(facts.claim, content=repaired))
                findings.append(Finding(rule_id=rule.id, severity="fixed", code=rule.code, message=rule.source))
    for rule in rules:
        if rule.severity != "fixed":
            findings += _ask(rule, facts)
    return facts.content, findings


def _ask(rule: Rule, facts: Facts) -> list[Finding]:
    return [
        Finding(
            rule_id=rule.id,
            severity=rule.severity,
            code=rule.code,
            message=words,
            pointer=pointer,
            suggestion=suggestion,
        )
        for pointer, words, suggestion in EDITS[rule.edit](facts, rule.params)
    ]


def with_modifier(content: Content, code: str) -> Content:
    """Every line carries the modifier, where there is still room for it."""

    def add(line: Line) -> Line:
        if code in line.modifiers or len(line.modifiers) >= MOST_MODIFIERS:
            return line
        return replace(line, modifiers=(*line.modifiers, code))

    return replace(content, lines=tuple(add(line) for line in content.lines))


def _telehealth_modifier(facts: Facts) -> Content:
    wanted = {"video": facts.payer.telehealth_modifier, "audio": "93"}.get(facts.content.modality)
    if wanted is None:
        return facts.content
    lines = facts.content.lines
    carried = with_modifier(facts.content, wanted).lines
    kept = (line if TELEHEALTH & set(line.modifiers) else new for line, new in zip(lines, carried, strict=True))
    return replace(facts.content, lines=tuple(kept))


def _telehealth_modifier_unwanted(facts: Facts) -> Content:
    def drop(line: Line) -> Line:
        return replace(line, modifiers=tuple(code for code in line.modifiers if code not in {"95", "GT"}))

    return replace(facts.content, lines=tuple(drop(line) for line in facts.content.lines))


def _eap_modifier(facts: Facts) -> Content:
    wanted = facts.payer.eap_modifier
    return with_modifier(facts.content, wanted) if facts.eap and wanted else facts.content


def _place_agrees(facts: Facts, _: Mapping[str, Any]) -> Found:
    known = place(facts.content.place_of_service, facts.on)
    remote = facts.content.modality in {"video", "audio"}
    if known is not None and known.telehealth != remote:
        yield "/place_of_service", "place of service and modality say different things", "10" if remote else "11"
    elif remote and facts.at_home is not None and (facts.content.place_of_service == "10") != facts.at_home:
        yield "/place_of_service", "10 is for a patient at home, 02 for one elsewhere", "10" if facts.at_home else "02"
    if not remote and any(TELEHEALTH & set(line.modifiers) for line in facts.content.lines):
        yield "/lines", "a session in person carries a telehealth modifier", None


def _telehealth_consent(facts: Facts, _: Mapping[str, Any]) -> Found:
    attests = facts.documentation.get("attests") or {}
    if facts.content.modality != "in_person" and not attests.get("telehealth_consent"):
        yield "/documentation/attests/telehealth_consent", "no consent to telehealth is attested", None


def _eap_authorization(facts: Facts, _: Mapping[str, Any]) -> Found:
    if facts.eap and not facts.content.authorization_number and not facts.claim.authorization_id:
        yield "/authorization", "an EAP session needs the number of its authorization", None


def _signed_at(facts: Facts) -> datetime | None:
    said = facts.documentation.get("signed_at")
    return datetime.fromisoformat(said) if said else None


def _note_signed(facts: Facts, _: Mapping[str, Any]) -> Found:
    if _signed_at(facts) is None:
        yield "/documentation/signed_at", "the note is not signed", None


def _note_signed_late(facts: Facts, params: Mapping[str, Any]) -> Found:
    signed = _signed_at(facts)
    limit = timedelta(hours=params["hours"])
    if signed is not None and signed.date() - facts.on > limit:
        yield "/documentation/signed_at", f"the note was signed more than {params['hours']} hours later", None


def _signer_is_rendering(facts: Facts, _: Mapping[str, Any]) -> Found:
    signer = facts.documentation.get("signer_npi")
    if signer and signer != facts.claim.provider_npi and not facts.documentation.get("cosigned"):
        yield "/documentation/signer_npi", "signed by somebody else than the rendering clinician, not cosigned", None


def _inside_plan(facts: Facts, _: Mapping[str, Any]) -> Found:
    plan = facts.documentation.get("treatment_plan")
    if not plan:
        return
    due = plan.get("review_due")
    if facts.on < date.fromisoformat(plan["effective"]) or (due and facts.on > date.fromisoformat(due)):
        yield "/documentation/treatment_plan", "the date of service is outside the plan of treatment", None


def _plan_present(facts: Facts, params: Mapping[str, Any]) -> Found:
    if not facts.documentation.get("treatment_plan") and facts.claim.code_family not in params["except_families"]:
        yield "/documentation/treatment_plan", "the payer wants a plan of treatment in force", None


def _minutes(facts: Facts, params: Mapping[str, Any]) -> Found:
    for index, line in enumerate(facts.content.lines):
        found = coding.check(line.code, line.units, line.minutes, facts.on, facts.payer.rounding)
        if found is not None and found.kind == params["kind"]:
            yield f"/lines/{index}/code", found.words, found.supported


def _minutes_within_session(facts: Facts, _: Mapping[str, Any]) -> Found:
    for index, line in enumerate(facts.content.lines):
        if line.minutes is not None and facts.session_minutes is not None and line.minutes > facts.session_minutes:
            words = f"{line.minutes} documented minutes in a session of {facts.session_minutes} from start to stop"
            yield f"/lines/{index}/minutes", words, None


def _clinician_overlap(facts: Facts, params: Mapping[str, Any]) -> Found:
    if facts.overlap_minutes > params["minutes"]:
        words = f"the clinician was in another session for {facts.overlap_minutes} minutes of this one"
        yield "/service/start", words, None


def _code_in_force(facts: Facts, _: Mapping[str, Any]) -> Found:
    for index, line in enumerate(facts.content.lines):
        if procedure(line.code, facts.on) is None:
            yield f"/lines/{index}/code", "not a code that is known and in force on the date of service", None


def _add_on(facts: Facts, _: Mapping[str, Any]) -> Found:
    present = {line.code for line in facts.content.lines}
    for index, line in enumerate(facts.content.lines):
        known = procedure(line.code, facts.on)
        if known is not None and known.add_on and not present & set(known.primaries):
            yield f"/lines/{index}/code", "an add-on without its primary on the claim", None


def _pairs(facts: Facts) -> Iterator[tuple[int, Line, str, bool, str, bool]]:
    """Conflicts of a line with the claim's other lines, and with the same clinician's other claims of the day.

    (index, line, pointer's line code is the second of the pair, whether a modifier helps, other claim's external id)
    """
    for index, line in enumerate(facts.content.lines):
        own = [(other, "") for place_, other in enumerate(facts.content.lines) if place_ < index]
        beside = [
            (other, claim.external_id)
            for claim in facts.others
            if claim.provider_npi == facts.claim.provider_npi
            for other in claim.content.lines
        ]
        for other, external_id in (*own, *beside):
            found = conflict(line.code, other.code, facts.on)
            if found is not None:
                second = line.code in found.second and other.code in found.first
                yield index, line, external_id, found.allowed_with_modifier, other.code, second


def _earlier(facts: Facts) -> list[Claim]:
    """The clinician's claims for the patient's day that come before this one: sent before it, or named first."""
    own = facts.claim
    return [
        other
        for other in facts.others
        if other.provider_npi == own.provider_npi
        and (other.external_id < own.external_id or (not own.attempts and other.status not in UNSENT))
    ]


def _before(facts: Facts) -> Iterator[tuple[int, Line, list[Line]]]:
    """(index, line, lines with its code that come before it on that day)"""
    before = [line for claim in _earlier(facts) for line in claim.content.lines]
    for index, line in enumerate(facts.content.lines):
        yield index, line, [other for other in before if other.code == line.code]
        before.append(line)


def _repeat_of_day(facts: Facts, _: Mapping[str, Any]) -> Found:
    for index, line, before in _before(facts):
        if any(set(other.modifiers) == set(line.modifiers) for other in before):
            known = procedure(line.code, facts.on)
            units = known is not None and known.regime == "per15"
            words = "put the units of the day on one line" if units else "a repeated service needs its modifier"
            yield f"/lines/{index}/modifiers", f"the payer takes it for a duplicate: {words}", None if units else "76"


def _same_day_never(facts: Facts, _: Mapping[str, Any]) -> Found:
    earlier = {"", *(claim.external_id for claim in _earlier(facts))}
    for index, _line, external_id, helps, _other, _second in _pairs(facts):
        if not helps and external_id in earlier:
            yield f"/lines/{index}/code", "cannot be billed on one day with another service of the clinician", None


def _same_day_modifier(facts: Facts, params: Mapping[str, Any]) -> Found:
    for index, line, external_id, helps, other, second in _pairs(facts):
        if not helps:
            continue
        distinct = {*params["modifiers"], *params["visit_modifiers"]}
        lines = facts.content.lines if not external_id else (line,)
        carries = any(distinct & set(one.modifiers) for one in lines if one.code in {line.code, other})
        if not carries and (second or not external_id):
            yield f"/lines/{index}/modifiers", "a second service of the day needs the modifier for a distinct one", "XE"


def _units(facts: Facts, _: Mapping[str, Any]) -> Found:
    for index, line, before in _before(facts):
        known = procedure(line.code, facts.on)
        if known is not None and line.units + sum(other.units for other in before) > known.mue:
            yield f"/lines/{index}/units", f"more units than the {known.mue} that a day allows", None


def _modifiers_agree(facts: Facts, _: Mapping[str, Any]) -> Found:
    for index, line in enumerate(facts.content.lines):
        if modifier_book.clashes(line.modifiers, facts.on) or len(set(line.modifiers)) != len(line.modifiers):
            yield f"/lines/{index}/modifiers", "modifiers that exclude each other", None


def _modifiers_exist(facts: Facts, _: Mapping[str, Any]) -> Found:
    for index, line in enumerate(facts.content.lines):
        if any(modifier_book.modifier(code, facts.on) is None for code in line.modifiers):
            yield f"/lines/{index}/modifiers", "a modifier that is unknown or not in force", None


def _prescriber_only(facts: Facts, _: Mapping[str, Any]) -> Found:
    kind = taxonomy(facts.taxonomy or "")
    for index, line in enumerate(facts.content.lines):
        known = procedure(line.code, facts.on)
        if known is not None and known.prescriber and kind is not None and not kind.prescriber:
            yield f"/lines/{index}/code", "a code for prescribers only", None


def _place_exists(facts: Facts, _: Mapping[str, Any]) -> Found:
    if place(facts.content.place_of_service, facts.on) is None:
        yield "/place_of_service", "no such place of service on that date", None


def _pointers(facts: Facts, _: Mapping[str, Any]) -> Found:
    for index, line in enumerate(facts.content.lines):
        if not line.pointers or any(pointer > len(facts.content.diagnoses) for pointer in line.pointers):
            yield f"/lines/{index}/dx_pointers", "points to a diagnosis that is not there", None


def _not_z(facts: Facts, params: Mapping[str, Any]) -> Found:
    principal = next(iter(facts.content.diagnoses), "")
    if principal.startswith("Z") and facts.claim.code_family not in params["except_families"]:
        yield "/diagnoses/0/code", "a Z code as principal diagnosis", None


def _charge(facts: Facts, _: Mapping[str, Any]) -> Found:
    for index, line in enumerate(facts.content.lines):
        if not line.charge_cents:
            yield f"/lines/{index}/charge_cents", "neither the EHR nor the charge master names a charge", None


def _timely(facts: Facts, params: Mapping[str, Any]) -> Found:
    last = (facts.file_from or facts.on) + timedelta(days=facts.payer.timely_filing_days)
    near = "days_before" in params
    late = last - timedelta(days=params["days_before"]) < facts.today <= last if near else facts.today > last
    first = facts.claim.attempts == 0 or (facts.claim.rank > 1 and facts.claim.frequency == "1")
    if first and late:
        yield "/service_date", f"the payer takes claims until {last.isoformat()}", None


def _patient_address(facts: Facts, _: Mapping[str, Any]) -> Found:
    if not facts.patient_has_address:
        yield "/patient/address", "the payer wants the address of a patient who is the subscriber", None


def _medicare_kind(facts: Facts, _: Mapping[str, Any]) -> Found:
    kind = taxonomy(facts.taxonomy or "")
    if kind is not None and not kind.medicare_enrolls(facts.on):
        yield "/providers/rendering", f"Medicare does not enrol a {kind.meaning} on that date", None


REPAIRS: Mapping[str, Repair] = {
    "telehealth_modifier": _telehealth_modifier,
    "telehealth_modifier_unwanted": _telehealth_modifier_unwanted,
    "eap_modifier": _eap_modifier,
}
EDITS: Mapping[str, Edit] = {
    "place_agrees_with_modality": _place_agrees,
    "telehealth_consent": _telehealth_consent,
    "eap_authorization": _eap_authorization,
    "note_signed": _note_signed,
    "note_signed_late": _note_signed_late,
    "signer_is_rendering": _signer_is_rendering,
    "inside_plan": _inside_plan,
    "plan_present": _plan_present,
    "minutes_support_code": _minutes,
    "minutes_within_session": _minutes_within_session,
    "clinician_overlap": _clinician_overlap,
    "code_in_force": _code_in_force,
    "add_on_has_primary": _add_on,
    "repeat_of_day": _repeat_of_day,
    "same_day_never": _same_day_never,
    "same_day_modifier": _same_day_modifier,
    "units_within_limit": _units,
    "modifiers_agree": _modifiers_agree,
    "modifiers_exist": _modifiers_exist,
    "prescriber_only": _prescriber_only,
    "place_exists": _place_exists,
    "pointers_exist": _pointers,
    "principal_is_not_z": _not_z,
    "charge_present": _charge,
    "timely_filing": _timely,
    "patient_address": _patient_address,
    "medicare_kind_of_clinician": _medicare_kind,
}
