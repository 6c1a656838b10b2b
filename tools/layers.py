"""Holds src/ and operator/src/ to their layers: who may import whom, and what the pure layers never say.

Reads text, not Rust: comments, literals and tests are left out, and every `crate::<module>` that remains counts as an
import. A new top-level module has to be given its place in MAY_IMPORT.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
OPERATOR = ROOT / "operator" / "src"
ANY = None

MAY_IMPORT = {
    "request": set(),
    "denial": set(),
    "lock": {"denial"},
    "printable": set(),
    "bounded_store": set(),
    "token": {"request", "denial", "lock", "printable", "bounded_store"},
    "access": {"request", "denial", "lock", "token"},
    "permissions": {"request", "denial", "time", "token", "access"},
    "age_clock": set(),
    "time": {"request"},
    "http": {"denial", "lock", "printable", "age_clock"},
    "keys": {"denial", "lock", "age_clock", "token", "http"},
    "substitute": {"token"},
    "live": {"substitute", "request", "denial", "lock", "bounded_store", "age_clock", "token", "access", "http", "keys"},
    "credentials": {"request", "denial", "token"},
    "issuers": {"request", "denial", "token", "access", "credentials", "live"},
    "policies": {"substitute", "request", "denial", "bounded_store", "token", "access", "permissions", "http", "live"},
    "authorizer": {"request", "denial", "token", "access", "permissions", "http", "keys", "live", "credentials", "issuers", "policies"},
    "metrics": {"http"},
    # Of token the Claims of a permit and, as of credentials, what a TOKEN event carries.
    "gateway": {"request", "denial", "time", "token", "access", "credentials", "authorizer", "metrics"},
    "secrets": {"http"},
    "config": ANY,
    "json_lines": {"time"},
    "logging": set(),
    "lib": set(),
    "main": {"config", "gateway", "logging"},
}

# The same for operator/: what each of its modules takes from the authorizer.
OPERATOR_MAY_IMPORT = {
    "keys": {"request", "http", "live", "credentials"},
    "revoking": {"request", "time", "http", "live", "credentials"},
    "workbench": ANY,
    "enriching": {"config", "http"},
    "bin": ANY,
    "lib": set(),
}

# Modules that main.rs declares are its own, not the library's.
PARTS_OF_MAIN = re.findall(r"^mod (\w+);", (SRC / "main.rs").read_text(), re.MULTILINE)

# These wait for nothing, ask nobody and read no clock: what they need is handed to them.
PURE = ("token", "access", "permissions", "credentials")
IMPURE = re.compile(
    r"\basync\b|\bawait\b|\baws_(?!lc_rs\b)\w*|\bstd::(?:env|net|fs|process)\b|\bnow\(\)|\bSystemTime\b"
)

# Who may state what a permit asks for: the file that found it out.
PROOFS = {
    "Live::assertion": "live/live_check.rs",
    "Vouched::assertion": "live/live_check.rs",
    "Granted::assertion": "permissions/verdict.rs",
    "VerifiedRecord::of_api_key": "credentials/api_key.rs",
    "VerifiedRecord::of_certificate": "credentials/certificate/mod.rs",
    "VerifiedRecord::of_signature": "credentials/signature/signed_request.rs",
}

COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/|r(\#*)".*?"\1|'(?:\\.[^']*|[^'\\])'|"(?:\\.|[^"\\])*\"""", re.DOTALL
)
TESTS = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{.*", re.DOTALL)  # by custom the last item of a file
IMPORT = re.compile(r"\b(?:crate|cognito_authorizer)::(?:(\w+)|\{)")
OPERATOR_IMPORT = re.compile(r"\bcognito_authorizer::(?:(\w+)|\{)")  # `crate` is another one there


def code(path: Path) -> str:
    """The file without comments, literals and tests; lines keep their numbers."""
    blanked = COMMENT_OR_LITERAL.sub(lambda match: "\n" * match.group().count("\n"), path.read_text())
    return TESTS.sub("", blanked)


def imports(pattern: re.Pattern, text: str):
    """Each top-level module that is named, with its line."""
    for match in pattern.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match.group(1):
            yield line, match.group(1)
        else:
            for name in top_level_names(text[match.end() :]):
                yield line, name


def top_level_names(group: str):
    """`a, b::{c, d}, e};` -> a, b, e"""
    depth, flat = 1, ""
    for char in group:
        depth += (char == "{") - (char == "}")
        if depth == 0:
            break
        if depth == 1:
            flat += char
    return [name.split("::")[0].strip() for name in flat.split(",") if name.strip()]


def layer_of(path: Path, source: Path) -> str:
    module = path.relative_to(source).parts[0].removesuffix(".rs")
    return "main" if source == SRC and module in PARTS_OF_MAIN else module


def faults(path: Path, source: Path):
    layer, text = layer_of(path, source), code(path)
    table, pattern = (MAY_IMPORT, IMPORT) if source == SRC else (OPERATOR_MAY_IMPORT, OPERATOR_IMPORT)
    if layer not in table:
        yield 1, f"`{layer}` has no place in MAY_IMPORT"
        return
    allowed = table[layer]
    for line, name in imports(pattern, text):
        if allowed is not ANY and name != layer and name not in allowed:
            yield line, f"`{layer}` must not import `{name}`"
    for proof, place in PROOFS.items():
        if proof in text and path.relative_to(ROOT).as_posix() != f"src/{place}":
            yield text.count("\n", 0, text.index(proof)) + 1, f"only {place} may say `{proof}`"
    if source == SRC and layer in PURE:
        for match in IMPURE.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, f"`{layer}` must not say `{match.group()}`"


def main() -> int:
    sources = [(path, source) for source in (SRC, OPERATOR) for path in sorted(source.rglob("*.rs"))]
    files = [(path, source) for path, source in sources if not path.stem.endswith("tests")]
    found = [f"{path.relative_to(ROOT)}:{line}: {fault}" for path, source in files for line, fault in faults(path, source)]
    print("\n".join(found) or f"{len(files)} files keep to their layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
