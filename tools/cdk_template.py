"""Writes cdk/template.json: template-authorizer.yaml after SAM's transform, which the CDK construct includes.

Run with the Python of .venv/local. `cdk_template.py --check` fails where the file is not what would be written.
"""

import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests/stack"))

from couplings import Stack  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

TARGET = REPOSITORY / "cdk/template.json"


def made() -> str:
    template = yaml_parse((REPOSITORY / "template-authorizer.yaml").read_text())
    resources = Stack(template, {}).resources
    for resource in resources.values():
        resource.pop("Metadata", None)
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"S3Bucket": "asset", "S3Key": "asset"}  # the construct gives its own
    included = {name: template[name] for name in ("Parameters", "Conditions")} | {"Resources": resources}
    return json.dumps(included, indent=1, sort_keys=True) + "\n"


def main() -> int:
    if "--check" in sys.argv:
        if TARGET.read_text() != made():
            sys.exit(f"{TARGET} is not what {Path(__file__).name} makes: make templates, and commit what it writes")
        return 0
    TARGET.write_text(made())
    return 0


if __name__ == "__main__":
    sys.exit(main())
