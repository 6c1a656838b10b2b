"""The samples of events/, made to ask for another route with another credential.

Whatever else a sample holds stays as API Gateway sent it.
"""

import json
import re
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "events"

# The kinds, as the function's log names them.
FILES = {
    "rest_token": "rest-token.json",
    "rest_request": "rest-request.json",
    "http_1.0": "http-1.0.json",
    "http_2.0": "http-2.0.json",
    "websocket": "websocket-connect.json",
}


def event(kind: str, method: str, route: str, path: str, token: str | None) -> dict:
    """An event of that kind. `route` is API Gateway's path template, `path` what the client asked for."""
    made = json.loads((SAMPLES / FILES[kind]).read_text())
    carry(made, kind, None if token is None else f"Bearer {token}")
    if kind != "websocket":
        ask(made, kind, method, route, path)
    return made


def filled(name: str, tokens: dict[str, str | None], subjects: dict[str, str]) -> str:
    """The sample of that name as it is, with live tokens and subjects for its `${READER}`, `${READER_SUB}` and so on."""
    values = {placeholder(who): token for who, token in tokens.items()}
    values |= {placeholder(f"{who} sub"): subject for who, subject in subjects.items()}
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match.group(1)], (SAMPLES / name).read_text())


def placeholder(words: str) -> str:
    return words.upper().replace(" ", "_")


def carry(event: dict, kind: str, authorization: str | None) -> None:
    """The `Authorization` header, and the copies of it that API Gateway makes."""
    if kind in ("rest_token", "http_1.0"):
        replace(event, "authorizationToken", authorization)
    if kind == "http_1.0":
        replace(event, "identitySource", authorization)
    if kind == "http_2.0":
        replace(event, "identitySource", authorization and [authorization])
    replace(event.get("headers", {}), "authorization", authorization)
    replace(event.get("multiValueHeaders", {}), "authorization", authorization and [authorization])


def ask(event: dict, kind: str, method: str, route: str, path: str) -> None:
    """The ARN, which is what the authorizer goes by, and the places where events say it again."""
    arn = "routeArn" if kind == "http_2.0" else "methodArn"
    api, stage = event[arn].split("/")[:2]
    event[arn] = f"{api}/{stage}/{method}{path}"
    if kind == "rest_token":
        return

    with_stage = path if stage == "$default" else f"/{stage}{path}"
    event["pathParameters"] = parameters(route, path)
    if kind == "http_2.0":
        route_key = route if route == "$default" else f"{method} {route}"
        event |= {"rawPath": with_stage, "routeKey": route_key}
        event["requestContext"]["routeKey"] = route_key
        event["requestContext"]["http"] |= {"method": method, "path": with_stage}
    else:
        event |= {"path": path, "httpMethod": method, "resource": route}
        event["requestContext"] |= {"path": with_stage, "httpMethod": method, "resourcePath": route}


def replace(members: dict, name: str, value) -> None:
    """Sets the member, whatever the case of its name; None removes it."""
    for present in [present for present in members if present.lower() == name.lower()]:
        if value is None:
            del members[present]
        else:
            members[present] = value


def parameters(route: str, path: str) -> dict[str, str]:
    """/users/{user_id}/{proxy+}, /users/7/orders/1 -> {"user_id": "7", "proxy": "orders/1"}"""
    pattern = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", route)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    found = re.fullmatch(pattern, path)
    return found.groupdict() if found else {}
