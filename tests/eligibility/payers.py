"""Payers behind a clearinghouse: they read our 270 by its segments and answer with 271s written by hand."""

import re
from dataclasses import dataclass, field

import httpx

ACTIVE = "EB*1*IND*30^MH*PR*EXAMPLE PLAN"
COPAY = "EB*B*IND*MH***27*25****N*Y"
CARVED_OUT = (
    "EB*1*IND*30*PR*MERIDIAN PPO",
    "EB*U*IND*MH^CF",
    "LS*2120",
    "NM1*PR*2*HARBOR BEHAVIORAL*****PI*HRBBH",
    "PER*IC**TE*8005550121",
    "LE*2120",
)


@dataclass(slots=True)
class Payers:
    """What each payer says of mental health benefits (segments after the dates), or an AAA reason."""

    says: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refuses: dict[str, list[str]] = field(default_factory=dict)
    """AAA03 by payer, one for each question; after the last one it answers."""
    asked: list[bytes] = field(default_factory=list)
    down: int = 0
    """How many questions the clearinghouse does not answer at all."""
    raw: bytes | None = None
    """Answered in place of a 271."""

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    @property
    def asked_payers(self) -> list[str]:
        """The payers that were asked, in order."""
        return [found[1].decode() for x in self.asked if (found := re.search(rb"NM1\*PR\*2\*[^~]*\*PI\*(\w+)~", x))]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            self.down -= 1
            raise httpx.ConnectError("the clearinghouse is away")
        self.asked.append(request.content)
        return httpx.Response(200, content=self.raw or self._two_seven_one(request.content.decode()))

    def _two_seven_one(self, question: str) -> bytes:
        segments = [text.split("*") for text in question.replace("\n", "").split("~") if text]
        by_id = {parts[0]: parts for parts in reversed(segments)}
        names = {parts[1]: parts for parts in segments if parts[0] == "NM1"}
        payer, trace, day = names["PR"][9], by_id["TRN"][2], by_id["DTP"][3][:8]
        body = [
            "ST*271*0001*005010X279A1",
            f"BHT*0022*11*{by_id['BHT'][3]}*20261005*1200",
            "HL*1**20*1",
            "*".join(names["PR"]),
            "HL*2*1*21*1",
            "*".join(names["1P"]),
            "HL*3*2*22*0",
            f"TRN*2*{trace}*{by_id['TRN'][3]}",
            "*".join(names["IL"]),
        ]
        if self.refuses.get(payer):
            body.append(f"AAA*N**{self.refuses[payer].pop(0)}*C")
        else:
            body += [f"DTP*291*D8*{day}", "DTP*346*D8*20260101", *self.says.get(payer, (ACTIVE, COPAY))]
        body.append(f"SE*{len(body) + 1}*0001")
        isa = (
            "ISA*00*          *00*          *ZZ*SANDBOXCH      *ZZ*PARITY01       *261005*1200*^*00501*000000001*0*T*:"
        )
        return "~".join(
            [isa, "GS*HB*SANDBOXCH*PARITY01*20261005*1200*1*X*005010X279A1", *body, "GE*1*1", "IEA*1*000000001", ""]
        ).encode()
