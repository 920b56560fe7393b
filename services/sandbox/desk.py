"""What lies on the adjudicator's desk for one run: read at once, kept up to date claim by claim."""

from collections import defaultdict
from dataclasses import dataclass, field, replace

from libs.common.db import Transaction
from services.sandbox import enrolment, store
from services.sandbox.accumulators import Effect, Member
from services.sandbox.decisions import Authorization, Rostered
from services.sandbox.plans import Payer
from services.sandbox.store import FiledClaim


@dataclass(slots=True)
class Desk:
    """Members with their families, rosters, authorizations, replaced claims, and what stands of each family."""

    members: dict[str, Member]
    rosters: dict[str, tuple[Rostered, ...]] = field(default_factory=dict)
    authorizations: dict[str, list[Authorization]] = field(default_factory=dict)
    claims: dict[str, FiledClaim] = field(default_factory=dict)
    _effects: defaultdict[str, dict[str, list[Effect]]] = field(default_factory=lambda: defaultdict(dict))
    """By family, then by claim number."""

    def member(self, member_id: str) -> Member:
        return self.members[member_id]

    def stands(self, icn: str, moved: list[Effect]) -> None:
        """These effects of a claim count."""
        for effect in moved:
            self._effects[self.members[effect.member_id].family_id].setdefault(icn, []).append(effect)

    def effects_of_family(self, member_id: str) -> tuple[Effect, ...]:
        """What stands for the member and for the family of the member."""
        of_family = self._effects[self.members[member_id].family_id]
        return tuple(effect for moved in of_family.values() for effect in moved)

    def roster_of(self, billing_npi: str) -> tuple[Rostered, ...]:
        return self.rosters.get(billing_npi, ())

    def authorizations_of(self, member_id: str) -> tuple[Authorization, ...]:
        return tuple(self.authorizations.get(member_id, ()))

    def filed(self, icn: str) -> FiledClaim:
        return self.claims[icn]

    def decided(self, one: FiledClaim) -> None:
        """The next claim sees what this one has used."""
        assert one.decision is not None
        self.claims[one.icn] = one
        self.stands(one.icn, [decided.effect for decided in one.decision.lines if decided.effect])

    def reversed(self, icn: str) -> None:
        """What the claim had used is free again."""
        one = self.claims[icn]
        self.claims[icn] = replace(one, status="reversed")
        self._effects[self.members[one.member_id].family_id].pop(icn, None)


async def open_desk(tx: Transaction, payer: Payer, waiting: list[FiledClaim]) -> Desk:
    """All that the claims of one run can ask about."""
    members = await enrolment.members(tx, payer.payer_id, {one.member_id for one in waiting})
    by_billing: defaultdict[str, list[Rostered]] = defaultdict(list)
    for row in await enrolment.rosters(tx, payer.payer_id):
        by_billing[row.billing_npi].append(row)
    desk = Desk(
        members=members,
        rosters={npi: tuple(rows) for npi, rows in by_billing.items()},
        authorizations=await enrolment.authorizations(tx, payer.payer_id, members),
        claims=await store.claims_by_icn(tx, [one.replaced_icn for one in waiting if one.replaced_icn]),
    )
    for icn, moved in (await store.effects(tx, payer.payer_id, members)).items():
        desk.stands(icn, moved)
    return desk
