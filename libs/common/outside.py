"""Where a tenant may have us send to: a public address over https, never back into our own network.

When something is sent the name is resolved once, every address of it must be public, and the request goes to the
address that was checked, so that a name cannot answer differently the second time (DNS rebinding). Local mode also
allows http and loopback.
"""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from libs.common.problems import FieldError

SECONDS = 12.0
Look = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""A gateway sends these on to the IPv4 address in their last four octets (RFC 6052)."""


class Forbidden(Exception):
    """The address is not one that we send to; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, and the address at which its host was found and allowed."""

    url: httpx.URL
    address: str


def check_url(url: str, *, local: bool) -> httpx.URL:
    """The URL, if its form is allowed. Raises Forbidden."""
    try:
        parts, asked = urlsplit(url), httpx.URL(url)
        port = parts.port
        asked.host.encode("idna")  # a label that no name can have would fail only when something is sent
    except (ValueError, httpx.InvalidURL):
        raise Forbidden("This is no URL.") from None
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise Forbidden("It has to be an https address.")
    if parts.username or parts.password:
        raise Forbidden("Credentials do not belong into a URL; the signature proves who we are.")
    if not parts.hostname or port == 0:
        raise Forbidden("The URL has no host.")
    if parts.fragment:
        raise Forbidden("The URL has a fragment, which is never sent.")
    with suppress(ValueError):  # a name is looked up when something is sent
        if not allowed(str(ipaddress.ip_address(parts.hostname)), local=local):
            raise Forbidden("The address is not public.")
    return asked


def refusals(url: str, *, local: bool) -> list[FieldError]:
    """What is wrong with the `url` of a body; nothing where its form is allowed."""
    try:
        check_url(url, local=local)
    except Forbidden as refused:
        return [FieldError("/url", "url_not_allowed", str(refused))]
    return []


async def resolve(url: httpx.URL, *, local: bool, look: Look = socket.getaddrinfo) -> Target:
    """The address behind the host, if all that it resolves to is public. Raises Forbidden, OSError, TimeoutError."""
    port = url.port or (443 if url.scheme == "https" else 80)
    async with asyncio.timeout(SECONDS):
        addresses = await _addresses(look, url.host, port)
    for address in addresses:
        if not allowed(address, local=local):
            raise Forbidden("The host resolves to an address that is not public.")
    if not addresses:
        raise Forbidden("The host has no address.")
    return Target(url, addresses[0])


def _addresses(look: Look, host: str, port: int) -> asyncio.Future[list[str]]:
    """What the host resolves to, looked up in a thread of its own that nobody waits for at the end.

    A name whose servers say nothing holds its thread for long: in the loop's few threads it would keep other names
    waiting, and the process from stopping.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str] | OSError) -> None:
        if answer.done():  # nobody waits for it any more
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def ask() -> None:
        found: list[str] | OSError
        try:
            found = sorted({str(info[4][0]) for info in look(host, port, type=socket.SOCK_STREAM)})
        except OSError as failure:
            found = failure
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=ask, name="lookup", daemon=True).start()
    return answer


def allowed(address: str, *, local: bool) -> bool:
    """Whether an address is one public host's, and so is any IPv4 address that it leads to; loopback in local mode."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return allowed(str(inner), local=local)
        if ip.is_site_local:
            return False
    return (ip.is_global and not ip.is_multicast) or (local and ip.is_loopback)


def request(
    http: httpx.AsyncClient, method: str, target: Target, *, headers: Mapping[str, str], **options: Any
) -> httpx.Request:
    """A request to the address that was checked, in the name of its host; further options are httpx's.

    Each has a connection of its own: a pool knows them by address, and names that share one would share it.
    """
    host = f"[{target.address}]" if ":" in target.address else target.address
    return http.build_request(
        method,
        target.url.copy_with(host=host),
        headers={**headers, "Host": target.url.netloc.decode("ascii"), "Connection": "close"},
        extensions={"sni_hostname": target.url.host},
        **options,
    )


async def post(http: httpx.AsyncClient, target: Target, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer, whose body is not read; redirects are not followed."""
    timeout = httpx.Timeout(SECONDS, connect=5)
    asked = request(http, "POST", target, headers=headers, content=body, timeout=timeout)
    async with asyncio.timeout(SECONDS):
        response = await http.send(asked, stream=True, follow_redirects=False)
        await response.aclose()
        return response.status_code
