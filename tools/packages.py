"""A release's packages, checksums and provenance statement: packages.py zip PROGRAM ZIP | statement FOLDER

A package is the program alone, as `bootstrap`, which is what Lambda starts; `make deploy PREBUILT=...` adds authorizer.yaml. It is the same,
byte for byte, for the same program: no time and no order of a file system is in it.
"""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

STATEMENT = "provenance.json"
SUMS = "SHA256SUMS"
BEGINNING = (1980, 1, 1, 0, 0, 0)  # of time, to a zip


def write_zip(program: Path, package: Path) -> None:
    entry = zipfile.ZipInfo("bootstrap", BEGINNING)
    entry.external_attr = 0o100755 << 16
    entry.create_system = 3  # Unix: else Lambda would not see that it may be run
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, program.read_bytes(), compresslevel=9)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name not in (STATEMENT, SUMS))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def statement(folder: Path, commit: str, environment: dict[str, str]) -> dict:
    """An in-toto statement with the SLSA predicate: which files were made of which commit, by whom. It is as good as who hands it over;
    the release workflow has it signed (GitHub's attestations)."""
    server, repository = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    source = f"git+{server}/{repository}" if repository else "git+local"
    run = f"{server}/{repository}/actions/runs/{environment.get('GITHUB_RUN_ID')}" if repository else None
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in digests(folder).items()],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "make release",
                "externalParameters": {"architectures": environment.get("ARCHITECTURES", "x86_64").split()},
                "resolvedDependencies": [{"uri": source, "digest": {"gitCommit": commit}}],
            },
            "runDetails": {"builder": {"id": run or "a developer's machine"}},
        },
    }


def main() -> int:
    match sys.argv[1:]:
        case ["zip", program, package]:
            write_zip(Path(program), Path(package))
        case ["statement", folder]:
            commit = os.environ.get("SOURCE_COMMIT") or subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
            target = Path(folder)
            made = json.dumps(statement(target, commit, dict(os.environ)), indent=2)
            (target / STATEMENT).write_text(made + "\n")
            listed = digests(target) | {STATEMENT: hashlib.sha256((made + "\n").encode()).hexdigest()}
            (target / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(listed.items())))
        case _:
            sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
