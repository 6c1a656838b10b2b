"""template.yaml as text: where its functions' code is, what it takes and what it nests."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
# What each function's folder holds beside the program, as the Makefile's build-... targets have it.
FUNCTIONS = {
    "AuthorizerFunction": ("authorizer", ["authorizer.yaml"]),
    "RevokerFunction": ("revoker", []),
    "EnricherFunction": ("enricher", ["enricher.yaml"]),
}


def functions(text: str) -> dict[str, tuple[str, list[str]]]:
    """Those of the functions that the template has."""
    return {function: code for function, code in FUNCTIONS.items() if f"\n  {function}:\n" in text}


def with_code(text: str, folders: dict[str, str]) -> str:
    """The template, with the folder that holds each function's code."""
    for function, folder in folders.items():
        start = text.index(f"\n  {function}:\n")
        text = text[:start] + text[start:].replace("CodeUri: .\n", f"CodeUri: {folder}\n", 1)
    return text


def with_files_of(text: str, folder: Path) -> str:
    """The template, which stood in that folder, with full paths of the files that it names: SAM looks for them beside the template."""
    return re.sub(
        r"^( +(?:TemplateURL|LicenseUrl|ReadmeUrl): )(?!\w+://)(\S+)$", lambda found: f"{found[1]}{folder / found[2]}", text, flags=re.MULTILINE
    )


def has_api(text: str) -> bool:
    return bool(re.search(r"^    Type: AWS::(Serverless::(Api|HttpApi|WebSocketApi)|ApiGateway\w*::\w+)\b", text, re.MULTILINE))


def nested_templates(text: str) -> list[str]:
    return re.findall(r"TemplateURL: (\S+)", text)


def parameters(text: str) -> dict[str, str]:
    """The names of the parameters, with their defaults; empty where there is none."""
    section = text.partition("\nParameters:\n")[2].partition("\n\n")[0]
    found = {}
    for block in re.finditer(r"^  (\w+):\n((?:    .*\n?)+)", section + "\n", re.MULTILINE):
        default = re.search(r"^    Default: (.*)$", block[2], re.MULTILINE)
        found[block[1]] = default[1].strip('"') if default else ""
    return found
