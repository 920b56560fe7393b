"""Ids say what they name, sort by creation, and are the same again where two services must agree."""

from uuid import UUID

from libs.common.ids import derived_id, new_id, uuid7, uuid7_text


def test_ids_carry_their_type_and_never_repeat() -> None:
    made = {new_id("clm") for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(one.startswith("clm_") for one in made)


def test_a_uuid7_is_one_by_its_version_and_variant_bits() -> None:
    for one in (uuid7(), UUID(uuid7_text())):
        assert one.version == 7
        assert (one.int >> 62) & 0b11 == 0b10


def test_a_uuid_that_is_written_down_at_once_is_written_as_others_are() -> None:
    text = uuid7_text()
    assert text == str(UUID(text))


def test_two_services_derive_the_same_patient_and_never_that_of_another_tenant() -> None:
    assert derived_id("pat", "tnt_a", "prc_1", "MRN-1") == derived_id("pat", "tnt_a", "prc_1", "MRN-1")
    assert derived_id("pat", "tnt_a", "prc_1", "MRN-1") != derived_id("pat", "tnt_b", "prc_1", "MRN-1")
    assert derived_id("pat", "a", "bc") != derived_id("pat", "ab", "c")
