"""The table of events and the services agree on who tells and who hears what."""

import importlib

import pytest

from libs.common.composition import Service
from libs.common.events import CATALOG, CONSUMERS, TaskChanged

SERVICES = ("credentialing", "eligibility", "claims", "remittance", "reporting")


def service(name: str) -> Service:
    built = importlib.import_module(f"services.{name}.app").create_service()
    assert isinstance(built, Service)
    return built


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_consumes_what_the_table_says(name: str) -> None:
    said = set(CATALOG) if name == "reporting" else {e.topic for e, by in CONSUMERS.items() if name in by}
    assert set(service(name).consumes) == said


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_produces_what_the_table_says(name: str) -> None:
    assert set(service(name).produces) == {e for e in CONSUMERS if e.producer == name} | {TaskChanged}
