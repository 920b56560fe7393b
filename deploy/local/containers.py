"""`python -m deploy.local.containers`: the secrets and the environment that deploy/compose.yaml reads.

Each container gets the login of its own database role and no other. Made once; what is there stays.
"""

import os
import secrets
from pathlib import Path

from deploy.local.environment import Environment
from deploy.local.keys import Keys, write_secret
from deploy.local.plain import PlainError, give_up, plainly
from deploy.local.topology import DOCUMENTED_BASE, ROOT, SERVICES, STATE, parts

HOME = STATE / "containers"
POSTGRES_PASSWORD = "postgres-password"  # noqa: S105  the name of a file
INSIDE = Path("/run/secrets")


def prepare(home: Path) -> None:
    """Everything that compose.yaml names under `home` exists."""
    keys = Keys.of(home)
    with plainly(home):
        password_file = keys.place / POSTGRES_PASSWORD
        if not password_file.exists():
            write_secret(password_file, secrets.token_urlsafe(24))
        admin_url = f"postgresql://postgres:{password_file.read_text()}@postgres:5432/parity"
        environment = Environment(
            Path("/parity"), keys, admin_url, "kafka", "kafka:9092", DOCUMENTED_BASE, INSIDE, "http://sandbox-api:8109"
        )
        for part in parts(DOCUMENTED_BASE):
            _write(home / f"{part.name}.env", environment.of(part))
        for service in SERVICES:
            _write(home / f"{service}-migrate.env", environment.of_migration(service))
        _write(home / "bootstrap.env", {"PARITY_DATABASE": admin_url})
        _write(home / "compose.env", {"PARITY_UID": str(os.getuid()), "PARITY_GID": str(os.getgid())})


def _write(path: Path, variables: dict[str, str]) -> None:
    ours = {name: value for name, value in variables.items() if name.startswith("PARITY_") or "_DATABASE_" in name}
    write_secret(path, "".join(f"{name}={value}\n" for name, value in sorted(ours.items())))


def main() -> None:
    """Prepare, and say what to type next."""
    try:
        prepare(HOME)
    except PlainError as error:
        give_up(error)
    place = HOME.relative_to(ROOT)
    print(f"docker compose --env-file {place}/compose.env -f deploy/compose.yaml up --build --wait")


if __name__ == "__main__":
    main()
