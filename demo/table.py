"""What the walk asks for when authorizer.yaml has a table of its own.

The rows of cases.py are about the sample's routes. For any other table the rows are those of `authorizer.test.yaml`, as far as they are
about the people of the walk; without that file each rule is asked once by each of them, and the answer is held against what the
authorizer itself logged.
"""

import os
import re
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLE = [
    "GET /items",
    "POST /items",
    "ANY /users/{user_id}/{proxy+}",
    "ANY /admin/{proxy+}",
    "$connect",
]
PEOPLE = ("reader", "writer", "admin", "machine")
NOBODY = ("nobody", "none", "anonymous")


def routes(folder: Path = REPOSITORY) -> dict[str, dict]:
    return yaml.safe_load((folder / "authorizer.yaml").read_text())["routes"]


def is_sample(table: dict[str, dict]) -> bool:
    """Whether the rows of cases.py are about these routes."""
    return set(table) == set(SAMPLE)


def has_cedar() -> bool:
    """Whether the programs were built with Cedar, as the Makefile's FEATURES says."""
    return "cedar" in os.environ.get("FEATURES", "")


def concrete(key: str) -> tuple[str, str]:
    """A request that the rule serves; each of its parameters is the reader's `sub`, in case the rule wants that."""
    method, _, path = key.partition(" ")
    path = re.sub(r"\{[^}]+\+\}", "a/b", path)
    path = re.sub(r"\{([^}]+)\}", lambda name: name.group() if name.group(1) in PEOPLE else "{reader}", path)
    return "GET" if method == "ANY" else method, path


def requests(table: dict[str, dict]) -> dict[str, tuple[str, str]]:
    return {key: concrete(key) for key in table if not key.startswith("$")}


def introspects(rule) -> bool:
    return isinstance(rule, dict) and rule.get("introspect") is True


def own_tests(file: Path = REPOSITORY / "authorizer.test.yaml") -> list[tuple[str, str, str, str]]:
    """(who, method, path, expected) of the tests that people of the walk can make: `authctl test` runs all of them (docs/testing.md)."""
    if not file.is_file():
        return []
    rows = []
    for test in yaml.safe_load(file.read_text()).get("tests", []):
        asked = listed(test.get("requests") or test.get("request"))
        # Neither the time nor the client's address can be chosen here.
        if not asked or {"event", "at", "source_ip"} & set(test):
            continue
        who, expected = listed(test.get("as")), listed(test.get("expect"))
        for index, person in enumerate(who):
            person = "none" if person in NOBODY else person
            for number, request in enumerate(asked):
                verdict = expected[0] if len(expected) == 1 else expected[index] if len(expected) == len(who) else expected[number]
                if person in (*PEOPLE, "none") and not request.startswith("$"):
                    rows.append((person, *concrete(request), verdict))
    return rows


def listed(value) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]
