"""Keeps what a release makes of an empty database: `python -m tests.contracts.schemas NAME`.

`tests/data/schemas/NAME.sql.gz` then holds its schemas and the revisions at which they stand, no data. It is never
edited: `tests/contracts/test_upgrade.py` brings a database like that to today's head.
"""

import asyncio
import gzip
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.postgres import Cluster, remove
from deploy.local.unprivileged import programs, runner
from libs.common.bootstrap import ROLES, SCHEMAS, bootstrap, ensure_database
from libs.common.migrations import upgrade

ROOT = Path.cwd()
KEPT = Path(__file__).resolve().parents[1] / "data" / "schemas"


def dumped(admin_url: str) -> str:
    """The schemas behind `admin_url` as SQL, the revisions as inserts; without what only `psql` understands."""
    tool = str(programs(runner()) / "pg_dump")
    parts = (["--schema-only"], ["--data-only", "--inserts", "--table=*.*_version"])
    found = [
        subprocess.run([tool, *part, admin_url], check=True, capture_output=True, text=True).stdout for part in parts
    ]
    lines = (line for text in found for line in text.splitlines())
    return "\n".join(line for line in lines if line and not re.match(r"\\|--|SET |SELECT pg_catalog\.set_config", line))


async def _made(cluster: Cluster) -> str:
    passwords = {role: "secret" for role in ROLES}
    admin_url = await ensure_database(cluster.admin_url, "parity")
    await bootstrap(admin_url, passwords)
    host = admin_url.partition("@")[2]
    for schema in SCHEMAS:
        owner = f"postgresql://{schema}_owner:secret@{host}"
        await upgrade(owner, schema, ROOT / "services" / schema / "migrations")
    return dumped(admin_url)


def main(name: str) -> None:
    """What the code in the current folder makes of an empty database is kept under `name`."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        cluster = Cluster.start(home, durable=False)
        try:
            text = asyncio.run(_made(cluster))
        finally:
            cluster.stop()
            remove(cluster.home)
    with gzip.GzipFile(KEPT / f"{name}.sql.gz", "wb", mtime=0) as out:
        out.write(text.encode())


if __name__ == "__main__":
    main(sys.argv[1])
