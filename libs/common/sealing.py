"""What must not be read by everybody travels and rests sealed: AES-256-GCM under a key of its tenant.

The key ring is a secret file, `{"active": "2026-11", "keys": {"2026-11": "<32 bytes, base64>", …}}`. New texts are
sealed under the active key; older keys stay in the ring for what was sealed before. A tenant's own key is derived
from the ring's (HKDF-SHA256, the tenant as info), so a text of one tenant never opens as another's.
"""

import base64
import json
import logging
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30
"""So often a process that seals looks whether the file has changed; one that meets an unknown key looks at once."""
_KID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_CACHED_TENANTS: Final = 4096


class CannotOpen(Exception):
    """A sealed text is not ours, not this tenant's, not of this context, damaged, or its key has left the ring."""


class UnusableKeyring(Exception):
    """The key ring file is missing or does not hold what it should."""


@dataclass(frozen=True, slots=True)
class _Ring:
    active: str
    keys: dict[str, bytes]
    stamp: tuple[int, int]
    derived: dict[tuple[str, str], AESGCM] = field(default_factory=dict)

    def cipher(self, kid: str, tenant_id: str) -> AESGCM:
        found = self.derived.get((kid, tenant_id))
        if found is None:
            info = b"parity sealing v1\x00" + tenant_id.encode()
            found = AESGCM(HKDF(SHA256(), _KEY_BYTES, salt=None, info=info).derive(self.keys[kid]))
            if len(self.derived) >= _CACHED_TENANTS:
                self.derived.clear()
            self.derived[kid, tenant_id] = found
        return found


class Keyring:
    """Seals and opens; a changed file is taken up while the process runs, all of it or nothing."""

    def __init__(self, path: Path, ring: _Ring) -> None:
        self._path = path
        self._ring = ring
        self._looked = time.monotonic()

    @classmethod
    def load(cls, path: str | Path) -> "Keyring":
        """The key ring in this file. Raises UnusableKeyring."""
        return cls(Path(path), _read(Path(path)))

    def reload(self) -> bool:
        """The ring is what the file now says; True if that is news. A broken file leaves the ring as it was."""
        if _stamp(self._path) == self._ring.stamp:
            return False
        self._ring = _read(self._path)
        return True

    def seal(self, tenant_id: str, plaintext: bytes, context: str) -> str:
        """The text `kid.nonce.ciphertext` (base64url) that only `open` with the same tenant and context undoes."""
        assert tenant_id, "a sealed text belongs to a tenant"
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._look()
        ring = self._ring
        nonce = os.urandom(_NONCE_BYTES)
        body = ring.cipher(ring.active, tenant_id).encrypt(nonce, plaintext, _bound(tenant_id, context))
        return f"{ring.active}.{_text(nonce)}.{_text(body)}"

    def open(self, tenant_id: str, sealed: str, context: str) -> bytes:
        """What was sealed. Raises CannotOpen, which says nothing about the content."""
        kid, nonce, body = _parts(sealed)
        if kid not in self._ring.keys:
            self._look()
        ring = self._ring
        if kid not in ring.keys:
            raise CannotOpen("its key is not in the ring")
        try:
            return ring.cipher(kid, tenant_id).decrypt(nonce, body, _bound(tenant_id, context))
        except InvalidTag:
            raise CannotOpen("it was sealed for another tenant or context, or is damaged") from None

    def _look(self) -> None:
        """Take up a changed file; a broken one is left for the operator, and the ring stays as it was."""
        self._looked = time.monotonic()
        try:
            self.reload()
        except UnusableKeyring as error:
            log.error("keyring_unusable", extra={"reason": str(error)})  # noqa: TRY400  our own words


def create(path: Path, kid: str = "k1") -> None:
    """A new ring with one key is in this file, readable by its owner only; an existing file stays."""
    if not path.exists():
        _write(path, {"active": kid, "keys": {kid: _fresh_key()}})


def rotate(path: Path, kid: str) -> None:
    """`kid` is in the ring and active; all keys before it still open."""
    found = json.loads(path.read_text())
    if kid in found["keys"]:
        raise ValueError(f"the ring already has a key {kid}")
    _write(path, {"active": kid, "keys": {**found["keys"], kid: _fresh_key()}})


def _fresh_key() -> str:
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def _write(path: Path, content: dict[str, object]) -> None:
    """A reader sees the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _read(path: Path) -> _Ring:
    try:
        stamp = _stamp(path)
        found = json.loads(path.read_text())
        keys = {str(kid): base64.b64decode(key, validate=True) for kid, key in found["keys"].items()}
        active = found["active"]
    except OSError as error:
        raise UnusableKeyring(f"the key ring cannot be read: {type(error).__name__}") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnusableKeyring("the key ring is not {active, keys: {kid: base64}}") from None
    if active not in keys:
        raise UnusableKeyring("the active key is not in the ring")
    if not all(_KID.fullmatch(kid) and len(key) == _KEY_BYTES for kid, key in keys.items()):
        raise UnusableKeyring("each key is 32 bytes and has a plain name")
    return _Ring(active, keys, stamp)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise UnusableKeyring(f"the key ring cannot be read: {type(error).__name__}") from None
    return found.st_mtime_ns, found.st_ino


def _bound(tenant_id: str, context: str) -> bytes:
    tenant = tenant_id.encode()
    return len(tenant).to_bytes(4) + tenant + context.encode()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _parts(sealed: str) -> tuple[str, bytes, bytes]:
    kid, _, rest = sealed.partition(".")
    nonce, _, body = rest.partition(".")
    try:
        raw_nonce, raw_body = _raw(nonce), _raw(body)
    except ValueError:
        raise CannotOpen("it is not a sealed text") from None
    if len(raw_nonce) != _NONCE_BYTES or not raw_body:
        raise CannotOpen("it is not a sealed text")
    return kid, raw_nonce, raw_body


def _raw(text: str) -> bytes:
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)
