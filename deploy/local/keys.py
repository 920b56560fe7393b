"""The secrets of one home, made once: passwords of the database roles, key ring, signing key and tokens."""

import json
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from deploy.local.plain import PlainError, plainly
from deploy.local.topology import ROLES, SERVICES
from libs.common import sealing

ISSUER = "http://127.0.0.1/parity-local"
AUDIENCE = "parity"
DEMO_TENANT = "tnt_demo"
ALL_SCOPES = tuple(f"{service}:{verb}" for service in SERVICES for verb in ("read", "write", "audit"))
TOKEN_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the secrets of a home lie; each file is readable by its owner only."""

    place: Path

    @classmethod
    def of(cls, home: Path) -> "Keys":
        """The secrets of `home`; what is missing is made, what is there stays."""
        keys = cls(home / "secrets")
        with plainly(keys.place):
            keys.place.mkdir(parents=True, exist_ok=True, mode=0o700)
            keys.place.chmod(0o700)
            sealing.create(keys.keyring)
            if not keys.cursor_key.exists():
                write_secret(keys.cursor_key, secrets.token_hex(32))
            keys._make_passwords()
            keys._make_signing_key()
        return keys

    @property
    def keyring(self) -> Path:
        """The key ring with which identities are sealed."""
        return self.place / "keyring.json"

    @property
    def cursor_key(self) -> Path:
        """The key that signs the cursors of lists: 32 bytes in hex."""
        return self.place / "cursor.key"

    @property
    def jwks(self) -> Path:
        """The public keys that verify tokens."""
        return self.place / "jwks.json"

    @property
    def signing_key(self) -> Path:
        """The private key of the local token issuer."""
        return self.place / "signing-key.pem"

    @property
    def password_file(self) -> Path:
        """The passwords of the database roles: `{role: password}`."""
        return self.place / "passwords.json"

    def passwords(self) -> dict[str, str]:
        """The password of each database role."""
        found: dict[str, str] = json.loads(self.password_file.read_text())
        return found

    def token(
        self,
        *,
        tenant_id: str = DEMO_TENANT,
        subject: str = "demo@parity.local",
        scopes: Iterable[str] = ALL_SCOPES,
        practice_ids: Iterable[str] | None = None,
        seconds: int = TOKEN_SECONDS,
    ) -> str:
        """A signed bearer token; without `practice_ids` it is good for all practices of the tenant."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + seconds,
            "jti": secrets.token_urlsafe(12),
            "tenant_id": tenant_id,
            "scope": " ".join(scopes),
        }
        if practice_ids is not None:
            claims["practice_ids"] = list(practice_ids)
        key_id = json.loads(self.jwks.read_text())["keys"][0]["kid"]
        return jwt.encode(claims, self.signing_key.read_text(), algorithm="ES256", headers={"kid": key_id})

    def _make_passwords(self) -> None:
        wanted = {f"{service}_{role}" for service in SERVICES for role in ROLES}
        known = self.passwords() if self.password_file.exists() else {}
        if wanted - known.keys():
            write_secret(
                self.password_file, json.dumps({role: secrets.token_urlsafe(24) for role in wanted} | known, indent=1)
            )

    def _make_signing_key(self) -> None:
        if self.jwks.exists():
            return
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        described = public | {"kid": secrets.token_hex(8), "use": "sig", "alg": "ES256"}
        write_secret(self.signing_key, pem.decode())
        write_secret(self.jwks, json.dumps({"keys": [described]}, indent=1))


def of_running(homes: Iterable[Path]) -> Keys:
    """The secrets of the first of `homes` that has any."""
    for home in homes:
        if (home / "secrets" / "jwks.json").is_file():
            return Keys(home / "secrets")
    raise PlainError("nothing has been started here yet; `make up` or `make demo` first.")


def write_secret(path: Path, text: str) -> None:
    """`text` is in `path`, whole, and readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
