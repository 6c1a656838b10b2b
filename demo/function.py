"""The function under `cargo lambda watch`, which serves the Lambda Runtime API to it and an invoke endpoint to us."""

import contextlib
import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

from processes import Failure, Process, free_port

NAME = "authorizer"
# The first invocation starts the function, after a look of cargo at whether it is built.
PATIENCE_SECONDS = 15


@contextlib.contextmanager
def local_function(folder: Path, environment: dict[str, str], reload: bool):
    """The function, for as long as the `with` lasts."""
    port = free_port()
    command = ["cargo-lambda", "lambda", "watch", "--locked", "--bin", NAME, "--color", "never"]
    command += ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
    command += [] if reload else ["--ignore-changes"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUTHORIZER_")}
    with Process(command, inherited | environment, folder / "function.log") as process:
        process.wait_for_port(port)
        yield LocalFunction(port, process)


class LocalFunction:
    def __init__(self, port: int, process: Process):
        self.port = port
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/{NAME}/invocations"
        self.process = process
        self.seen = 0  # bytes of the log

    def invoke(self, event: dict) -> tuple[dict, dict]:
        """The answer (or the error that API Gateway would see), and the decision as the function logged it."""
        request = urllib.request.Request(self.url, json.dumps(event).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            answer = json.load(error)
        except OSError as error:
            raise Failure(
                self._refusal() or f"the function does not answer ({error}):\n{self.process.tail()}"
            ) from error
        return answer, self._decision()

    def _refusal(self) -> str:
        """Why the function refused to start, if it did: `cargo lambda watch` goes on waiting for it."""
        entries = map(logged, self.process.log.read_bytes().splitlines())
        faults = [entry["fault"] for entry in entries if entry.get("message") == "bad_configuration"]
        return "\n  ".join(["the function does not start with this authorizer.yaml:", *faults]) if faults else ""

    def _decision(self) -> dict:
        """The next `decision` line. It is written before the answer is sent, but it comes through a pipe of its own."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            text = self.process.log.read_bytes()
            complete = text.rfind(b"\n") + 1
            for line in text[self.seen : complete].splitlines(keepends=True):
                self.seen += len(line)
                if (entry := logged(line)).get("message") == "decision":
                    return entry
            time.sleep(0.01)
        raise Failure(f"the function logged no decision:\n{self.process.tail()}")


def logged(line: bytes) -> dict:
    """The members of a line of the function's log; none if the line is cargo's."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
