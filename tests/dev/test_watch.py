"""`make watch` and `make invoke`, and what the README says to do by hand: real processes, real tokens, no AWS."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
CONFIG = REPOSITORY / "authorizer.yaml"

# A build of everything, on a busy machine.
A_BUILD = 1200
A_REBUILD = 300


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment() -> dict[str, str]:
    """Without this machine's credentials, and without a configuration of its own; with the cargo-lambda that make installs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AUTHORIZER_"))}
    return kept | {"PATH": f"{REPOSITORY / '.venv' / 'local' / 'bin'}:{os.environ['PATH']}"}


class WithItsOwnSession(unittest.TestCase):
    """The session of whoever works here is put back as it was."""

    @classmethod
    def setUpClass(cls):
        session = REPOSITORY / ".authctl"
        aside = Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / "authctl"
        if session.exists():
            shutil.move(session, aside)
            cls.addClassCleanup(shutil.move, aside, session)
        cls.addClassCleanup(shutil.rmtree, session, ignore_errors=True)


class Watch(WithItsOwnSession):
    """One `make watch` for all tests; its configuration is a copy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.config = Path(cls.folder.name) / "authorizer.yaml"
        cls.config.write_text(CONFIG.read_text())
        (cls.config.parent / "authorizer.test.yaml").write_text((REPOSITORY / "authorizer.test.yaml").read_text())
        cls.ports = [f"INVOKE_PORT={free_port()}", f"DEV_PORT={free_port()}"]
        cls.log = Path(cls.folder.name) / "watch.log"
        cls.environment = environment()
        with cls.log.open("w") as log:
            command = ["make", "watch", *cls.ports, f"DEV=--config {cls.config}"]
            cls.process = subprocess.Popen(
                command, cwd=REPOSITORY, env=cls.environment, stdout=log, stderr=log, start_new_session=True
            )
        cls.addClassCleanup(cls.end)
        cls.wait_for("starting Runtime server", A_BUILD)

    @classmethod
    def end(cls):
        os.killpg(cls.process.pid, signal.SIGTERM)
        cls.process.wait(30)

    @classmethod
    def wait_for(cls, words: str, seconds: float):
        deadline = time.monotonic() + seconds
        while words not in (text := cls.log.read_text()):
            if time.monotonic() > deadline or cls.process.poll() is not None:
                raise AssertionError(f"never {words!r}:\n{text}")
            time.sleep(0.2)

    def invoke(self, event: str, persona: str | None = None) -> subprocess.CompletedProcess:
        token = [f"TOKEN={persona}"] if persona else []
        command = ["make", "-s", "invoke", f"EVENT=events/{event}.json", *self.ports, *token]
        return subprocess.run(command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, timeout=A_REBUILD)

    def reload(self, config: str):
        """Another configuration, and an edit of the code."""
        starts = self.log.read_text().count("dev exec")
        self.config.write_text(config)
        os.utime(REPOSITORY / "src" / "main.rs")
        deadline = time.monotonic() + A_REBUILD
        while self.log.read_text().count("dev exec") == starts:
            self.assertLess(time.monotonic(), deadline, self.log.read_text())
            time.sleep(0.5)

    def decisions(self) -> list[dict]:
        lines = [line for line in self.log.read_text().splitlines() if line.startswith('{"timestamp"')]
        return [entry for entry in map(json.loads, lines) if entry["message"] == "decision"]

    def check(self, event: str, persona: str | None, decision: str, reason: str | None = None):
        result = self.invoke(event, persona)
        self.assertTrue(self.decisions(), result.stdout + result.stderr + self.log.read_text())
        last = self.decisions()[-1]
        self.assertEqual((last["decision"], last.get("reason")), (decision, reason), result.stdout + result.stderr)
        # cargo-lambda prints the answer, and fails where the invocation fails.
        self.assertEqual(result.returncode == 0, decision in ("allow", "forbidden"), result.stderr)
        return json.loads(result.stdout) if result.returncode == 0 else result.stderr

    def test_a_words_own_persona_sends_the_event_unless_another_is_named(self):
        own = self.check("rest-request", None, "allow")
        self.assertEqual(own["policyDocument"]["Statement"][0]["Effect"], "Allow")
        other = self.check("rest-request", "reader", "forbidden", "insufficient_scope")
        self.assertEqual(other["context"]["reason"], "insufficient_scope")

    def test_every_kind_of_event_is_answered(self):
        for event in ["rest-token", "http-1.0", "http-2.0", "websocket-connect"]:
            self.check(event, None, "allow")

    def test_live_checks_are_answered_without_aws(self):
        self.check("rest-request-admin", "admin", "allow")
        self.assertIn("Unauthorized", self.check("rest-request-admin", "stolen", "unauthorized", "token_revoked"))

    def test_an_edit_of_the_code_reloads_the_function_with_the_configuration_of_now(self):
        self.check("http-2.0", None, "allow")
        self.addCleanup(self.reload, CONFIG.read_text())
        self.reload(CONFIG.read_text().replace("GET /items:   { any_scope:", "GET /items:   { any_group:"))
        self.check("http-2.0", None, "forbidden", "insufficient_group")

    def test_a_persona_that_is_not_there_is_said_and_nothing_is_sent(self):
        before = len(self.decisions())
        result = self.invoke("rest-request", "nemo")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("nemo", result.stderr)
        self.assertEqual(len(self.decisions()), before)


class ByHand(WithItsOwnSession):
    def test_the_readmes_commands_print_what_it_says(self):
        blocks = (REPOSITORY / "README.md").read_text().split("```")[1::2]
        build, serve, watch, event, invoke = next(
            block.splitlines()[1:] for block in blocks if block.startswith("sh\n") and "cargo lambda watch" in block
        )
        printed = next(block.removeprefix("json fragment\n") for block in blocks if block.startswith("json fragment\n"))
        self.run_to_its_end(build)
        self.start(f"{serve} --port {free_port()}", "personas")
        port = f"--invoke-port {free_port()}"
        self.start(f"{watch} --locked {port}", "starting Runtime server")
        self.run_to_its_end(event)
        self.assertEqual(json.loads(self.run_to_its_end(f"{invoke} {port}")), json.loads(printed))

    def run_to_its_end(self, command: str) -> str:
        result = subprocess.run(
            command, shell=True, cwd=REPOSITORY, env=environment(), capture_output=True, text=True, timeout=A_BUILD
        )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def start(self, command: str, words: str):
        process = subprocess.Popen(
            shlex.split(command), cwd=REPOSITORY, env=environment(), start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, 30)
        self.addCleanup(os.killpg, process.pid, signal.SIGTERM)
        said = ""
        while words not in said:
            line = process.stdout.readline()
            self.assertTrue(line, said)
            said += line
        # Nobody waits for whoever reads what comes next.
        threading.Thread(target=process.stdout.read, daemon=True).start()


if __name__ == "__main__":
    unittest.main()
