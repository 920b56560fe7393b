"""A service that does nothing but live, so that what starts services is tested without them."""

from pathlib import Path

import pytest

SERVICE = """
import http.server, os, signal, sys
what, prefix = sys.argv[1], os.path.basename(os.path.dirname(__file__)).upper()
mood = open(os.path.join(os.path.dirname(__file__), "mood")).read()
if what == "migrate":
    assert os.environ[prefix + "_DATABASE_OWNER"], "a migration logs in as the owner"
    sys.exit("relation does not fit" if mood == "cannot migrate" else 0)
assert [name for name in os.environ if "_DATABASE_" in name] == [prefix + "_DATABASE_" + what.upper()]
if mood == "never ready":
    print("the key ring cannot be read", file=sys.stderr, flush=True)
    sys.exit(3)
if mood == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass

port = int(os.environ[prefix + "_PORT"]) + (100 if what == "worker" else 0)
http.server.HTTPServer(("127.0.0.1", port), Page).serve_forever()
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two services, claims and eligibility, in a good mood."""
    for name in ("claims", "eligibility"):
        package = tmp_path / "root" / "services" / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package.parent / "__init__.py").touch()
        (package / "__main__.py").write_text(SERVICE)
        (package / "mood").write_text("good")
    return tmp_path / "root"


def set_mood(root: Path, service: str, mood: str) -> None:
    """The service behaves so from its next start on."""
    (root / "services" / service / "mood").write_text(mood)
