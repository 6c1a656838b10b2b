"""Child processes that never outlive the one that started them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


class Failure(Exception):
    """Something that whoever runs the demo has to know; its text is the whole message."""


def prepare() -> None:
    """Makes this process find the programs of its environment, and end its children when it is ended."""
    sys.stdout.reconfigure(line_buffering=True)
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    if not shutil.which("ministack"):
        raise Failure("`ministack` is missing: start this with make, which installs all but Rust and Python")
    # A signal unwinds the stack as Ctrl-C does, so that the processes are ended.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


class Process:
    """A command in a process group of its own, its output in a log file. Leaving the `with` ends the whole group."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path):
        self.name = Path(command[0]).name
        self.log = log
        self.command = command
        self.environment = environment

    def __enter__(self):
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                self.command,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_):
        for signal_number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            try:
                os.killpg(self.child.pid, signal_number)
            except ProcessLookupError:
                return
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                continue

    def wait_for_port(self, port: int, patience: float = 30) -> None:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise Failure(f"{self.name} ended before it was ready:\n{self.tail()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise Failure(f"{self.name} was not ready within {patience:.0f} s:\n{self.tail()}")

    def tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
