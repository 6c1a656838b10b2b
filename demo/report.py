"""The answers of a real account to what no document and no emulator says; `make smoke` prints them after the walk.

Nothing in it names the account, the stack, a token or a user: it is there to be sent back.
"""

import json
import time

import client
import table
from botocore.exceptions import BotoCoreError, ClientError
from pool import part
from stack import Stack

ORIGIN = "https://somewhere-else.example.com"
LOG_PATIENCE_SECONDS = 60


class Report:
    def __init__(self, stack: Stack, tokens: dict[str, str | None], urls: dict[str, str], cached: str | None):
        self.stack, self.tokens, self.urls, self.cached = stack, tokens, urls, cached
        self.began = int(time.time() * 1000) - 900_000
        self.sample = table.is_sample(table.routes())

    def print(self) -> None:
        print("\nWhat this account says to the open questions (docs/first-deployment.md); please send it back\n")
        for question, ask in (
            ("region", lambda: self.stack.aws("cloudformation").meta.region_name),
            ("trail that logs management events", self.trail),
            ("path in the event's ARN", self.arn_path),
            ("dot segments", self.dot_segments),
            ("refusal of the REST API says why", self.refusal_says_why),
            ("WebSocket refusal without a token", self.websocket_refusal),
            ("HTTP API refusal has the headers of CORS", self.refusal_with_cors),
            ("cache of the REST API, keyed by method and path", lambda: self.caches("rest")),
            ("cache of the HTTP API, keyed by route and path", lambda: self.caches("http")),
            ("headers of a REST refusal by 401", self.unauthorized_headers),
            ("decision lines", self.decision_lines),
            ("cold starts", self.cold_starts),
            ("metrics of the functions", self.metrics),
            ("access logs", self.access_logs),
            ("alarms that are on", self.alarms),
        ):
            print(f"  {question:52}{self.answer(ask)}", flush=True)

    @staticmethod
    def answer(ask) -> str:
        try:
            return ask()
        except ClientError as error:
            return f"not known: {error.response['Error']['Code']}"
        except (BotoCoreError, OSError, KeyError, ValueError) as error:
            return f"not known: {type(error).__name__}"

    def trail(self) -> str:
        aws = self.stack.aws("cloudtrail")
        found = [trail for trail in aws.describe_trails(includeShadowTrails=True)["trailList"] if logs_management_events(aws, trail)]
        if found:
            return f"yes, {len(found)}"
        return "NO: the revoker hears of no sign-out (docs/revoking.md)"

    def ask(self, kind: str, method: str, path: str, who: str, **headers: str) -> client.Answer | None:
        if kind not in self.urls or who not in self.tokens:
            return None
        return client.request(self.urls[kind], method, path, self.tokens[who], **headers)

    def arn_path(self) -> str:
        """Encoded twice, the reader's `sub` is theirs only where the ARN has been decoded once."""
        if not self.sample or "reader" not in self.tokens:
            return "not asked"
        own = part(self.tokens["reader"], 1)["sub"]
        twice = f"%25{ord(own[0]):02X}{own[1:]}"
        told = []
        for kind in ("rest", "http"):
            if answer := self.ask(kind, "GET", f"/users/{twice}/orders", "reader"):
                told.append(f"{kind}: {'decoded' if answer.status == 200 else 'as it was sent'} ({answer.status})")
        return ", ".join(told) or "not asked"

    def dot_segments(self) -> str:
        if not self.sample:
            return "not asked"
        told = []
        for kind in ("rest", "http"):
            if answer := self.ask(kind, "GET", "/public/../items", "reader"):
                meaning = {200: "taken out before the authorizer", 403: "refused"}.get(answer.status, "by API Gateway itself")
                told.append(f"{kind}: {meaning} ({answer.status})")
        return ", ".join(told) or "not asked"

    def refusal_says_why(self) -> str:
        answer = self.ask("rest", "POST", "/items", "reader") if self.sample else None
        if not answer:
            return "not asked"
        return {"insufficient_scope": "yes"}.get(answer.json().get("reason"), f"no: {answer.text[:60]}")

    def websocket_refusal(self) -> str:
        if "websocket" not in self.urls:
            return "not asked"
        return str(client.connect(self.urls["websocket"], None).status)

    def refusal_with_cors(self) -> str:
        answer = self.ask("http", "GET", "/no/such/route", "junk", origin=self.stack.parameters.get("WebOrigin", ORIGIN))
        if not answer:
            return "not asked"
        return f"{'yes' if 'access-control-allow-origin' in answer.headers else 'no'} ({answer.status})"

    def unauthorized_headers(self) -> str:
        answer = self.ask("rest", "GET", "/no/such/route", "junk")
        return f"www-authenticate: {answer.headers.get('www-authenticate')} ({answer.status})" if answer else "not asked"

    def caches(self, kind: str) -> str:
        """How often the authorizer was asked for four requests with one token: two routes, each twice."""
        if not self.sample or kind not in self.urls or not self.cached:
            return "not asked"
        before = self.lines(self.cached)
        for _ in range(2):
            for method in ("GET", "POST"):
                client.request(self.urls[kind], method, "/items", self.cached)
        deadline = time.monotonic() + (5 if self.stack.local else LOG_PATIENCE_SECONDS)
        asked = 0
        while time.monotonic() < deadline:
            asked = max(asked, self.lines(self.cached) - before)
            if asked >= 4:
                break
            time.sleep(2)
        return {0: "not known: no line came", 2: "yes"}.get(asked, f"{asked} of 4 were asked; 2 are expected")

    def events(self, pattern: str) -> list[str]:
        pages = self.stack.aws("logs").get_paginator("filter_log_events")
        pages = pages.paginate(logGroupName=self.stack.outputs["AuthorizerLogGroup"], startTime=self.began, filterPattern=pattern)
        return [entry["message"] for page in pages for entry in page["events"]]

    def lines(self, token: str) -> int:
        jti = part(token, 1).get("jti", "?")
        return sum(jti in line for line in self.events(f'"{jti}"') if '"decision"' in line and '"_aws"' not in line)

    def decision_lines(self) -> str:
        found = [json.loads(line) for line in self.events('{ $.message = "decision" }')]
        times = sorted(line["duration_us"] for line in found if "duration_us" in line)
        return f"{len(found)}, duration_us p50 {times[len(times) // 2]}, max {times[-1]}" if times else "none yet"

    def cold_starts(self) -> str:
        found = [line for line in self.events('"Init Duration"') if "Init Duration: " in line]
        times = [line.partition("Init Duration: ")[2].split("\t")[0].strip() for line in found]
        return ", ".join(times[:5]) or "none yet"

    def metrics(self) -> str:
        found = self.stack.aws("cloudwatch").list_metrics(Namespace=f"CognitoAuthorizer/{self.stack.name}")["Metrics"]
        return f"{len({metric['MetricName'] for metric in found})} names" if found else "none yet; they take minutes"

    def access_logs(self) -> str:
        told = []
        for name in ("RestAccessLogs", "HttpAccessLogs", "WebSocketAccessLogs"):
            if group := self.stack.resources.get(name):
                streams = self.stack.aws("logs").describe_log_streams(logGroupName=group)["logStreams"]
                told.append(f"{name}: {'yes' if streams else 'none yet'}")
        return ", ".join(told)

    def alarms(self) -> str:
        pages = self.stack.aws("cloudwatch").get_paginator("describe_alarms").paginate(StateValue="ALARM")
        ours = set(self.stack.resources.values())
        names = {physical: logical for logical, physical in self.stack.resources.items()}
        found = [names[alarm["AlarmName"]] for page in pages for alarm in page["MetricAlarms"] if alarm["AlarmName"] in ours]
        return ", ".join(sorted(found)) or "none"


def logs_management_events(aws, trail: dict) -> bool:
    """Whether it logs writes of management events here; a trail that may not be looked at is taken to."""
    arn, region = trail["TrailARN"], aws.meta.region_name
    if not (trail.get("IsMultiRegionTrail") or trail.get("HomeRegion") == region):
        return False
    if not aws.get_trail_status(Name=arn).get("IsLogging"):
        return False
    selectors = aws.get_event_selectors(TrailName=arn)
    plain = [each for each in selectors.get("EventSelectors", []) if each.get("IncludeManagementEvents")]
    if any(each.get("ReadWriteType", "All") in ("All", "WriteOnly") for each in plain):
        return True
    for each in selectors.get("AdvancedEventSelectors", []):
        fields = {field["Field"]: field for field in each["FieldSelectors"]}
        if "Management" in fields.get("eventCategory", {}).get("Equals", []):
            if "true" not in fields.get("readOnly", {}).get("Equals", []):
                return True
    return False
