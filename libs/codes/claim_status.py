"""Claim status codes of 277CA and 277: what a category decides, what a status names, and whose work it is."""

from functools import cache

from libs.codes.dated import load


@cache
def _verdicts() -> dict[str, str]:
    return {row["code"]: row["verdict"] for row in load("claim_status.yaml")["categories"]}


@cache
def _meanings(part: str) -> dict[str, str]:
    return {row["code"]: row["meaning"] for row in load("claim_status.yaml")[part]}


@cache
def _owners() -> dict[str, str]:
    return {row["code"]: row["owner"] for row in load("claim_status.yaml")["codes"]}


def verdict(category: str) -> str:
    """accepted, received, rejected, pending, final, request or error; `unknown` for a category that we do not know."""
    return _verdicts().get(category, "unknown")


def describe(category: str, code: str, entity: str = "") -> str:
    """A status in words: `rejected for invalid information: member number of the entity (subscriber)`."""
    said = _meanings("categories").get(category, f"category {category}")
    what = _meanings("codes").get(code, f"status {code}")
    who = _meanings("entities").get(entity, f"entity {entity}" if entity else "")
    return f"{said}: {what} ({who})" if who else f"{said}: {what}"


def owner(code: str) -> str:
    """Who can put right what the status names: front_desk, credentialing or billing."""
    found = _owners().get(code, "billing")
    return "billing" if found == "payer" else found
