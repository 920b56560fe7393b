"""Files as a payer and a biller would send them, for the measurements: claims by the thousand, no two alike.

Every claim has numbers and a patient of its own (one of half a million names, with birth date, address and member id)
and one of 60 clinicians; one to five lines of fourteen procedures on days of four months, charges to the cent of forty
fee schedules, allowed amounts and shares that differ from patient to patient, and what else there is: denials,
reversals, remarks, interest, copayments, authorizations, dependants, prior payers, replacements. No claim repeats
another; in a file of 4,000 claims 41 (835) and 44 (837P) of a hundred segments have a text that is nowhere else in the
file (`variety` counts them), the others being dates, procedures, payers, clinicians and the like, as in practice. The
same number of claims with the same seed is always the same file, and another seed makes another one.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random

from tests.x12.samples import ISA

#: Claims in one ST, as a biller must split them.
MOST = 5000
_WORDS = """
AALIYAH ADAM ALEXANDRA AMIR ANA ANTHONY BEATRIZ BENJAMIN BRIAN CARMEN CHLOE DANIEL DEBORAH DIEGO ELENA ETHAN FATIMA
GABRIEL GRACE HANNAH HIRO IRENE ISAAC JAMAL JOSE JULIA KAREN KEVIN LAURA LIAM MARIA MEI NATHAN NOAH OLGA OMAR PATRICIA
PRIYA QUINN RACHEL RAFAEL SAMUEL SOFIA THOMAS UMA VICTOR WEI XAVIER YASMIN ZOE
AND BAR BEN CAR CHEN COL CRU DAV EDW FER FLO GAR GON HAR HER JOHN KIM LOP MAR MIT MOR NEL NGU OKA PAT PER
ERSON TON SON LEY EZ MAN WOOD FIELD ES ARD SKI OV A INO ER HAM WELL LAND BY STEIN AGA URA EN IS OU AS
OAK MAIN ELM CEDAR PARK LAKE HILL PINE RIVER MAPLE CHURCH SPRING RIDGE WALNUT SUNSET HIGHLAND
F411 F4310 F840 F331 F3341 F902 F1020 F4323 F319 F429 F5000 F6381
"""
_LINES = [line.split() for line in _WORDS.strip().splitlines()]
_FIRST, (_HEAD, _TAIL, _STREET, _DIAGNOSES) = [*_LINES[0], *_LINES[1], *_LINES[2]], _LINES[3:]
_CITY = [
    ("AUSTIN", "TX", 787), ("DALLAS", "TX", 752), ("DENVER", "CO", 802), ("MADISON", "WI", 537), ("BOISE", "ID", 837),
]  # fmt: skip
#: Procedure, its modifier if any, units, charge in cents.
_SERVICES = [
    ("90791", "", 1, 24000), ("90832", "95", 1, 11000), ("90834", "", 1, 15500), ("90834", "95", 1, 15500),
    ("90837", "", 1, 19500), ("90837", "95", 1, 19500), ("90846", "", 1, 14500), ("90847", "", 1, 16000),
    ("90853", "HQ", 1, 6500), ("96130", "", 1, 21000), ("97153", "HM", 8, 16000), ("97155", "HO", 4, 14000),
    ("99213", "25", 1, 12800), ("99214", "", 1, 17900),
]  # fmt: skip
_PAYERS = [
    ("ACME BEHAVIORAL PLAN", "60054"),
    ("NORTHERN HEALTH", "87726"),
    ("STATE MEDICAID", "SKTX0"),
    ("BLUE HILLS", "00840"),
]


def money(cents: int) -> str:
    """As X12 has it."""
    whole, rest = divmod(abs(cents), 100)
    return ("-" if cents < 0 else "") + (f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole))


def npi(number: int) -> str:
    """A valid one."""
    text = f"1{number:08d}"
    total = 24
    for place, digit in enumerate(reversed(text)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return text + str(-total % 10)


class _World:
    """Whom the claims are about."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        choice = self.random.choice
        self.clinicians = [
            (choice(_HEAD) + choice(_TAIL), choice(_FIRST), npi(self.random.randrange(10**8))) for _ in range(60)
        ]
        self.schedules = [self.random.uniform(0.8, 1.4) for _ in range(40)]

    def digits(self, count: int) -> str:
        return str(self.random.randrange(10 ** (count - 1), 10**count))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def name(self) -> str:
        middle = self.random.choice("ABCDEFGHJKLMNPRST") if self.chance(0.4) else ""
        choice = self.random.choice
        return f"{choice(_HEAD)}{choice(_TAIL)}*{choice(_FIRST)}" + (f"*{middle}" if middle else "")

    def member(self) -> str:
        return self.random.choice(["W", "XEA", "H", ""]) + self.digits(9)

    def address(self) -> list[str]:
        city, state, area = self.random.choice(_CITY)
        kind = self.random.choice(["ST", "AVE", "RD"])
        line = f"N3*{self.random.randrange(1, 9999)} {self.random.choice(_STREET)} {kind}"
        if self.chance(0.2):
            line += f"*APT {self.random.randrange(1, 400)}"
        tail = f"{self.random.randrange(10000):04d}" if self.chance(0.5) else ""
        return [line, f"N4*{city}*{state}*{area}{self.random.randrange(100):02d}{tail}"]

    def born(self) -> str:
        year = self.random.randrange(1940, 2020)
        return f"{year}{self.random.randrange(1, 13):02d}{self.random.randrange(1, 29):02d}"

    def day(self) -> str:
        return f"2025{self.random.randrange(8, 12):02d}{self.random.randrange(1, 29):02d}"

    def services(self) -> list[tuple[str, int, int]]:
        """Procedure with its modifier, units, charge."""
        schedule = self.random.choice(self.schedules)
        picked = self.random.sample(_SERVICES, k=self.random.choice([1, 1, 1, 1, 2, 2, 3, 4, 5]))
        return [
            (f"HC:{code}" + (f":{modifier}" if modifier else ""), units, round(charge * schedule))
            for code, modifier, units, charge in picked
        ]


def _interchange(group: str, guide: str, st: str, sets: Iterator[list[str]]) -> Iterator[str]:
    """The segments of a file of these transactions."""
    yield ISA.format(sender="SENDER", receiver="RECEIVER")
    yield f"GS*{group}*SENDER*RECEIVER*20260120*0830*1*X*{guide}"
    count = 0
    for count, body in enumerate(sets, 1):
        yield f"ST*{st}*{count:04d}" + (f"*{guide}" if st == "837" else "")
        yield from body
        yield f"SE*{len(body) + 2}*{count:04d}"
    yield f"GE*{count}*1"
    yield "IEA*1*000000001"


def remittance(claims: int, seed: int = 0) -> Iterator[str]:
    """The segments of an 835 about so many claims."""
    return _interchange("HP", "005010X221A1", "835", _payments(claims, seed))


def _payments(claims: int, seed: int) -> Iterator[list[str]]:
    world = _World(seed)
    for begin in range(0, claims, MOST):
        body: list[str] = []
        paid = sum(_payment(world, number, body) for number in range(begin, min(begin + MOST, claims)))
        trace = world.digits(10)
        yield [
            f"BPR*I*{money(paid)}*C*ACH*CCP*01*111000025*DA*123456*1741234567**01*111000614*DA*998877*20260120",
            f"TRN*1*{trace}*1741234567", "DTM*405*20260119", "N1*PR*ACME BEHAVIORAL PLAN*XV*60054", "N3*PO BOX 1",
            "N4*DALLAS*TX*75201", "REF*2U*60054", "PER*CX*PROVIDER SERVICES*TE*8005550100",
            "PER*BL*EDI SUPPORT*TE*8005550101*EM*EDI@EXAMPLE.COM", "N1*PE*BRIGHT MINDS BEHAVIORAL HEALTH*XX*1234567893",
            "N3*100 MAIN ST", "N4*AUSTIN*TX*787011234", "REF*TJ*741234567", "LX*1", *body,
        ]  # fmt: skip


def _payment(world: _World, number: int, out: list[str]) -> int:  # noqa: C901 - a claim in the order of its segments
    """Add one claim; what is paid for it."""
    random = world.random
    denied, reversal = world.chance(0.08), world.chance(0.02)
    sign = -1 if reversal else 1
    day, received = world.day(), f"202512{random.randrange(1, 29):02d}"
    share = random.choice([0.0, 0.0, 0.1, 0.2, 0.2, 0.3])
    copay = random.choice([0, 0, 0, 1500, 2000, 2500, 3000, 4000])
    lines, charge, paid, owed = [], 0, 0, 0
    for place, (procedure, units, billed) in enumerate(world.services(), 1):
        allowed = 0 if denied else round(billed * random.choice([0.55, 0.6, 0.62, 0.7, 0.75, 0.8, 1]))
        due = min(allowed, copay if place == 1 else 0)
        coinsurance = round((allowed - due) * share)
        given = allowed - due - coinsurance
        charge, paid, owed = charge + billed, paid + given, owed + due + coinsurance
        lines.append(f"SVC*{procedure}*{money(sign * billed)}*{money(sign * given)}**{units}")
        lines.append(f"DTM*472*{day}")
        if denied:
            lines.append(f"CAS*CO*{random.choice(['16', '97', '197', '29'])}*{money(sign * billed)}")
        elif billed > allowed:
            lines.append(f"CAS*CO*45*{money(sign * (billed - allowed))}")
        reasons = [f"{code}*{money(sign * cents)}" for code, cents in (("3", due), ("2", coinsurance)) if cents]
        if reasons:
            lines.append("CAS*PR*" + "**".join(reasons))
        lines.append(f"REF*6R*{number + 70000}L{place}")
        if allowed:
            lines.append(f"AMT*B6*{money(allowed)}")
        if denied:
            lines.append(f"LQ*HE*{random.choice(['N130', 'M76', 'N362', 'MA130'])}")
    status = "22" if reversal else "4" if denied else random.choice("11111112")
    own = str(random.choice(["11", "11", "02", "10", "53"]))
    number_at_payer = f"{random.randrange(2025001, 2025366)}{world.digits(8)}"
    out.append(
        f"CLP*PCN{number + 70000}-{random.randrange(1000)}*{status}*{money(sign * charge)}*{money(sign * paid)}*"
        f"{'' if reversal else money(owed)}*{random.choice(['12', '13', 'HM', 'MC'])}*{number_at_payer}*{own}*1"
    )
    name = world.name()
    out.append(f"NM1*QC*1*{name}{'*' * (5 - name.count('*'))}MI*{world.member()}".replace("*MI*", "*MI*", 1))
    if world.chance(0.25):
        name = world.name()
        out.append(f"NM1*IL*1*{name}{'*' * (5 - name.count('*'))}MI*{world.member()}")
    last, first, identity = random.choice(world.clinicians)
    out.append(f"NM1*82*1*{last}*{first}****XX*{identity}")
    if world.chance(0.3):
        out.append(f"MOA***{random.choice(['MA01', 'MA18', 'N781', 'MA07'])}")
    if reversal:
        out.append(f"REF*F8*{world.digits(13)}")
    if world.chance(0.3):
        out.append(f"REF*EA*MR{world.digits(6)}")
    if world.chance(0.7):
        out += [f"DTM*232*{day}", f"DTM*233*{day}"]
    out.append(f"DTM*050*{received}")
    if world.chance(0.1):
        out.append(f"AMT*I*{money(random.randrange(1, 500))}")
    elif not denied:
        out.append(f"AMT*AU*{money(max(charge - random.randrange(1, 3000), 0))}")
    out += lines
    return sign * paid


def claim_file(claims: int, seed: int = 0) -> Iterator[str]:
    """The segments of an 837P of so many claims."""
    return _interchange("HC", "005010X222A1", "837", _batches(claims, seed))


def _batches(claims: int, seed: int) -> Iterator[list[str]]:
    world = _World(seed)
    for begin in range(0, claims, MOST):
        body = [
            f"BHT*0019*00*B{begin:06d}*20260120*0830*CH", "NM1*41*2*BRIGHT MINDS BILLING*****46*123456789",
            "PER*IC*JANE DOE*TE*5125550100*EX*12*EM*BILLING@EXAMPLE.COM", "NM1*40*2*CLEARHOUSE*****46*CLH01",
            "HL*1**20*1", "PRV*BI*PXC*261QM0801X", "NM1*85*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*1234567893",
            "N3*100 MAIN ST*STE 200", "N4*AUSTIN*TX*787011234", "REF*EI*741234567", "NM1*87*2", "N3*PO BOX 9",
            "N4*AUSTIN*TX*787011234",
        ]  # fmt: skip
        level = 1
        for number in range(begin, min(begin + MOST, claims)):
            level = _claim(world, number, level, body)
        yield body


def _claim(world: _World, number: int, level: int, out: list[str]) -> int:  # noqa: C901 - a claim in the order of its segments
    """Add one claim with its levels; the number of the last of them."""
    random = world.random
    dependant, secondary, frequency = world.chance(0.2), world.chance(0.06), random.choice("1111111111117")
    payer, payer_id = random.choice(_PAYERS)
    level += 1
    out.append(f"HL*{level}*1*22*{int(dependant)}")
    group = f"GRP{random.randrange(400):04d}" if world.chance(0.8) else ""
    filing = random.choice(["CI", "BL", "HM", "MC", "CI"])
    out.append(f"SBR*{'S' if secondary else 'P'}*{'' if dependant else '18'}*{group}******{filing}")
    name = world.name()
    out.append(f"NM1*IL*1*{name}{'*' * (5 - name.count('*'))}MI*{world.member()}")
    if not dependant:
        out += [*world.address(), f"DMG*D8*{world.born()}*{random.choice('FMU')}"]
    out.append(f"NM1*PR*2*{payer}*****PI*{payer_id}")
    if dependant:
        level += 1
        out += [f"HL*{level}*{level - 1}*23*0", f"PAT*{random.choice(['01', '19', '19'])}", f"NM1*QC*1*{world.name()}"]
        out += [*world.address(), f"DMG*D8*{world.born()}*{random.choice('FM')}"]
    services = world.services()
    charge = sum(billed for _, _, billed in services)
    place = random.choice(["11", "11", "02", "10", "53"])
    out.append(f"CLM*PCN{number + 70000}-{random.randrange(1000)}*{money(charge)}***{place}:B:{frequency}*Y*A*Y*Y")
    if world.chance(0.3):
        out.append(f"AMT*F5*{money(random.choice([1500, 2000, 2500, 3000]))}")
    if world.chance(0.5):
        out.append(f"REF*G1*A{world.digits(9)}")
    if frequency == "7":
        out.append(f"REF*F8*{world.digits(13)}")
    if world.chance(0.4):
        out.append(f"REF*D9*{world.digits(14)}")
    if world.chance(0.3):
        out.append(f"REF*EA*MR{world.digits(6)}")
    codes = random.sample(_DIAGNOSES, k=random.choice([1, 1, 2, 2, 3, 4]))
    out.append("HI*" + "*".join(f"{'ABF' if at else 'ABK'}:{code}" for at, code in enumerate(codes)))
    if world.chance(0.15):
        last, first, identity = random.choice(world.clinicians)
        out.append(f"NM1*DN*1*{last}*{first}****XX*{identity}")
    last, first, identity = random.choice(world.clinicians)
    out += [f"NM1*82*1*{last}*{first}****XX*{identity}", f"PRV*PE*PXC*{random.choice(['101YM0800X', '1041C0700X'])}"]
    if secondary:
        name = world.name()
        out += ["SBR*P*18*******CI", f"AMT*D*{money(charge // 2)}", "OI***Y***Y"]
        out += [f"NM1*IL*1*{name}{'*' * (5 - name.count('*'))}MI*{world.member()}", "NM1*PR*2*OTHER PLAN*****PI*77777"]
    for at, (procedure, units, billed) in enumerate(services, 1):
        pointers = ":".join(str(place) for place in range(1, random.randrange(1, len(codes) + 1) + 1))
        out += [f"LX*{at}", f"SV1*{procedure}*{money(billed)}*UN*{units}***{pointers}"]
        out += [f"DTP*472*D8*{world.day()}", f"REF*6R*{number + 70000}L{at}"]
        if secondary:
            out += [f"SVD*77777*{money(billed // 2)}*{procedure}**{units}"]
            out += [f"CAS*PR*2*{money(billed - billed // 2)}", f"DTP*573*D8*202512{random.randrange(1, 29):02d}"]
    if secondary:
        paid = sum(billed // 2 for _, _, billed in services)
        out[out.index(f"AMT*D*{money(charge // 2)}", len(out) - 60 if len(out) > 60 else 0)] = f"AMT*D*{money(paid)}"
    return level


def variety(segments: Iterator[str]) -> float:
    """The share of a file's segments whose text is there only once."""
    counts = Counter(segments)
    return sum(count == 1 for count in counts.values()) / sum(counts.values())
