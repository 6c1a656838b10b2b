"""Asks for what cases.py lists, tells it to whoever watches, and holds it against what was expected."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import client
import table
from account import credentials
from cases import EVENTS, KINDS, Case, cases, revocation
from pool import part
from processes import Failure
from stack import Stack

COLOURS = {"allow": "32", "forbidden": "33", "unauthorized": "31", "unavailable": "35"}
TITLE, REQUEST, BODY = 24, 46, 96  # widths


@dataclass(frozen=True)
class Outcome:
    """`decision` is the authorizer's log line; None where it was not asked, or where its log is not read."""

    answer: client.Answer
    decision: dict | None


class Walk:
    def __init__(self, stack: Stack, tokens: dict[str, str | None]):
        self.stack = stack
        self.tokens = {"none": None, "junk": "not-a-token"} | tokens
        self.subjects = {who: part(token, 1).get("sub") for who, token in tokens.items() if who in ("reader", "admin")}
        # Of an account's log nobody knows when it is complete.
        self.decisions = Decisions(stack) if stack.local else None
        self.asked = self.surprises = self.skipped = 0

    def all(self, kinds: list[str], urls: dict[str, str]) -> None:
        for kind in kinds:
            print(f"\n{KINDS[kind]}  {urls[kind]}\n")
            for case in cases(kind, bool(self.stack.local)):
                self.show(kind, urls[kind], case)
        kinds = [kind for kind in kinds if kind != "websocket"]
        before, after = revocation(table.routes())
        if "admin" not in self.tokens or not kinds or not before:
            return
        print("\nThe same administrator, before and after the token is revoked\n")
        answers = [self.show(kind, urls[kind], case) for kind in kinds for case in before]
        if any(answer and answer.status == 403 for answer in answers):
            print("\n  This administrator may not use that route: what revoking does cannot be shown")
            return
        revoke(self.stack, self.tokens["admin"])
        for kind in kinds:
            for case in after:
                self.show(kind, urls[kind], case)

    def show(self, kind: str, url: str, case: Case) -> client.Answer | None:
        if case.token not in self.tokens or ("{reader}" in case.path and "reader" not in self.subjects):
            self.skipped += 1
            print(f"  {case.title:{TITLE}}not asked: no such token here")
            return None
        outcome = self.ask(kind, url, case)
        complaint = self.complaint(kind, case, outcome)
        self.asked += 1
        self.surprises += bool(complaint)
        words = "open a connection" if kind == "websocket" else f"{case.method} {self.path(case)}"
        words += ", token in the query" if case.in_query else ""
        words = words.replace(self.subjects.get("reader") or "-", "{reader}")
        print(f"  {case.title:{TITLE}}{words:{REQUEST}}{self.told(case, outcome)}")
        decided = case.decision or (outcome.decision or {}).get("decision", "")
        status = coloured(outcome.answer.status, decided)
        print(f"  {'':{TITLE}}{status}  {shown(outcome.answer.text)}{complaint and f'  <- {complaint}'}")
        return outcome.answer

    def told(self, case: Case, outcome: Outcome) -> str:
        """What the authorizer said, in a word."""
        if outcome.decision:
            return outcome.decision.get("reason", outcome.decision["decision"])
        if not self.decisions:
            return ""
        return "(API Gateway itself)" if case.token == "none" else "(from API Gateway's cache)"

    def ask(self, kind: str, url: str, case: Case) -> Outcome:
        token = self.tokens[case.token]
        if self.decisions:
            self.decisions.skip()
        if kind == "websocket":
            answer = client.connect(url, token, case.in_query)
        else:
            answer = client.request(url, case.method, self.path(case), token)
        return Outcome(answer, self.decisions.next() if self.decisions else None)

    def path(self, case: Case) -> str:
        return case.path.format(**self.subjects)

    def complaint(self, kind: str, case: Case, outcome: Outcome) -> str:
        """What is not as authorizer.yaml asks for; empty if all is."""
        if not case.decision:
            return self.contradiction(kind, case, outcome)
        status = case.status(kind, bool(self.stack.local))
        if outcome.answer.status != status:
            return f"expected {status}"
        if not self.decisions:
            return ""
        if not outcome.decision:
            may_be_unasked = case.token == "none" or not (case.live or kind == "websocket")
            return "" if may_be_unasked else "the authorizer was not asked"
        seen = (outcome.decision["event"], outcome.decision["decision"], outcome.decision.get("reason", ""))
        expected = (EVENTS[kind], case.decision, case.reason)
        return "" if seen == expected else f"expected {' '.join(expected)}, not {' '.join(seen)}"

    def contradiction(self, kind: str, case: Case, outcome: Outcome) -> str:
        """Where nobody wrote down what is expected, the answer must be what the authorizer decided, and never a failure."""
        if outcome.answer.status >= 500:
            return "a failure"
        if not outcome.decision:
            return ""
        status = case.status(kind, bool(self.stack.local), outcome.decision["decision"])
        if outcome.answer.status != status and not (outcome.decision["decision"] == "allow" and outcome.answer.status not in (401, 403)):
            return f"the authorizer decided {outcome.decision['decision']}"
        reason = outcome.decision.get("reason", "")
        return f"expected {case.reason}, not {reason or 'allow'}" if case.reason and case.reason != reason else ""


class Decisions:
    """The authorizer's `decision` lines, as they come into its log group."""

    def __init__(self, stack: Stack):
        self.logs = stack.aws("logs")
        self.group = stack.outputs["AuthorizerLogGroup"]
        self.start = 0
        self.seen: set[str] = set()

    def skip(self) -> None:
        """Forgets what was decided up to now."""
        self.new()

    def next(self) -> dict | None:
        """The one decision since; None if there is none."""
        found = self.new()
        if len(found) > 1:
            raise Failure(f"one request, {len(found)} decisions: {found}")
        return found[0] if found else None

    def new(self) -> list[dict]:
        pages = self.logs.get_paginator("filter_log_events")
        pages = pages.paginate(logGroupName=self.group, startTime=self.start)
        entries = [entry for page in pages for entry in page["events"]]
        self.start = max([self.start, *(entry["timestamp"] for entry in entries)])
        lines = [line for line in (read(entry["message"]) for entry in entries) if line.get("message") == "decision"]
        lines = [line for line in lines if line["request_id"] not in self.seen]
        self.seen |= {line["request_id"] for line in lines}
        return lines


def read(line: str) -> dict:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def revoke(stack: Stack, token: str) -> None:
    """As an operator would. The token goes in by standard input: arguments are for everybody to see."""
    target = os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parent.parent / "target")
    authctl = os.environ.get("AUTHCTL") or Path(target, "debug", "authctl")
    command = [authctl, "revoke", "token", "--reason", "lost laptop", "-"]
    print(f"\n  $ {' '.join(['authctl', *command[1:]])}")
    environment = credentials() | {"REVOCATIONS_TABLE": stack.outputs["RevocationsTable"]}
    told = subprocess.run(command, input=token, env=environment, text=True, capture_output=True, timeout=30)
    print("".join(f"  {line}\n" for line in (told.stdout + told.stderr).splitlines()))
    if told.returncode:
        raise Failure("authctl could not revoke the token")


def shown(body: str) -> str:
    """The body on a line. Of the sample backend's, what it was told of the caller, the most telling first."""
    members = read(body)
    if caller := members.get("authorizer"):
        named = [
            f"{name}={caller[name]}" for name in ("username", "groups", "scope", "client_id", "sub") if name in caller
        ]
        text = "the backend sees " + ", ".join(named)
    elif "$context.authorizer." in body:
        text = json.dumps({"message": members["message"]})[:-1] + ", ...}"
    else:
        text = " ".join(body.split())
    return text if len(text) <= BODY else text[: BODY - 1] + "…"


def coloured(status: int, decision: str) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return str(status)
    return f"\033[{COLOURS.get(decision, '0')}m{status}\033[0m"
