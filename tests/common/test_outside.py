"""What a tenant names goes to public https addresses, a webhook whatever its name resolves to."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from libs.common import outside


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
        "https://a..example.com/x",
        "https://xn--a.example.com/x",
        f"https://{'a' * 64}.example.com/x",
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


async def test_names_whose_servers_say_nothing_keep_no_other_name_waiting() -> None:
    silent = threading.Event()

    def look(host: str, port: int, **how: Any) -> Any:
        if host == "silent.example.com":
            silent.wait(60)
        return [(socket.AF_INET, how["type"], 6, "", ("93.184.216.34", port))]

    hanging = [
        asyncio.create_task(outside.resolve(httpx.URL("https://silent.example.com/"), local=False, look=look))
        for _ in range(100)
    ]
    await asyncio.sleep(0)
    began = time.monotonic()
    found = await outside.resolve(httpx.URL("https://quick.example.com/"), local=False, look=look)
    assert (found.address, time.monotonic() - began < 10) == ("93.184.216.34", True)
    assert not any(task.done() for task in hanging)
    silent.set()
    assert {(await task).address for task in hanging} == {"93.184.216.34"}


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


async def test_each_of_two_names_at_one_address_gets_its_own_connection_under_its_own_certificate(
    tmp_path: Path,
) -> None:
    """What was opened for one name is never used for another, whose server would answer 421 or who is somebody else."""
    certificates = {name: _certificate(tmp_path, name) for name in ("one.example", "two.example")}
    async with _one_address(certificates) as (port, asked):
        trusting = ssl.create_default_context()
        for chain in certificates.values():
            trusting.load_verify_locations(chain)
        async with httpx.AsyncClient(verify=trusting) as http:
            for name in ("one.example", "two.example", "one.example", "two.example"):
                target = outside.Target(httpx.URL(f"https://{name}:{port}/hook"), "127.0.0.1")
                assert await outside.post(http, target, b"{}", {}) == 200
            stranger = outside.Target(httpx.URL(f"https://three.example:{port}/hook"), "127.0.0.1")
            with pytest.raises(httpx.ConnectError):
                await outside.post(http, stranger, b"{}", {})
    assert asked == ["one.example", "two.example"] * 2


def _certificate(folder: Path, name: str) -> Path:
    """A file with a new key, and a certificate for `name` that it has signed itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = folder / f"{name}.pem"
    chain.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return chain


@asynccontextmanager
async def _one_address(certificates: dict[str, Path]) -> AsyncIterator[tuple[int, list[str]]]:
    """A server with several names behind one port: 421 for a name that its connection was not opened for."""
    contexts = {}
    for name, chain in certificates.items():
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(chain)
    opened: dict[object, str] = {}
    asked: list[str] = []

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = contexts.get(name or "", contexts["one.example"])
        opened[connection] = name or ""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = opened[writer.get_extra_info("ssl_object")]
        while head := await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(2)
            meant = f"host: {name}:".encode() in head.lower()
            asked.append(name)
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % (200 if meant else 421))

    front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.load_cert_chain(certificates["one.example"])
    front.sni_callback = choose
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=front) as server:
        yield server.sockets[0].getsockname()[1], asked
