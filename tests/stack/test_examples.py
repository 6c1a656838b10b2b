"""The examples: each template holds the very text of its authorizer.yaml, and each folder has what a reader expects."""

import re
import unittest
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
INDENTATION = " " * 10


def inline(template: str) -> str:
    """The text of the parameter `Configuration`."""
    _, rest = template.split("        Configuration: |\n")
    lines = re.match(rf"(?:{INDENTATION}.*\n|\n)*", rest).group().splitlines()
    return "\n".join(line.removeprefix(INDENTATION) for line in lines).strip() + "\n"


class Examples(unittest.TestCase):
    def test_each_template_has_the_text_of_its_configuration(self):
        self.assertGreaterEqual(len(FOLDERS), 5)
        for folder in FOLDERS:
            with self.subTest(folder.name):
                configuration = (folder / "authorizer.yaml").read_text()
                self.assertEqual(inline((folder / "template.yaml").read_text()), configuration)
                self.assertLessEqual(len(configuration), 4096, "the parameter takes no more")

    def test_each_folder_is_complete_and_listed(self):
        listed = (EXAMPLES / "README.md").read_text()
        for folder in FOLDERS:
            with self.subTest(folder.name):
                names = {path.name for path in folder.iterdir()}
                self.assertEqual(names, {"README.md", "authorizer.yaml", "authorizer.test.yaml", "template.yaml"})
                self.assertIn(f"]({folder.name}/README.md)", listed)


if __name__ == "__main__":
    unittest.main()
