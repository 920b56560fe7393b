"""Kafka's address: what may stand in it, and that no secret has to."""

from pathlib import Path

import pytest

from libs.common.log import open_log
from libs.common.log.kafka import KafkaLog, client_options


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


def test_an_option_that_nobody_knows_is_refused_and_so_is_a_password_in_the_address() -> None:
    with pytest.raises(ValueError, match="does not know password"):
        client_options("security_protocol=SASL_SSL&username=claims&password=s3cret")
