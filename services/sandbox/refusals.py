"""Why a payer does not pay a line, in the order in which it comes upon the reasons. Pure."""

from collections.abc import Iterator

from services.sandbox.accumulators import units_used, used
from services.sandbox.claims837 import Line
from services.sandbox.decisions import Case
from services.sandbox.plans import Reason


def refusals(case: Case, line: Line) -> Iterator[Reason]:
    """Why the line is not paid, the first reason that a payer comes upon first."""
    yield from _coverage(case, line)
    yield from _filing(case, line)
    yield from _provider(case, line)
    yield from _coding(case, line)
    yield from _authorization(case, line)
    yield from _limits(case, line)


def _coverage(case: Case, line: Line) -> Iterator[Reason]:
    member = case.standing.member
    if case.standing.forced:
        yield case.standing.forced
    if line.date < member.effective_from:
        yield Reason(group="PR", reason="26")
    if member.effective_to and line.date > member.effective_to:
        yield Reason(group="PR", reason="27")
    if case.plan.carve_out:
        yield case.plan.carve_out


def _filing(case: Case, line: Line) -> Iterator[Reason]:
    if (case.standing.received - line.date).days > case.rules.timely_filing_days:
        yield Reason(group="CO", reason="29")
    key = (line.date, line.code, tuple(sorted(line.modifiers)), case.claim.rendering_npi(line))
    own = (effect for effect in case.effects if effect.member_id == case.standing.member.member_id)
    if any(effect.key == key for effect in own):
        yield case.payer.denials.duplicate


def _provider(case: Case, line: Line) -> Iterator[Reason]:
    if case.rostered(line) is None:
        yield case.payer.denials.provider
    unpaid = case.rules.unpaid_levels
    if unpaid and case.taxonomy(line).startswith(unpaid.taxonomies):
        yield unpaid


def _coding(case: Case, line: Line) -> Iterator[Reason]:
    for excluded in case.benefits.excluded:
        if line.code in excluded.codes:
            yield excluded
    level = case.rules.level(case.taxonomy(line), line.modifiers)
    if case.rules.fee_cents(line.code, level) is None:
        yield case.payer.denials.not_in_schedule
    for rule in case.rules.modifiers:
        if rule.is_broken(line.code, line.place or case.claim.place, line.modifiers):
            yield rule
    if line.code in case.rules.prescribers_only and level not in ("physician", "nurse"):
        yield Reason(group="CO", reason="8", remark="N95")
    primaries = case.rules.add_ons.get(line.code)
    if primaries is not None:
        npi = case.claim.rendering_npi(line)
        there = {e.code for e in case.effects if e.service_date == line.date and e.rendering_npi == npi}
        there |= {other.code for other in case.claim.lines if other.date == line.date}
        if not there & set(primaries):
            yield Reason(group="CO", reason="107", remark="N122")


def _authorization(case: Case, line: Line) -> Iterator[Reason]:
    if line.code not in case.rules.authorization_codes and not case.is_eap(line):
        return
    denials = case.payer.denials
    found = case.authorization(line)
    if found is None or not found.covers(line) or found.eap != case.is_eap(line):
        yield denials.authorization_missing
    elif units_used(case.effects, found.number) + line.units > found.units:
        yield denials.authorization_used


def _limits(case: Case, line: Line) -> Iterator[Reason]:
    so_far = used(case.standing.member, case.effects, line.date.year)
    limit = case.benefits.visit_limit
    if case.is_eap(line):
        assert case.plan.eap is not None
        if so_far.eap_sessions >= case.plan.eap.sessions:
            yield Reason(group="PR", reason="119", remark="N362")
    elif limit is not None and so_far.visits >= limit and not case.already_seen(line):
        yield Reason(group="PR", reason="119", remark="N362")
