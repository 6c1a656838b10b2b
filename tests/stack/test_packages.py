"""A release's packages: what Lambda takes, the same for the same program, and vouched for."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "tools"))

import packages  # noqa: E402


class Packages(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.program = self.folder / "program"
        self.program.write_bytes(b"\x7fELF" + bytes(5000))

    def test_a_package_is_the_program_that_lambda_starts_and_the_same_each_time(self):
        made = []
        for name in ("one.zip", "two.zip"):
            packages.write_zip(self.program, self.folder / name)
            self.program.touch()
            made.append((self.folder / name).read_bytes())
        self.assertEqual(made[0], made[1])
        with zipfile.ZipFile(self.folder / "one.zip") as archive:
            [entry] = archive.infolist()
        self.assertEqual((entry.filename, entry.external_attr >> 16, entry.create_system), ("bootstrap", 0o100755, 3))

    def test_the_statement_names_every_file_its_digest_and_the_commit(self):
        release = self.folder / "release"
        release.mkdir()
        packages.write_zip(self.program, release / "authorizer-x86_64.zip")
        environment = os.environ | {"SOURCE_COMMIT": "c0ffee"}
        subprocess.run([sys.executable, REPOSITORY / "tools/packages.py", "statement", release], check=True, env=environment)
        made = json.loads((release / packages.STATEMENT).read_text())
        self.assertEqual([each["name"] for each in made["subject"]], ["authorizer-x86_64.zip"])
        self.assertEqual(made["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"], {"gitCommit": "c0ffee"})
        checked = subprocess.run(["sha256sum", "--check", packages.SUMS], cwd=release, text=True, capture_output=True)
        self.assertEqual(checked.stdout, "authorizer-x86_64.zip: OK\nprovenance.json: OK\n", checked.stderr)

    def test_who_built_it_is_the_workflows_run_or_nobody_in_particular(self):
        github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"}
        for environment, builder in ((github, "https://github.com/o/r/actions/runs/7"), ({}, "a developer's machine")):
            made = packages.statement(self.folder, "c0ffee", environment)
            self.assertEqual(made["predicate"]["runDetails"]["builder"]["id"], builder)


class Workflow(unittest.TestCase):
    def test_the_release_job_publishes_what_make_release_makes_and_may_do_no_more_than_that(self):
        import yaml

        text = (REPOSITORY / ".github/workflows/release.yml").read_text()
        workflow = yaml.safe_load(text)
        # `on` is a boolean to YAML.
        self.assertEqual(workflow[True], {"push": {"tags": ["v*"]}})
        self.assertEqual(workflow["permissions"], {"contents": "read"})
        [job] = workflow["jobs"].values()
        self.assertEqual(job["permissions"], {"contents": "write", "id-token": "write", "attestations": "write"})
        self.assertIn("make release", text)
        self.assertIn("target/release-files", text)


if __name__ == "__main__":
    unittest.main()
