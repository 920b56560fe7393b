"""Valid files, written by hand, that the tests read, change and break."""

from collections.abc import Callable

ISA = "ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*{receiver:<15}*260120*0830*^*00501*000000001*0*T*:"


def interchange(group: str, guide: str, st: str, body: str, *, st03: bool = True) -> str:
    """An interchange around the lines of one transaction."""
    lines = [line.strip() for line in body.strip().splitlines()]
    head = f"ST*{st}*0001" + (f"*{guide}" if st03 else "")
    segments = [
        ISA.format(sender="SENDER", receiver="RECEIVER"),
        f"GS*{group}*SENDER*RECEIVER*20260120*0830*1*X*{guide}",
        head,
        *lines,
        f"SE*{len(lines) + 2}*0001",
        "GE*1*1",
        "IEA*1*000000001",
    ]
    return "".join(segment + "~" for segment in segments)


CLAIMS = interchange(
    "HC",
    "005010X222A1",
    "837",
    """
    BHT*0019*00*B000001*20260120*0830*CH
    NM1*41*2*BRIGHT MINDS BILLING*****46*123456789
    PER*IC*JANE DOE*TE*5125550100*EX*12*EM*BILLING@EXAMPLE.COM
    NM1*40*2*CLEARHOUSE*****46*CLH01
    HL*1**20*1
    PRV*BI*PXC*261QM0801X
    NM1*85*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*1234567893
    N3*100 MAIN ST*STE 200
    N4*AUSTIN*TX*787011234
    REF*EI*741234567
    NM1*87*2
    N3*PO BOX 9
    N4*AUSTIN*TX*787011234
    HL*2*1*22*0
    SBR*P*18*GRP001******CI
    NM1*IL*1*DOE*PAT*A***MI*W000000001
    N3*12 OAK AVE
    N4*AUSTIN*TX*78704
    DMG*D8*19800101*F
    NM1*PR*2*ACME BEHAVIORAL PLAN*****PI*60054
    CLM*T100*305***11:B:1*Y*A*Y*Y
    REF*9F*REF77
    REF*G1*AUTH0001
    REF*EA*MR55
    NTE*ADD*PROGRESS ON FILE
    HI*ABK:F411*ABF:F4310
    NM1*DN*1*REED*KIM****XX*1962503417
    NM1*82*1*SMITH*ALEX****XX*1555667785
    PRV*PE*PXC*101YM0800X
    NM1*77*2*NORTH CLINIC*****XX*1234567893
    N3*7 NORTH RD
    N4*AUSTIN*TX*787015678
    NM1*DQ*1*STONE*LEE****XX*1962503417
    LX*1
    SV1*HC:90837:95*175*UN*1***1:2
    DTP*472*D8*20260105
    REF*6R*T100L1
    LX*2
    SV1*HC:90834*130*UN*1***1
    DTP*472*D8*20260112
    REF*6R*T100L2
    HL*3*1*22*1
    SBR*P**GRP002******CI
    NM1*IL*1*ROE*SAM****MI*W000000002
    NM1*PR*2*ACME BEHAVIORAL PLAN*****PI*60054
    HL*4*3*23*0
    PAT*19
    NM1*QC*1*ROE*KIDD
    N3*4 ELM ST
    N4*AUSTIN*TX*78704
    DMG*D8*20150303*M
    CLM*T200*240***12:B:7*Y*A*Y*Y
    REF*F8*ICN900
    HI*ABK:F840
    LX*1
    SV1*HC:97153*240*UN*8***1
    DTP*472*D8*20260106
    REF*6R*T200L1
    HL*5*1*22*0
    SBR*S*18*GRP003******CI
    NM1*IL*1*POE*KAY****MI*X000000001
    N3*1 FIR ST
    N4*AUSTIN*TX*78704
    DMG*D8*19750505*F
    NM1*PR*2*SECOND HEALTH PLAN*****PI*77777
    CLM*T300*305***11:B:1*Y*A*Y*Y
    HI*ABK:F411
    SBR*P*18*GRP001******CI
    AMT*D*160
    OI***Y***Y
    NM1*IL*1*POE*KAY****MI*W000000001
    N3*1 FIR ST
    N4*AUSTIN*TX*78704
    NM1*PR*2*ACME BEHAVIORAL PLAN*****PI*60054
    REF*F8*ICN700
    LX*1
    SV1*HC:90837*175*UN*1***1
    DTP*472*D8*20260105
    SVD*60054*100*HC:90837**1
    CAS*CO*45*50
    CAS*PR*1*25
    DTP*573*D8*20260115
    LX*2
    SV1*HC:90834*130*UN*1***1
    DTP*472*D8*20260106
    SVD*60054*60*HC:90834**1
    CAS*CO*45*50
    CAS*PR*3*20
    DTP*573*D8*20260115
    """,
)

REMITTANCE = interchange(
    "HP",
    "005010X221A1",
    "835",
    """
    BPR*I*134.5*C*ACH*CCP*01*111000025*DA*123456*1741234567**01*111000614*DA*998877*20260120
    TRN*1*EFT0000001*1741234567
    DTM*405*20260119
    N1*PR*ACME BEHAVIORAL PLAN*XV*60054
    N3*PO BOX 1
    N4*DALLAS*TX*75201
    REF*2U*60054
    PER*CX*PROVIDER SERVICES*TE*8005550100
    PER*BL*EDI SUPPORT*TE*8005550101*EM*EDI@EXAMPLE.COM
    N1*PE*BRIGHT MINDS BEHAVIORAL HEALTH*XX*1234567893
    N3*100 MAIN ST
    N4*AUSTIN*TX*787011234
    REF*TJ*741234567
    LX*1
    CLP*PCN100*22*-175*-97.5*-25*12*ICN100*11*1
    NM1*QC*1*DOE*PAT****MI*W000000001
    NM1*82*1*SMITH*ALEX****XX*1555667785
    REF*F8*ICN100
    DTM*232*20260105
    SVC*HC:90837*-175*-97.5**-1
    DTM*472*20260105
    CAS*CO*45*-52.5
    CAS*PR*3*-25
    REF*6R*100L1
    CLP*PCN100*1*175*82.5*40*12*ICN101*11*7
    NM1*QC*1*DOE*PAT****MI*W000000001
    DTM*232*20260105
    DTM*233*20260105
    SVC*HC:90837:95*175*82.5**1
    DTM*472*20260105
    CAS*CO*45*52.5
    CAS*PR*3*40
    REF*6R*100L1
    AMT*B6*122.5
    CLP*PCN200*1*305*159.5*20*12*ICN200*11*1
    CAS*CO*253*3.5
    NM1*QC*1*ROE*SAM****MI*W000000002
    MOA***MA01
    DTM*232*20260105
    DTM*233*20260112
    SVC*HC:90837*175*103**1
    DTM*472*20260105
    CAS*CO*45*52*1*97*20
    REF*6R*200L1
    SVC*HC:90834*130*60**1
    DTM*472*20260112
    CAS*CO*45*50
    CAS*PR*3*20
    REF*6R*200L2
    LQ*HE*N130
    CLP*PCN300*4*320*0**12*ICN300*11*1
    CAS*CO*197*320
    NM1*QC*1*POE*KAY****MI*W000000003
    PLB*1234567893*20261231*WO:ICN050*15*L6*-5
    """,
    st03=False,
)

INQUIRY = interchange(
    "HS",
    "005010X279A1",
    "270",
    """
    BHT*0022*13*REQ0001*20260120*0830
    HL*1**20*1
    NM1*PR*2*ACME BEHAVIORAL PLAN*****PI*60054
    HL*2*1*21*1
    NM1*1P*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*1234567893
    HL*3*2*22*0
    TRN*1*REQ0001*9BRIGHTMND
    NM1*IL*1*DOE*PAT****MI*W000000001
    DMG*D8*19800101*F
    DTP*291*D8*20260120
    EQ*30^MH^CF
    """,
)

BENEFITS = interchange(
    "HB",
    "005010X279A1",
    "271",
    """
    BHT*0022*11*REQ0001*20260120*0831
    HL*1**20*1
    NM1*PR*2*ACME BEHAVIORAL PLAN*****PI*60054
    HL*2*1*21*1
    NM1*1P*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*1234567893
    HL*3*2*22*0
    TRN*2*REQ0001*9BRIGHTMND
    NM1*IL*1*DOE*PAT****MI*W000000001
    DMG*D8*19800101*F
    DTP*346*D8*20260101
    EB*1*IND*30^MH*HM*ACME CHOICE HMO
    EB*C*IND*30***23*1500*****Y
    EB*A*IND*MH*****.2***Y*Y
    EB*F*IND*MH***22***VS*30*Y*Y
    HSD*VS*30***22
    MSG*FIRST THREE VISITS FREE
    EB*U*IND*AI
    LS*2120
    NM1*Y2*2*MINDCARE BEHAVIORAL*****PI*99887
    PER*IC**TE*8005550199
    LE*2120
    """,
)

STATUS_INQUIRY = interchange(
    "HR",
    "005010X212",
    "276",
    """
    BHT*0010*13*Q1*20260120*0830
    HL*1**20*1
    NM1*PR*2*ACME BEHAVIORAL PLAN*****PI*60054
    HL*2*1*21*1
    NM1*41*2*BRIGHT MINDS*****46*123456789
    HL*3*2*19*1
    NM1*1P*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*1234567893
    HL*4*3*22*0
    DMG*D8*19800101*F
    NM1*IL*1*DOE*PAT****MI*W000000001
    TRN*1*PCN100
    REF*1K*ICN100
    AMT*T3*175
    DTP*472*D8*20260105
    """,
)

STATUS = interchange(
    "HN",
    "005010X212",
    "277",
    """
    BHT*0010*08*Q1*20260120*0830*DG
    HL*1**20*1
    NM1*PR*2*ACME BEHAVIORAL PLAN*****PI*60054
    HL*2*1*21*1
    NM1*41*2*BRIGHT MINDS*****46*123456789
    HL*3*2*19*1
    NM1*1P*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*1234567893
    HL*4*3*22*0
    NM1*IL*1*DOE*PAT****MI*W000000001
    TRN*2*PCN100
    STC*F1:65*20260118**175*97.5*20260120*ACH*20260120*EFT1
    REF*1K*ICN100
    DTP*472*D8*20260105
    """,
)

ACKNOWLEDGED = interchange(
    "HN",
    "005010X214",
    "277",
    """
    BHT*0085*08*CA1*20260116*0830*TH
    HL*1**20*1
    NM1*PR*2*ACME BEHAVIORAL PLAN*****PI*60054
    TRN*1*CA0001
    DTP*050*D8*20260115
    DTP*009*D8*20260116
    HL*2*1*21*1
    NM1*41*2*BRIGHT MINDS BILLING*****46*123456789
    TRN*2*B000001
    STC*A1:19:PR*20260116*WQ*305
    QTY*90*1
    QTY*AA*1
    AMT*YU*175
    AMT*YY*130
    HL*3*2*19*1
    NM1*85*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*1234567893
    TRN*1*0
    STC*A1:19:PR**WQ*305
    HL*4*3*PT
    NM1*QC*1*DOE*PAT****MI*W000000001
    TRN*2*PCN100
    STC*A2:20:PR*20260116*WQ*175
    REF*1K*ICN100
    DTP*472*D8*20260105
    HL*5*3*PT
    NM1*QC*1*ROE*SAM****MI*W000000002
    TRN*2*PCN200
    STC*A7:562:85*20260116*U*130
    DTP*472*D8*20260105
    """,
)

REVIEW = interchange(
    "HI",
    "005010X217",
    "278",
    """
    BHT*0007*13*AUTHREQ1*20260120*0830
    HL*1**20*1
    NM1*X3*2*ACME BEHAVIORAL PLAN*****PI*60054
    HL*2*1*21*1
    NM1*1P*2*BRIGHT MINDS BEHAVIORAL HEALTH*****XX*1234567893
    HL*3*2*22*1
    NM1*IL*1*DOE*PAT****MI*W000000001
    DMG*D8*19800101*F
    HL*4*3*EV*1
    TRN*1*AUTHREQ1*9BRIGHTMND
    UM*HS*I*MH*11:B
    DTP*AAH*RD8*20260201-20260501
    HI*ABK:F332
    HSD*VS*12*WK*1
    HL*5*4*SS*0
    SV1*HC:90837*175*UN*12
    """,
)

VERDICT = interchange(
    "FA",
    "005010X231A1",
    "999",
    """
    AK1*HC*1*005010X222A1
    AK2*837*0001*005010X222A1
    IK3*CLM*22**8
    CTX*CLM01:T100
    IK4*2*782*1
    IK5*R*5
    AK9*R*1*1*0
    """,
)

#: One valid file for each set.
VALID = {
    "837P": CLAIMS, "835": REMITTANCE, "270": INQUIRY, "271": BENEFITS, "276": STATUS_INQUIRY, "277": STATUS,
    "277CA": ACKNOWLEDGED, "278": REVIEW, "999": VERDICT,
}  # fmt: skip

Change = Callable[[list[str]], list[str]]


def segments(text: str) -> list[str]:
    """The segments of a file."""
    return text.split("~")[:-1]


def joined(parts: list[str]) -> bytes:
    """The file of these segments."""
    return "".join(part + "~" for part in parts).encode("latin-1")


def recounted(parts: list[str]) -> list[str]:
    """The same with SE01 as it must be after segments were added or removed."""
    start = next(i for i, part in enumerate(parts) if part.startswith("ST*"))
    end = next((i for i, part in enumerate(parts) if part.startswith("SE*")), None)
    if end is None:
        return parts
    tail = parts[end].split("*")
    tail[1] = str(end - start + 1)
    return [*parts[:end], "*".join(tail), *parts[end + 1 :]]


def nth(parts: list[str], head: str, turn: int = 1) -> int:
    """Index of the n-th segment that begins so."""
    found = [i for i, part in enumerate(parts) if part == head or part.startswith(head)]
    return found[turn - 1]


def put(head: str, element: int, value: str, turn: int = 1) -> Change:
    """Set one element of the n-th such segment."""

    def change(parts: list[str]) -> list[str]:
        at = nth(parts, head, turn)
        e = parts[at].split("*")
        e += [""] * (element + 1 - len(e))
        e[element] = value
        return [*parts[:at], "*".join(e).rstrip("*") if not value else "*".join(e), *parts[at + 1 :]]

    return change


def drop(head: str, turn: int = 1, count: int = 1) -> Change:
    """Remove the n-th such segment, and those after it up to `count`."""

    def change(parts: list[str]) -> list[str]:
        at = nth(parts, head, turn)
        return recounted(parts[:at] + parts[at + count :])

    return change


def add(after: str, *new: str, turn: int = 1) -> Change:
    """Insert segments after the n-th such one."""

    def change(parts: list[str]) -> list[str]:
        at = nth(parts, after, turn) + 1
        return recounted([*parts[:at], *new, *parts[at:]])

    return change


def swap(head: str, turn: int = 1) -> Change:
    """Exchange the n-th such segment with the one after it."""

    def change(parts: list[str]) -> list[str]:
        at = nth(parts, head, turn)
        return [*parts[:at], parts[at + 1], parts[at], *parts[at + 2 :]]

    return change


def both(*changes: Change) -> Change:
    """One change after another."""

    def change(parts: list[str]) -> list[str]:
        for one in changes:
            parts = one(parts)
        return parts

    return change
