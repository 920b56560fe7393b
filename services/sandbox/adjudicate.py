"""A claim against plan data: what is allowed, who bears what, or why nothing is paid. Pure."""

from dataclasses import replace

from libs.common.money import share
from services.sandbox.accumulators import Effect, used
from services.sandbox.claims837 import Adjustment, Claim, Line
from services.sandbox.decisions import Case, Decision, LineDecision, Standing
from services.sandbox.plans import Payer, Reason, Share
from services.sandbox.refusals import refusals

CONTRACTUAL, SEQUESTRATION, PRIOR_PAYER = ("CO", "45"), ("CO", "253"), ("OA", "23")
DEDUCTIBLE, COINSURANCE, COPAY = "1", "2", "3"
_NO_LIMIT = 10**12


def adjudicate(claim: Claim, icn: str, payer: Payer, standing: Standing) -> Decision:
    """The decision on every line, in the order of the claim, each line seeing what the ones before it used."""
    plan = payer.plans[standing.member.plan_id]
    day = claim.service_from
    rules, benefits = payer.rules_on(day), plan.benefits_on(day)
    case = Case(claim, icn, payer, plan, rules, benefits, standing, list(standing.effects))
    decided: list[LineDecision] = []
    for line in claim.lines:
        reason = next(refusals(case, line), None)
        decision = _denied(line, reason) if reason else _priced(case, line)
        if decision.effect is not None:
            case.effects.append(decision.effect)
        decided.append(decision)
    return Decision(status={"P": "1", "S": "2"}.get(claim.sequence, "3"), lines=tuple(decided))


def _denied(line: Line, reason: Reason) -> LineDecision:
    """The whole charge is adjusted with the one reason."""
    return LineDecision(
        line=line,
        paid_cents=0,
        adjustments=_adjustments([(reason.group, reason.reason, line.charge_cents)]),
        remarks=(reason.remark,) if reason.remark else (),
    )


def _priced(case: Case, line: Line) -> LineDecision:
    """Allowed is the lower of charge and fee; then the member's share, sequestration, and the rest is paid."""
    level = case.rules.level(case.taxonomy(line), line.modifiers)
    fee = case.rules.fee_cents(line.code, level)
    assert fee is not None, "a line without a fee was refused before"
    fee = share(fee * line.units, case.standing.fee_percent / 100)
    allowed = min(line.charge_cents, fee)
    parts = [] if case.is_eap(line) else _shares(case, line, allowed)
    borne = sum(cents for _, cents in parts)
    withheld = share(allowed - borne, case.rules.sequestration_percent / 100)
    effect = _effect(case, line, parts)
    if case.claim.sequence != "P":
        return _as_secondary(case.claim, line, allowed, allowed - borne - withheld, effect)
    adjustments = [
        (*CONTRACTUAL, line.charge_cents - allowed),
        (*SEQUESTRATION, withheld),
        *(("PR", reason, cents) for reason, cents in parts),
    ]
    return LineDecision(
        line=line,
        paid_cents=allowed - borne - withheld,
        allowed_cents=allowed,
        adjustments=_adjustments(adjustments),
        effect=effect,
    )


def _shares(case: Case, line: Line, allowed: int) -> list[tuple[str, int]]:
    """What the member bears, by reason, never more than is left of the year's maximum."""
    rule = case.benefits.share_of(line.code) or Share(service="", order="copay")
    so_far = used(case.standing.member, case.effects, line.date.year)
    deductible = 0
    if rule.order != "copay":
        left = max(0, case.benefits.deductible_cents - so_far.deductible_cents)
        if case.benefits.family_deductible_cents is not None:
            left = min(left, max(0, case.benefits.family_deductible_cents - so_far.family_deductible_cents))
        deductible = min(allowed, left)
    rest = allowed - deductible
    copay = 0 if rule.order == "deductible_then_coinsurance" or case.already_seen(line) else rule.copay_cents
    parts = [
        (DEDUCTIBLE, deductible),
        (COINSURANCE, share(rest, rule.coinsurance) if rule.order == "deductible_then_coinsurance" else 0),
        (COPAY, min(copay, rest)),
    ]
    maximum = case.benefits.oop_max_cents
    left_to_pay = _NO_LIMIT if maximum is None else max(0, maximum - so_far.oop_cents)
    capped = []
    for reason, cents in parts:
        taken = min(cents, left_to_pay)
        left_to_pay -= taken
        capped.append((reason, taken))
    return [part for part in capped if part[1]]


def _effect(case: Case, line: Line, parts: list[tuple[str, int]]) -> Effect:
    found = case.authorization(line)
    takes_units = found is not None and (line.code in case.rules.authorization_codes or case.is_eap(line))
    return Effect(
        icn=case.icn,
        line=line.number,
        member_id=case.standing.member.member_id,
        service_date=line.date,
        code=line.code,
        modifiers=line.modifiers,
        rendering_npi=case.claim.rendering_npi(line),
        units=line.units,
        deductible_cents=sum(cents for reason, cents in parts if reason == DEDUCTIBLE),
        oop_cents=sum(cents for _, cents in parts),
        visit=not case.is_eap(line),
        eap=case.is_eap(line),
        authorization=found.number if takes_units and found else "",
    )


def _as_secondary(claim: Claim, line: Line, allowed: int, would_pay: int, effect: Effect) -> LineDecision:
    """What the payer before left to the patient is paid, up to what this plan would have paid; the rest is OA23."""
    left = sum(a.cents for prior in line.prior[-1:] for a in prior.adjustments if a.group == "PR")
    left = min(left, line.charge_cents)
    paid = min(would_pay, left)
    adjustments = [(*PRIOR_PAYER, line.charge_cents - left), ("PR", COINSURANCE, left - paid)]
    return LineDecision(
        line=line,
        paid_cents=paid,
        allowed_cents=allowed,
        adjustments=_adjustments(adjustments),
        effect=replace(effect, deductible_cents=0, oop_cents=left - paid),
    )


def _adjustments(parts: list[tuple[str, str, int]]) -> tuple[Adjustment, ...]:
    return tuple(Adjustment(group=group, reason=reason, cents=cents) for group, reason, cents in parts if cents)
