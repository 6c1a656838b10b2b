"""Holds src/ to its layers: who may import whom, and what the pure layers never say.

Reads text, not Rust: comments, literals and tests are left out, and every `crate::<module>` that remains counts as an
import. A new top-level module has to be given its place in MAY_IMPORT.
"""

import re
import sys
from pathlib import Path

SRC = Path(__file__).resolve().parent.parent / "src"
ANY = None

MAY_IMPORT = {
    "request": set(),
    "denial": set(),
    "token": {"request", "denial"},
    "access": {"request", "denial", "token"},
    "permissions": {"request", "denial", "token", "access"},
    "remote": {"request", "denial", "token", "access", "permissions"},
    "authorizer": {"request", "denial", "token", "access", "permissions", "remote"},
    "metrics": {"remote"},
    "gateway": {"request", "denial", "token", "access", "authorizer", "metrics"},  # of token: the Claims of a permit
    "revoking": {"request", "remote"},
    "config": ANY,
    "bin": ANY,  # in a program `crate` is the program itself
    "lib": set(),
    "main": {"config", "gateway"},
}

# Modules that main.rs declares are its own, not the library's.
PARTS_OF_MAIN = re.findall(r"^mod (\w+);", (SRC / "main.rs").read_text(), re.MULTILINE)

# token/, access/ and permissions/ wait for nothing, ask nobody and read no clock: what they need is handed to them.
PURE = ("token", "access", "permissions")
IMPURE = re.compile(
    r"\basync\b|\bawait\b|\baws_(?!lc_rs\b)\w*|\bstd::(?:env|net|fs|process)\b|\bnow\(\)|\bSystemTime\b"
)

# Who may state what a permit asks for: the file that found it out.
PROOFS = {
    "Live::assertion": "remote/live_check.rs",
    "Granted::assertion": "permissions/verdict.rs",
}

COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/|r(\#*)".*?"\1|'(?:\\.[^']*|[^'\\])'|"(?:\\.|[^"\\])*\"""", re.DOTALL
)
TESTS = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{.*", re.DOTALL)  # by custom the last item of a file
IMPORT = re.compile(r"\b(?:crate|cognito_authorizer)::(?:(\w+)|\{)")


def code(path: Path) -> str:
    """The file without comments, literals and tests; lines keep their numbers."""
    blanked = COMMENT_OR_LITERAL.sub(lambda match: "\n" * match.group().count("\n"), path.read_text())
    return TESTS.sub("", blanked)


def imports(text: str):
    """Each top-level module that is named, with its line."""
    for match in IMPORT.finditer(text):
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


def layer_of(path: Path) -> str:
    module = path.relative_to(SRC).parts[0].removesuffix(".rs")
    return "main" if module in PARTS_OF_MAIN else module


def faults(path: Path):
    layer, text = layer_of(path), code(path)
    if layer not in MAY_IMPORT:
        yield 1, f"`{layer}` has no place in MAY_IMPORT"
        return
    allowed = MAY_IMPORT[layer]
    for line, name in imports(text):
        if allowed is not ANY and name != layer and name not in allowed:
            yield line, f"`{layer}` must not import `{name}`"
    for proof, place in PROOFS.items():
        if proof in text and path.relative_to(SRC).as_posix() != place:
            yield text.count("\n", 0, text.index(proof)) + 1, f"only {place} may say `{proof}`"
    if layer in PURE:
        for match in IMPURE.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, f"`{layer}` must not say `{match.group()}`"


def main() -> int:
    files = [path for path in sorted(SRC.rglob("*.rs")) if not path.stem.endswith("tests")]
    found = [f"{path.relative_to(SRC.parent)}:{line}: {fault}" for path in files for line, fault in faults(path)]
    print("\n".join(found) or f"{len(files)} files keep to their layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
