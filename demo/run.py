"""Real tokens through the real function, for every kind of event, without an AWS account.

Starts a local Cognito (MiniStack) and the function under `cargo lambda watch`, signs users and a machine in, sends the
samples of events/ with their tokens, and prints what was decided. Leaves nothing running.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LEEWAY_SECONDS = 5  # what authorizer.yaml leaves it at

WIDTHS = {"event": 14, "route": 29, "token": 13, "decision": 13, "reason": 19, "answer": 20, "time": 8}
COLOURS = {"allow": "32", "forbidden": "33", "unauthorized": "31", "unavailable": "35"}

NEXT = """
What to try next:
  change a rule in authorizer.yaml and run this again    docs/configuration.md has every setting
  make run HOLD=1                                        keeps it up, for events of your own
  make deploy USER_POOL_ID=... CLIENT_IDS=...            into your AWS account"""

try:
    from cases import AFTER_REVOCATION, BEFORE_REVOCATION, CASES
    from cognito import BRIEF_SECONDS, CREDENTIALS, REGION, local_cognito, wait_until_expired
    from events import SAMPLES, event, filled
    from function import local_function
    from processes import Failure
except ModuleNotFoundError as missing:
    sys.exit(
        f"The Python package `{missing.name}` is missing: start this with `make run`, which installs what it needs."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="fail unless every decision is the expected one")
    mode.add_argument("--hold", action="store_true", help="keep everything up until Ctrl-C")
    arguments = parser.parse_args()

    prepare()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authorizer-demo-")))
        print("Starting a local Cognito (MiniStack) and signing in: three users, three web clients, one machine client")
        cognito = stack.enter_context(local_cognito(folder))
        tokens = cognito.tokens()

        print("Starting the function (cargo lambda watch)")
        aws = {"AWS_ENDPOINT_URL": cognito.url, "AWS_REGION": REGION}
        aws |= {name.upper(): value for name, value in CREDENTIALS.items()}
        aws |= {"REVOCATIONS_TABLE": cognito.revocations_table()}
        environment = aws | {
            "USER_POOL_ID": cognito.pool,
            "CLIENT_IDS": cognito.client_ids(),
            "JWKS_URI": cognito.jwks_uri,
        }
        function = stack.enter_context(local_function(folder, environment, reload=arguments.hold))

        print(f"Letting one token expire: it was issued for {BRIEF_SECONDS} s, and the leeway is {LEEWAY_SECONDS} s\n")
        wait_until_expired(tokens["expired"], LEEWAY_SECONDS)

        surprises = show_table(function, CASES, tokens, cognito.subjects)
        print("\nThe same administrator, before and after the token is revoked:\n")
        surprises += show_table(function, BEFORE_REVOCATION, tokens, cognito.subjects)
        revoke(tokens["admin"], os.environ | aws)
        surprises += show_table(function, AFTER_REVOCATION, tokens, cognito.subjects)
        if surprises and arguments.check:
            print(f"{surprises} of them are not what authorizer.yaml asks for")
            return 1
        if arguments.hold:
            hold(function, tokens, cognito.subjects, folder)
        elif not arguments.check:
            print(NEXT)
    return 0


def prepare() -> None:
    sys.stdout.reconfigure(line_buffering=True)
    os.chdir(REPOSITORY)  # where cargo and the function look for their files
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    for program in ("ministack", "cargo-lambda", "cargo"):
        if not shutil.which(program):
            raise Failure(f"`{program}` is missing: start this with `make run`, which installs all but Rust and Python")
    # Nothing here may reach a real account, or a proxy.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    # A signal unwinds the stack as Ctrl-C does, so that the processes are ended.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def revoke(token: str, environment: dict) -> None:
    """As an operator would. The token goes in by standard input: arguments are for everybody to see."""
    program = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "debug", "authctl")
    command = [program, "revoke", "token", "--reason", "lost laptop", "-"]
    print(f"\n$ {' '.join(['authctl', *command[1:]])}")
    told = subprocess.run(command, input=token, env=environment, text=True, capture_output=True, timeout=30)
    print(told.stdout + told.stderr)
    if told.returncode:
        raise Failure("authctl could not revoke the token")


def show_table(function, groups: dict, tokens: dict, subjects: dict) -> int:
    """Prints a row for each case; returns how many answers were not the expected ones."""
    print(row({name: name for name in WIDTHS}))
    decisions, durations, surprises = [], [], 0
    for kind, cases in groups.items():
        print("-" * sum(WIDTHS.values()))
        for case in cases:
            path = case.path.format(**subjects)
            answer, logged = function.invoke(event(kind, case.method, case.route, path, tokens[case.token]))
            decision, reason = logged["decision"], logged.get("reason", "")
            expected = (kind, case.decision, case.reason, case.answer(kind))
            as_expected = (logged["event"], decision, reason, verdict(answer)) == expected
            decisions.append(decision)
            durations.append(logged["duration_us"])
            surprises += not as_expected
            print(
                row(
                    {
                        "event": kind,
                        "route": f"{case.method} {case.path}".strip(),
                        "token": case.token,
                        "decision": decision,
                        "reason": reason,
                        "answer": verdict(answer),
                        "time": f"{logged['duration_us'] / 1000:.2f} ms",
                    },
                    COLOURS[decision],
                )
                + ("" if as_expected else "  <- expected " + ", ".join(filter(None, expected)))
            )
    counts = ", ".join(f"{decisions.count(decision)} {decision}" for decision in COLOURS if decision in decisions)
    print(f"\n{len(decisions)} requests: {counts}; median {statistics.median(durations) / 1000:.2f} ms (debug build)")
    return surprises


def verdict(answer: dict) -> str:
    if "policyDocument" in answer:
        return "policy " + "/".join({statement["Effect"] for statement in answer["policyDocument"]["Statement"]})
    if "isAuthorized" in answer:
        return f"isAuthorized {json.dumps(answer['isAuthorized'])}"
    return f"error {answer.get('errorMessage')}"


def row(cells: dict[str, str], colour: str = "") -> str:
    padded = {name: cells[name].ljust(width) for name, width in WIDTHS.items()}
    if colour and sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        padded["decision"] = f"\033[{colour}m{padded['decision']}\033[0m"
    return "".join(padded.values()).rstrip()


def hold(function, tokens: dict, subjects: dict, folder: Path) -> None:
    """Leaves the samples with live tokens in the folder, says how to send them, and waits for Ctrl-C."""
    for sample in SAMPLES.glob("*.json"):
        (folder / sample.name).write_text(filled(sample.name, tokens, subjects))
    print(f"""
The function stays up until Ctrl-C. Every sample of events/, with tokens that are good for an hour:
  ls {folder}
  {os.path.relpath(shutil.which("cargo-lambda"))} lambda invoke --invoke-address 127.0.0.1 --invoke-port {function.port} \\
    authorizer --data-file {folder}/http-2.0.json
Change a file and send it again, or change src/: the function is built and started anew.
Its log: {function.process.log}""")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
