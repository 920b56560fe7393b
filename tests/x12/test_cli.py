"""The command line keeps its shapes and exit codes."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from libs.x12 import cli
from tests.x12.changes import joined, put, segments
from tests.x12.samples import CLAIMS, REMITTANCE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {
        "good": CLAIMS.encode(),
        "bad": joined(put("CLM*T100", 2, "300")(segments(CLAIMS))),
        "remit": REMITTANCE.encode(),
        "text": b"hello",
        "partner": json.dumps(
            {"name": "strict", "severities": {"CLAIM_CHARGE": "warning", "SEGMENT_ORDER@REF": "ignore"}}
        ).encode(),
    }
    for name, data in found.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in found}


def run(*arguments: object) -> tuple[int, str]:
    out = io.StringIO()
    return cli.main([str(argument) for argument in arguments], out), out.getvalue()


def test_check_prints_one_object_per_file(files: dict[str, Path]) -> None:
    code, text = run("check", "--json", files["good"], files["bad"])
    good, bad = (json.loads(line) for line in text.splitlines())
    assert code == 1
    assert list(good)[:4] == ["file", "interchanges", "transactions", "findings"]
    assert good["transactions"] == [
        {"set": "837P", "guide": "005010X222A1", "control": "0001", "claims": 3, "ok": True}
    ]
    assert good["findings"] == []
    finding = bad["findings"][0]
    assert list(finding)[:10] == [
        "level",
        "code",
        "severity",
        "loop",
        "segment",
        "segment_index",
        "offset",
        "element",
        "value",
        "message",
    ]
    assert (finding["level"], finding["code"], finding["segment"], finding["element"], finding["value"]) == (
        3,
        "CLAIM_CHARGE",
        "CLM",
        2,
        "300",
    )
    raw = files["bad"].read_bytes()
    assert raw[finding["offset"] :].startswith(b"CLM*T100*300")
    assert raw.decode().split("~")[finding["segment_index"]].startswith("CLM*T100*300")


def test_exit_codes(files: dict[str, Path]) -> None:
    assert run("check", files["good"])[0] == 0
    assert run("check", files["bad"])[0] == 1
    assert run("check", files["text"])[0] == 2
    assert run("check", files["text"].with_name("nowhere"), "--json")[0] == 2
    assert run("read", files["text"])[0] == 2


def test_a_partner_weighs_findings(files: dict[str, Path]) -> None:
    code, text = run("check", "--json", "--partner", files["partner"], files["bad"])
    assert code == 0
    assert json.loads(text)["findings"][0]["severity"] == "warning"


def test_findings_beyond_the_limit_are_counted(files: dict[str, Path]) -> None:
    _, text = run("check", "--json", "--limit", "0", files["bad"])
    result = json.loads(text)
    assert (result["findings"], result["truncated"]) == ([], True)


def test_read_prints_a_remittance_with_its_balances(files: dict[str, Path]) -> None:
    code, text = run("read", "--json", files["remit"])
    (remittance,) = json.loads(text)["transactions"]
    assert code == 0
    assert remittance["payment"]["amount_cents"] == 13450
    assert (remittance["payment"]["method"], remittance["payment"]["trace_number"], remittance["payment"]["date"]) == (
        "ACH",
        "EFT0000001",
        "2026-01-20",
    )
    claim = remittance["claims"][2]
    assert (claim["id"], claim["charged_cents"], claim["paid_cents"], claim["payer_control_number"]) == (
        "PCN200",
        30500,
        15950,
        "ICN200",
    )
    assert claim["lines"][1]["remark_codes"] == ["N130"]
    assert [balance["ok"] for balance in remittance["balances"].values()] == [True, True, True]
    assert remittance["provider_adjustments"][0]["code"] == "WO"


def test_read_prints_claims(files: dict[str, Path]) -> None:
    (transaction,) = json.loads(run("read", "--json", files["good"])[1])["transactions"]
    assert [claim["pcn"] for claim in transaction["claims"]] == ["T100", "T200", "T300"]
    assert transaction["submitter"]["name"] == "BRIGHT MINDS BILLING"


def test_ack_show_spec_and_anonymize(files: dict[str, Path]) -> None:
    assert "IK5*A~" in run("ack", files["good"], "--as", "999")[1]
    assert "TA1*000000001" in run("ack", files["good"], "--as", "TA1")[1]
    shown = run("show", files["remit"])[1]
    assert "2100 One claim as the payer decided it" in shown
    assert "contractual: above the contract rate 50" in shown
    assert "Loop 2010AA" in run("spec", "837P")[1]
    changed = run("anonymize", files["good"])[1]
    assert "DOE" not in changed
    assert "19800101" not in changed
    (files["good"].parent / "changed").write_text(changed)
    assert run("check", files["good"].parent / "changed")[0] == 0


def test_it_runs_as_a_module(files: dict[str, Path]) -> None:
    command = [sys.executable, "-m", "libs.x12", "check", str(files["bad"])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "CLAIM_CHARGE at CLM02" in done.stdout


@pytest.mark.parametrize("text", ['{"severities": 5', '{"severities": 5}', '{"severities": {"NPI": "loud"}}', "[]"])
def test_a_partner_file_that_cannot_be_used_is_named(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    partner, file = tmp_path / "partner.json", tmp_path / "a.edi"
    partner.write_text(text)
    file.write_text(CLAIMS)
    assert cli.main(["check", str(file), "--partner", str(partner)]) == cli.UNREADABLE
    assert str(partner) in capsys.readouterr().err
