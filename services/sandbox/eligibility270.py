"""A 270 is answered from plan data and from what the member has used: the 271, or an AAA that says why not. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.sandbox.accumulators import Effect, Member, used
from services.sandbox.claims837 import Person, read_date
from services.sandbox.intake837 import is_npi, names_match
from services.sandbox.plans import Payer, Plan, Share
from services.sandbox.segments import Header, Segment, TransactionSet, Writer, day, element, money, plain

MENTAL_HEALTH = ("MH", "A4", "A6", "A8", "CF", "98", "AI", "AJ", "AK", "CJ")
"""Service types that are answered in detail; any other is answered as 30."""
_LISTED = "^".join(("MH", "A4", "A6", "A8", "AI", "CF"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one 270 asks."""

    reference: str
    source: Segment
    receiver: Segment
    subscriber: Person
    gender: str
    traces: tuple[Segment, ...]
    on: date | None
    service_types: tuple[str, ...]
    dependent: bool

    @property
    def payer_edi(self) -> str:
        return element(self.source, 9)

    @property
    def provider_npi(self) -> str:
        return element(self.receiver, 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """AAA: level (2000A, 2100A, 2100B, 2100C), reason and follow-up."""

    level: str
    reason: str
    follow_up: str = "C"


def read_270(transaction: TransactionSet) -> Question:
    """The question of a set that passed its guide; of several subscribers a real-time payer answers the first."""
    first: dict[str, Segment] = {}
    traces, types = [], []
    for segment in transaction.segments:
        key = segment[0] if segment[0] != "NM1" else f"NM1*{element(segment, 1)}"
        first.setdefault(key, segment)
        if segment[0] == "TRN":
            traces.append(segment)
        if segment[0] == "EQ":
            types += element(segment, 1).split("^")
    names = [segment for segment in transaction.segments if segment[0] == "NM1"]
    insured = first["NM1*IL"]
    demographics = first.get("DMG", ("DMG",))
    asked = first.get("DTP", ("DTP",))
    return Question(
        reference=element(first["BHT"], 3),
        source=names[0],
        receiver=names[1],
        subscriber=Person(
            last=element(insured, 3),
            first=element(insured, 4),
            id=element(insured, 9),
            born=read_date(element(demographics, 2)),
        ),
        gender=element(demographics, 3),
        traces=tuple(traces),
        on=read_date(element(asked, 3).split("-")[0]),
        service_types=tuple(types),
        dependent="NM1*03" in first,
    )


def reject(question: Question, payer: Payer | None, member: Member | None, today: date) -> Rejection | None:
    """Why the payer cannot answer, the outermost level first."""
    return next(_rejections(question, payer, member, today), None)


def _rejections(question: Question, payer: Payer | None, member: Member | None, today: date) -> Iterator[Rejection]:
    if payer is None:
        yield Rejection(level="2000A", reason="79")
    if not is_npi(question.provider_npi):
        yield Rejection(level="2100B", reason="43")
    subscriber = question.subscriber
    if question.dependent or member is None:
        yield Rejection(level="2100C", reason="75" if subscriber.id else "72")
        return
    if subscriber.born is not None and subscriber.born != member.birth_date:
        yield Rejection(level="2100C", reason="71")
    if subscriber.last and not names_match(subscriber, member):
        yield Rejection(level="2100C", reason="73")
    on = question.on or today
    if on < date(today.year - 2, today.month, 1):
        yield Rejection(level="2100C", reason="62")
    if (on - today).days > 92:
        yield Rejection(level="2100C", reason="63")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a 271 is made of."""

    question: Question
    payer: Payer | None
    member: Member | None
    effects: tuple[Effect, ...] = ()
    rejection: Rejection | None = None
    today: date


def write_271(answer: Answer, header: Header) -> bytes:
    """The 271 as one interchange; a rejection stands in the loop that it concerns, and nothing follows it."""
    question, rejection = answer.question, answer.rejection
    level = rejection.level if rejection else ""
    writer = Writer(header)
    writer.begin("271")
    writer.add("BHT", "0022", "11", question.reference, day(header.created), f"{header.created:%H%M}")
    writer.add("HL", "1", "", "20", "0" if level == "2000A" else "1")
    _aaa(writer, rejection, "2000A")
    if answer.payer is None:
        writer.add(*question.source)
    else:
        writer.add("NM1", "PR", "2", answer.payer.name, "", "", "", "", "PI", answer.payer.edi_id)
        writer.add("PER", "IC", "PROVIDER SERVICES", "TE", answer.payer.phone)
    if level != "2000A":
        writer.add("HL", "2", "1", "21", "0" if level == "2100B" else "1")
        writer.add(*question.receiver)
        _aaa(writer, rejection, "2100B")
    if level not in ("2000A", "2100B"):
        _subscriber(writer, answer)
    writer.end()
    return writer.bytes()


def _aaa(writer: Writer, rejection: Rejection | None, level: str) -> None:
    if rejection is not None and rejection.level == level:
        writer.add("AAA", "Y" if rejection.reason in ("42", "80") else "N", "", rejection.reason, rejection.follow_up)


def _subscriber(writer: Writer, answer: Answer) -> None:
    question, member = answer.question, answer.member
    writer.add("HL", "3", "2", "22", "0")
    for trace in question.traces:
        writer.add("TRN", "2", *trace[2:])
    if answer.rejection is not None or member is None or answer.payer is None:
        asked = question.subscriber
        qualifier = "MI" if asked.id else ""
        writer.add("NM1", "IL", "1", plain(asked.last), plain(asked.first), "", "", "", qualifier, asked.id)
        _aaa(writer, answer.rejection, "2100C")
        return
    names = (plain(member.last_name), plain(member.first_name))
    writer.add("NM1", "IL", "1", *names, "", "", "", "MI", member.member_id)
    if member.group_number:
        writer.add("REF", "6P", member.group_number)
    writer.add("DMG", "D8", day(member.birth_date), member.gender)
    writer.add("INS", "Y", "18", "001", "25")
    writer.add("DTP", "346", "D8", day(member.effective_from))
    if member.effective_to is not None:
        writer.add("DTP", "347", "D8", day(member.effective_to))
    _benefits(writer, answer, answer.payer, member)


def _benefits(writer: Writer, answer: Answer, payer: Payer, member: Member) -> None:
    plan = payer.plans[member.plan_id]
    on = answer.question.on or answer.today
    if not member.covered_on(on):
        writer.add("EB", "6", "IND", "30", payer.plan_type, plan.name)
        return
    writer.add("EB", "1", "IND", "30", payer.plan_type, plan.name)
    if plan.carve_out is not None:
        writer.add("EB", "U", "IND", "MH^AI")
        writer.add("LS", "2120")
        writer.add("NM1", "Y2", "2", plan.carve_out.name, "", "", "", "", "PI", plan.carve_out.edi_id)
        writer.add("PER", "IC", "", "TE", plan.carve_out.phone)
        writer.add("LE", "2120")
        return
    if not set(answer.question.service_types) & {"30", *MENTAL_HEALTH}:
        return
    writer.add("EB", "1", "IND", _LISTED, payer.plan_type, plan.name)
    _year(writer, answer, payer, plan, member, on)


def _year(writer: Writer, answer: Answer, payer: Payer, plan: Plan, member: Member, on: date) -> None:
    """Deductible, maximum, shares and visits of the year of the question: what there is, and what is left."""
    benefits, so_far = plan.benefits_on(on), used(member, answer.effects, on.year)
    _pair(writer, "C", "IND", benefits.deductible_cents, so_far.deductible_cents)
    if benefits.family_deductible_cents is not None:
        _pair(writer, "C", "FAM", benefits.family_deductible_cents, so_far.family_deductible_cents)
    if benefits.oop_max_cents is not None:
        _pair(writer, "G", "IND", benefits.oop_max_cents, so_far.oop_cents)
    rules = payer.rules_on(on)
    for share in benefits.shares:
        _share(writer, share)
    if rules.modifiers and any(rule.places for rule in rules.modifiers):
        writer.add("MSG", "TELEHEALTH SAME AS OFFICE, MODIFIER 95 OR 93 NEEDED")
    if benefits.visit_limit is not None:
        left = max(0, benefits.visit_limit - so_far.visits)
        writer.add("EB", "F", "IND", "MH", "", "", "23", "", "", "VS", str(benefits.visit_limit), "N", "Y")
        writer.add("EB", "F", "IND", "MH", "", "", "29", "", "", "VS", str(left), "N", "Y")
    if plan.eap is not None:
        _eap(writer, plan, so_far.eap_sessions)
    for code in rules.authorization_codes:
        writer.add("EB", "CB", "IND", "", "", "", "", "", "", "", "", "Y", "Y", f"HC:{code}")


def _pair(writer: Writer, kind: str, level: str, limit_cents: int, used_cents: int) -> None:
    """The limit of the calendar year (23), and what is left of it (29): never less than nothing."""
    left = max(0, limit_cents - used_cents)
    for period, cents in (("23", limit_cents), ("29", left)):
        writer.add("EB", kind, level, "MH", "", "", period, money(cents), "", "", "", "", "Y")


def _share(writer: Writer, share: Share) -> None:
    """What a visit costs the member, at the office and by telehealth; procedures of their own are named."""
    for code in share.codes or ("",):
        types, procedure = ("", f"HC:{code}") if code else ("MH", "")
        if share.order == "deductible_then_coinsurance":
            elements = ("A", "IND", types, "", "", "", "", _fraction(share.coinsurance))
        else:
            elements = ("B", "IND", types, "", "", "27", money(share.copay_cents), "")
        writer.add("EB", *elements, "", "", "N", "Y", procedure)
        if share.order == "copay_after_deductible":
            writer.add("MSG", "COPAY APPLIES ONCE THE DEDUCTIBLE IS MET")


def _fraction(share: Decimal) -> str:
    return f"{share.normalize():f}".removeprefix("0")


def _eap(writer: Writer, plan: Plan, sessions: int) -> None:
    assert plan.eap is not None
    left = max(0, plan.eap.sessions - sessions)
    name = plan.eap.name
    writer.add("EB", "B", "IND", "MH", "", name, "27", "0", "", "", "", "Y", "Y")
    writer.add("MSG", f"{plan.eap.name} SESSIONS NEED AN AUTHORIZATION NUMBER AND MODIFIER {plan.eap.modifier}")
    for period, count in (("23", plan.eap.sessions), ("29", left)):
        writer.add("EB", "F", "IND", "MH", "", name, period, "", "", "VS", str(count), "Y", "Y")
