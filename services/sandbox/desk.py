"""What lies on the adjudicator's desk for one run: read at once, kept up to date claim by claim."""

from dataclasses import dataclass, replace

from libs.common.db import Transaction
from services.sandbox import enrolment, store
from services.sandbox.accumulators import Effect, Member
from services.sandbox.decisions import Authorization, Rostered
from services.sandbox.plans import Payer
from services.sandbox.store import FiledClaim


@dataclass(slots=True)
class Desk:
    """Members with their families, standing effects, rosters, authorizations, and the claims that are replaced."""

    members: dict[str, Member]
    effects: dict[str, list[Effect]]
    rosters: tuple[Rostered, ...]
    authorizations: dict[str, list[Authorization]]
    claims: dict[str, FiledClaim]

    def member(self, member_id: str) -> Member:
        return self.members[member_id]

    def effects_of_family(self, member_id: str) -> tuple[Effect, ...]:
        """What stands for the member and for the family of the member."""
        family = self.members[member_id].family_id
        ids = {member.member_id for member in self.members.values() if member.family_id == family}
        return tuple(effect for moved in self.effects.values() for effect in moved if effect.member_id in ids)

    def roster_of(self, billing_npi: str) -> tuple[Rostered, ...]:
        return tuple(row for row in self.rosters if row.billing_npi == billing_npi)

    def authorizations_of(self, member_id: str) -> tuple[Authorization, ...]:
        return tuple(self.authorizations.get(member_id, ()))

    def filed(self, icn: str) -> FiledClaim:
        return self.claims[icn]

    def decided(self, one: FiledClaim) -> None:
        """The next claim sees what this one has used."""
        assert one.decision is not None
        self.claims[one.icn] = one
        moved = [decided.effect for decided in one.decision.lines if decided.effect]
        if moved:
            self.effects[one.icn] = moved

    def reversed(self, icn: str) -> None:
        """What the claim had used is free again."""
        self.claims[icn] = replace(self.claims[icn], status="reversed")
        self.effects.pop(icn, None)


async def open_desk(tx: Transaction, payer: Payer, waiting: list[FiledClaim]) -> Desk:
    """All that the claims of one run can ask about."""
    ids = {one.member_id for one in waiting}
    members = await enrolment.members(tx, payer.payer_id, ids)
    originals = [one.replaced_icn for one in waiting if one.replaced_icn]
    return Desk(
        members=members,
        effects=await store.effects(tx, payer.payer_id, members),
        rosters=await enrolment.rosters(tx, payer.payer_id),
        authorizations=await enrolment.authorizations(tx, payer.payer_id, members),
        claims=await store.claims_by_icn(tx, originals),
    )
