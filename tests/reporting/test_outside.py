"""Webhooks go to public https addresses, whatever a name resolves to."""

import httpx
import pytest

from services.reporting import outside


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1", "fd00::1",
     "::ffff:10.0.0.1", "100.64.0.1", "224.0.0.1", "255.255.255.255", "ff0e::1", "fec0::1", "64:ff9b::a00:1",
     "2002:7f00:1::", "2001:0:1::80ff:fffe"],
)  # fmt: skip
def test_our_own_network_is_out_of_reach(address: str) -> None:
    assert not outside.allowed(address, local=False)


def test_a_public_address_is_allowed() -> None:
    assert outside.allowed("93.184.216.34", local=False)
    assert outside.allowed("2606:2800:220:1:248:1893:25c8:1946", local=False)


def test_local_mode_allows_loopback_and_no_other_private_address() -> None:
    assert outside.allowed("127.0.0.1", local=True)
    assert not outside.allowed("169.254.169.254", local=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x",
        "ftp://example.com",
        "https://user:pw@example.com",
        "https://",
        "https://a.b/#x",
        "https://[::1/x",
        "https://0177.0.0.1/x",
        "https://example.com:99999/x",
        "https://10.0.0.1/x",
        "https://[::1]/x",
        "https://[64:ff9b::a9fe:a9fe]/",
    ],
)
def test_a_url_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(outside.Forbidden):
        outside.check_url(url, local=False)


async def test_a_name_that_resolves_into_our_network_is_refused() -> None:
    with pytest.raises(outside.Forbidden):
        await outside.resolve(httpx.URL("https://localhost/x"), local=False)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1"])
async def test_an_address_in_disguise_is_refused_where_it_is_looked_up(host: str) -> None:
    with pytest.raises((outside.Forbidden, OSError)):
        await outside.resolve(httpx.URL(f"https://{host}/x"), local=False)


async def test_the_request_goes_to_the_address_that_was_checked() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(302, headers={"location": "http://169.254.169.254/"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        target = outside.Target(httpx.URL("https://ehr.example.com/hook"), "93.184.216.34")
        assert await outside.post(http, target, b"{}", {}) == 302
    (request,) = seen
    assert request.url.host == "93.184.216.34"
    assert request.headers["host"] == "ehr.example.com"
    assert request.extensions["sni_hostname"] == "ehr.example.com"
