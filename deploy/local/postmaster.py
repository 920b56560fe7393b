"""What a PostgreSQL server says about itself, and which processes and ports are in use."""

import socket
import struct
import subprocess
import time
from pathlib import Path

HOST = "127.0.0.1"
PROC = Path("/proc")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether nobody listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def answers(port: int, data: Path, server: subprocess.Popen[bytes], deadline: float) -> bool:
    """Whether `server` says that it is ready, and asks for a password when greeted."""
    while time.monotonic() < deadline and server.poll() is None:
        if note(data)[:1] == [str(server.pid)] and note(data)[7:8] == ["ready"] and _asks_for_password(port):
            return True
        time.sleep(0.03)
    return False


def _asks_for_password(port: int) -> bool:
    greeting = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
    try:
        with socket.create_connection((HOST, port), timeout=2) as caller:
            caller.sendall(struct.pack("!i", len(greeting) + 4) + greeting)
            return caller.recv(1) == b"R"
    except OSError:
        return False


def note(data: Path) -> list[str]:
    """The lines of postmaster.pid, which the server writes about itself."""
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def living(data: Path) -> int | None:
    """The process that serves `data`, if it lives; a note about a number since reused is removed."""
    first = next(iter(note(data)), "")
    if not first.isdigit():
        return None
    command = command_of(int(first))
    if str(data) in command:
        return int(first)
    if command:
        (data / "postmaster.pid").unlink(missing_ok=True)
    return None


def command_of(pid: int) -> str:
    """The command line of a process; empty if it has ended."""
    if PROC.is_dir():
        try:
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""
    seen = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return "" if "defunct" in seen else seen.strip()


def children_of(pid: int) -> list[int]:
    """The processes that `pid` has started."""
    listed = PROC / str(pid) / "task" / str(pid) / "children"
    if listed.is_file():
        return [int(child) for child in listed.read_text().split()]
    seen = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
    pairs = [line.split() for line in seen.splitlines()]
    return [int(pair[0]) for pair in pairs if pair[1:] == [str(pid)]]
