"""Kafka's address: what may stand in it, and that no secret has to."""

from pathlib import Path

import pytest

from libs.common.log import open_log
from libs.common.log.kafka import KafkaLog, client_options
from libs.common.settings import MissingSetting, RefusedSetting


def test_a_plain_address_needs_no_options() -> None:
    log = open_log("kafka://one:9092,two:9092")
    assert isinstance(log, KafkaLog)
    assert log.servers == "one:9092,two:9092"
    assert client_options("") == {"security_protocol": "PLAINTEXT"}


def test_a_password_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    options = client_options(f"security_protocol=SASL_SSL&username=claims&password_file={tmp_path / 'password'}")
    assert options["sasl_plain_password"] == "s3cret"
    assert options["sasl_plain_username"] == "claims"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["ssl_context"].check_hostname


def test_a_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARITY_KAFKA_PASSWORD", "s3cret")
    options = client_options("security_protocol=SASL_PLAINTEXT&username=claims&sasl_mechanism=PLAIN")
    assert (options["sasl_plain_password"], options["sasl_mechanism"]) == ("s3cret", "PLAIN")


def test_a_password_comes_from_the_file_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    monkeypatch.setenv("PARITY_KAFKA_PASSWORD_FILE", str(tmp_path / "password"))
    assert client_options("security_protocol=SASL_PLAINTEXT&username=claims")["sasl_plain_password"] == "s3cret"


def test_a_password_that_is_missing_or_cannot_be_read_is_said_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = "security_protocol=SASL_PLAINTEXT&username=claims"
    with pytest.raises(RefusedSetting, match=r"^password_file of PARITY_KAFKA names a file that cannot be read"):
        client_options(f"{asked}&password_file={tmp_path / 'none'}")
    monkeypatch.delenv("PARITY_KAFKA_PASSWORD", raising=False)
    with pytest.raises(MissingSetting, match=r"^PARITY_KAFKA_PASSWORD is not set"):
        client_options(asked)


def test_an_option_that_nobody_knows_is_refused_and_so_is_a_password_in_the_address() -> None:
    with pytest.raises(ValueError, match="does not know password"):
        client_options("security_protocol=SASL_SSL&username=claims&password=s3cret")


def test_the_address_says_how_long_a_worker_may_be_silent() -> None:
    assert KafkaLog("127.0.0.1:9092?session_seconds=3").session_seconds == 3
    assert KafkaLog("127.0.0.1:9092").session_seconds == 10
