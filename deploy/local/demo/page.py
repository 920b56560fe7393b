"""The page that a practice owner reads at the end of the month."""

from datetime import date
from typing import Any

from rich.align import Align
from rich.console import Console, Group
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from deploy.local.demo.figures import Figures, unaccounted_cents
from deploy.local.demo.people import People
from deploy.local.platform import Platform

_BUCKETS = (
    ("payer_paid_cents", "paid by payers"),
    ("patient_paid_cents", "paid by patients"),
    ("contractual_cents", "contractual: above what the plans allow"),
    ("written_off_cents", "written off, by somebody's decision"),
    ("withheld_cents", "withheld by plans"),
    ("patient_cents", "owed by patients"),
    ("denied_open_cents", "denied and not yet decided"),
    ("in_flight_cents", "in flight: sent, or waiting for the payer"),
)
_STATUS = {
    "paid": "paid",
    "partially_paid": "paid in part",
    "patient_due": "the patient's share is left",
    "denied": "denied, being worked on",
    "appealed": "appealed",
    "correcting": "being corrected",
    "accepted": "accepted by the payer, in adjudication",
    "submitted": "sent, not acknowledged yet",
    "rejected": "rejected before adjudication",
    "ready": "ready for the next batch",
    "waiting": "waiting for somebody outside",
    "held": "held for a person",
    "in_doubt": "in doubt",
    "draft": "just come in",
    "closed": "closed",
    "void": "void",
}
_RATIOS = {
    "clean_claim_rate": "clean claims: touched by no person before they were sent",
    "first_pass_payment_rate": "paid at the first decision",
    "denial_rate": "denied at the first decision",
    "net_collection_rate": "collected of what may be collected so far",
    "days_in_ar": "days in accounts receivable",
}


def dollars(cents: int) -> str:
    """Dollars and cents as owners read them."""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def show(console: Console, figures: Figures, people: People, platform: Platform, close: date) -> None:
    """The month on one screen, or nearly."""
    kept = figures.kept
    title = f"{people.practice.name}: October 2026, as of {close:%B %-d}"
    console.print()
    console.print(Rule(Text(title, style="bold")))
    console.print(_money(kept))
    console.print(_claims(kept, figures.kpis))
    console.print(_people(figures.tasks))
    console.print(_trouble(people))
    console.print(_addresses(platform, kept))


def _money(kept: dict[str, Any]) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    table.add_column()
    table.add_row(Text(dollars(kept["billed_cents"]), style="bold"), Text("billed to payers", style="bold"))
    if kept["credits_cents"]:
        table.add_row(dollars(kept["credits_cents"]), "overpaid, to be given back")
    table.add_row("", "")
    for name, words in _BUCKETS:
        style = "dim" if kept[name] == 0 else ""
        table.add_row(Text(dollars(kept[name]), style=style), Text(words, style=style))
    off = unaccounted_cents(kept)
    sum_ = "every dollar accounted for" if off == 0 else f"{dollars(off)} NOT ACCOUNTED FOR"
    table.add_row("", "")
    total = dollars(kept["billed_cents"] + kept["credits_cents"])
    table.add_row(Text(total, style="bold"), Text(sum_, style="bold green" if off == 0 else "bold red"))
    table.add_row("", "")
    table.add_row(dollars(kept["cash_cents"]), "of it in the bank")
    table.add_row(dollars(kept["unbilled_cents"]), "more, of sessions not billed yet")
    return Panel(table, title="The money", title_align="left", border_style="green")


def _claims(kept: dict[str, Any], kpis: dict[str, Any]) -> Panel:
    claims = Table.grid(padding=(0, 2))
    claims.add_column(justify="right")
    claims.add_column()
    claims.add_row(Text(str(kept["claims"]), style="bold"), Text(f"claims of {kept['encounters']} sessions", "bold"))
    for status, count in sorted(kept["claims_by_status"].items(), key=lambda item: -item[1]):
        claims.add_row(str(count), _STATUS.get(status, status))
    ratios = Table.grid(padding=(0, 2))
    ratios.add_column(justify="right")
    ratios.add_column()
    for ratio in kpis["ratios"]:
        value = ratio["value"]
        shown = "-" if value is None else f"{value:.0f}" if ratio["unit"] == "days" else f"{value:.1%}"
        ratios.add_row(Text(shown, style="bold"), _RATIOS.get(ratio["name"], ratio["name"]))
    ratios.add_row("", "")
    for denial in kpis["denials"][:6]:
        reason = f"{denial['group_code']}{denial['reason_code']}"
        ratios.add_row(dollars(denial["denied_cents"]), f"denied by {denial['payer_id'][4:]} for {reason}")
    both = Table.grid(padding=(0, 4))
    both.add_row(claims, ratios)
    return Panel(both, title="The claims", title_align="left", border_style="cyan")


def _people(tasks: list[dict[str, Any]]) -> Panel:
    """What needs a person, by reason."""
    if not tasks:
        return Panel("Nothing needs a person.", title="For people", title_align="left", border_style="yellow")
    reasons: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for task in tasks:
        reasons.setdefault((task["owner"], task["reason"]), []).append(task)
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("tasks", justify="right")
    table.add_column("who")
    table.add_column("what")
    table.add_column("amount", justify="right")
    table.add_column("first due")
    for (owner, reason), found in sorted(reasons.items(), key=lambda item: -len(item[1])):
        amount = sum(task["amount_cents"] or 0 for task in found)
        due = min((task["due_on"] for task in found if task["due_on"]), default="")
        words = reason.replace("_", " ")
        table.add_row(str(len(found)), owner.replace("_", " "), words, dollars(amount) if amount else "", due)
    return Panel(table, title="For people", title_align="left", border_style="yellow")


def _trouble(people: People) -> Panel:
    lines = [Text(f"· {words}") for words in dict.fromkeys(people.done)]
    return Panel(Group(*lines), title="What happened on the way", title_align="left", border_style="magenta")


def _addresses(platform: Platform, kept: dict[str, Any]) -> Panel:
    table = Table.grid(padding=(0, 2))
    urls = platform.urls
    table.add_row("APIs and their documents", "  ".join(f"{name} {url}/docs" for name, url in sorted(urls.items())[:3]))
    table.add_row("", "  ".join(f"{name} {url}/docs" for name, url in sorted(urls.items())[3:]))
    table.add_row("key figures", f'curl -H "Authorization: Bearer $(make token)" {urls["reporting"]}/v1/kpis')
    table.add_row("open work", f'curl -H "Authorization: Bearer $(make token)" {urls["reporting"]}/v1/worklist')
    table.add_row("these figures", f".parity/demo.json ({kept['seconds']:.0f} s for the month)")
    table.add_row("to stop", "make down")
    return Panel(Align.left(table), title="To look at", title_align="left")
