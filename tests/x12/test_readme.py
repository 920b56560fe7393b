"""What the library's README shows is what happens."""

import doctest
import io
import re
from pathlib import Path

import pytest

import libs.x12
from libs.x12 import cli
from tests.x12.changes import joined, put, segments
from tests.x12.samples import CLAIMS, REMITTANCE

README = Path(libs.x12.__file__).parent / "README.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "claims.edi").write_text(CLAIMS)
    (tmp_path / "era.835").write_text(REMITTANCE)
    (tmp_path / "broken.edi").write_bytes(joined(put("CLM*T100", 2, "300")(segments(CLAIMS))))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_its_examples_do_what_they_say(folder: Path) -> None:
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert tried > 15
    assert not failed


def test_its_commands_exist(folder: Path) -> None:
    text = README.read_text()
    commands = re.findall(r"^python -m libs\.x12 (\w+)", text, re.MULTILINE)
    assert set(commands) == {"check", "read", "ack", "show", "anonymize", "spec"}
    for command in commands:
        extra = {"ack": ["claims.edi", "--as", "999"], "spec": ["835"], "read": ["era.835", "--json"]}
        out = io.StringIO()
        assert cli.main([command, *extra.get(command, ["claims.edi"])], out) == cli.OK
        assert out.getvalue()
