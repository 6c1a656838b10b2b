"""template.yaml on a local AWS, once for all suites, with tokens of everybody."""

import sys
import tempfile
import unittest
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "demo"))

import client  # noqa: E402
import table  # noqa: E402
from cases import EVENTS, Case  # noqa: E402
from local_aws import deploy, local_aws, without_aws  # noqa: E402
from pool import READ, WRITE, People, part  # noqa: E402
from processes import prepare  # noqa: E402
from walk import Decisions, Walk  # noqa: E402


class Deployment:
    """What the suites share; `start` fills it."""

    def __init__(self):
        self.exit = ExitStack()

    def start(self) -> None:
        prepare()
        without_aws()
        self.folder = Path(self.exit.enter_context(tempfile.TemporaryDirectory(prefix="authorizer-e2e-")))
        self.exit.enter_context(local_aws(self.folder))
        self.stack = deploy(self.folder)
        self.people = self.exit.enter_context(People(self.stack, keep=True))
        self.walk = Walk(self.stack, self.people.tokens())

    def stop(self) -> None:
        self.exit.close()


deployment = Deployment()


class Suite(unittest.TestCase):
    """Requests to one API. Before the first of them it is shown that the authorizer is what answers."""

    kind = ""
    of_the_sample = True  # whether it is about the sample's routes: with a table of one's own, only the others are run

    @classmethod
    def setUpClass(cls):
        if cls.of_the_sample and not table.is_sample(table.routes()):
            raise unittest.SkipTest("authorizer.yaml has a table of its own; this is about the sample's")
        cls.stack, cls.walk, cls.people = deployment.stack, deployment.walk, deployment.people
        cls.url = cls.stack.url(cls.kind)
        cls.decisions = Decisions(cls.stack)
        if cls.of_the_sample:
            cls.prove_that_the_authorizer_is_asked()

    @classmethod
    def prove_that_the_authorizer_is_asked(cls):
        path = "" if cls.kind == "websocket" else "/admin/reports"
        case = Case("proof", "admin", "GET", path, "allow")
        allowed = case.status(cls.kind, local=True)
        cls.decisions.skip()
        outcome = cls.walk.ask(cls.kind, cls.url, case)
        # A line of the function itself, about this kind of event and this token ...
        assert outcome.decision, f"{cls.kind}: the authorizer logged no decision"
        assert outcome.decision["event"] == EVENTS[cls.kind], outcome
        assert outcome.decision["jti"] == part(cls.walk.tokens["admin"], 1)["jti"], outcome
        assert outcome.answer.status == allowed, outcome
        # ... and without the function nothing passes, though the token is as good as before.
        function = cls.stack.resources["AuthorizerFunction"]
        functions = cls.stack.aws("lambda")
        functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
        try:
            shut = cls.walk.ask(cls.kind, cls.url, case)
        finally:
            functions.delete_function_concurrency(FunctionName=function)
        assert shut.answer.status == 500 and not shut.decision, f"{cls.kind}: passes without the authorizer: {shut}"
        again = cls.walk.ask(cls.kind, cls.url, case)
        assert again.answer.status == allowed, again

    def check(self, case: Case) -> None:
        outcome = self.walk.ask(self.kind, self.url, case)
        complaint = self.walk.complaint(self.kind, case, outcome)
        self.assertFalse(complaint, f"{case}: {outcome}")

    def fresh(self, *scopes: str, role: str = "reader") -> str:
        """A token that no cache has seen."""
        return self.people.sign_in(self.stack.outputs["WebClientId"], role, "openid", *scopes)["access_token"]

    def ask(self, method: str, path: str, token: str | None) -> tuple[int, str]:
        """The status, and what the authorizer said; `not asked` if nothing."""
        self.decisions.skip()
        answer = client.request(self.url, method, path, token)
        decision = self.decisions.next()
        return answer.status, decision.get("reason", decision["decision"]) if decision else "not asked"


__all__ = ["READ", "REPOSITORY", "WRITE", "Case", "Suite", "client", "deployment", "part"]
