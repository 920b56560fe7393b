"""Every route of every service that shows a patient's data leaves a line in the trail, or is listed with its reason."""

import importlib

import pytest

from libs.common.http import _kernel_routers
from libs.common.routing import DoorRoute

SERVICES = ("claims", "eligibility", "remittance", "credentialing", "reporting")
OURS = "what the tenant is or has set up itself"
WORK = "reasons, owners, dates and ids; whom it is about is seen behind the id, and that is a view"
SUMS = "sums and counts over many patients"
NO_PATIENT = {
    "/v1/charges": OURS,
    "/v1/rules": OURS,
    "/v1/clearinghouse-account": OURS,
    "/v1/adjustment-readings": OURS,
    "/v1/webhook-sources": OURS,
    "/v1/webhook-sources/{source_id}": OURS,
    "/v1/practices": OURS,
    "/v1/practices/{practice_id}": OURS,
    "/v1/locations": OURS,
    "/v1/locations/{location_id}": OURS,
    "/v1/providers": "clinicians, not patients",
    "/v1/providers/{provider_id}": "clinicians, not patients",
    "/v1/enrollments": "clinicians, not patients",
    "/v1/enrollments/{enrollment_id}": "clinicians, not patients",
    "/v1/billability": "clinicians, not patients",
    "/v1/webhook-endpoints": OURS,
    "/v1/webhook-endpoints/{endpoint_id}": OURS,
    "/v1/webhook-endpoints/{endpoint_id}/deliveries": "ids of events, times and status codes",
    "/v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/attempts": "times and status codes",
    "/v1/inbound-messages": "ids, times and which field is wrong; never the body",
    "/v1/inbound-messages/{message_id}": "ids, times and which field is wrong; never the body",
    "/v1/tasks": WORK,
    "/v1/tasks/{task_id}": WORK,
    "/v1/worklist": WORK,
    "/v1/audit-events": "the trail itself: ids and who looked",
    "/v1/acknowledgements": "kinds, times and counts; the file itself is a view",
    "/v1/batches": "control numbers, counts and sums of a file; the file itself is a view",
    "/v1/remittances": "payer, trace number and sum of a payment; the payment itself is a view",
    "/v1/deposits": "deposits of payers at the bank",
    "/v1/deposits/{deposit_id}": "deposits of payers at the bank",
    "/v1/ledger/totals": SUMS,
    "/v1/kpis": SUMS,
    "/v1/summary": SUMS,
    "/v1/events": "events as published: ids, codes and cents in the open, identity sealed and shut",
    "/v1/exports/{table}": "facts as published: ids, codes and cents, no identity",
}


def routes(service: str) -> list[DoorRoute]:
    made = importlib.import_module(f"services.{service}.app").create_service()
    routers = (*made.routers, *_kernel_routers(made))
    return [route for router in routers for route in router.routes if isinstance(route, DoorRoute)]


@pytest.mark.parametrize("service", SERVICES)
def test_what_shows_a_patients_data_is_a_view(service: str) -> None:
    shown = {route.path for route in routes(service) if "GET" in (route.methods or ()) and not route.door.phi}
    assert not shown - set(NO_PATIENT), "mark it with phi=True, or say in NO_PATIENT why it shows nobody"


@pytest.mark.parametrize("service", SERVICES)
def test_every_write_leaves_a_line(service: str) -> None:
    """So what the answer to a write shows is in the trail as well, under the write's own name."""
    writes = [route for route in routes(service) if "GET" not in (route.methods or ())]
    unrecorded = {route.path for route in writes if not route.door.audited}
    assert unrecorded <= {"/v1/inbound/{source_id}"}, "what a webhook says is written, and recorded, when it is mapped"


def test_no_reason_outlives_its_route() -> None:
    every = {
        route.path: route.door.phi
        for service in SERVICES
        for route in routes(service)
        if "GET" in (route.methods or ())
    }
    assert {path for path in NO_PATIENT if every.get(path) is not False} == set()
