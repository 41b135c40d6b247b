import tempfile
import unittest

from support import load, write_tree

check_docs = load("check-docs")


class CheckingDocumentation(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, files)
            return check_docs.check(root)

    def test_good_links_pass(self):
        files = {
            "README.md": "# Hello, `World`!\n[a](docs/a.md) [b](docs/a.md#two-words-1) [c](#hello-world) [d](docs/)\n"
            "[e](https://example.org/x.md) [f](mailto:a@example.org) ![g](docs/a.png \"title\")\n[h]: docs/a.md\n",
            "docs/a.md": "## Two words\n\n## Two words\n[up](../README.md) [top](/README.md)\n",
            "docs/a.png": "",
        }
        self.assertEqual(self.findings(files), [])

    def test_a_dead_link_is_named_with_its_place(self):
        self.assertEqual(self.findings({"docs/a.md": "\n[b](b.md)\n"}), ["docs/a.md:2: nothing at b.md"])
        self.assertEqual(self.findings({"a.md": "# One\n[x](#two)\n"}), ["a.md:2: no heading for #two"])
        self.assertEqual(self.findings({"a.md": "[x]: gone.md\n"}), ["a.md:1: nothing at gone.md"])

    def test_code_is_not_read(self):
        self.assertEqual(self.findings({"a.md": "`[x](gone.md)`\n```\n[x](gone.md)\n# no heading\n```\n"}), [])

    def test_folders_of_tools_are_not_read(self):
        files = {".build/checkouts/x/a.md": "[x](gone.md)\n", "Web/node_modules/y/a.md": "[x](gone.md)\n"}
        self.assertEqual(self.findings(files), [])

    def test_the_readme_stays_short(self):
        self.assertEqual(self.findings({"README.md": "line\n" * 199}), [])
        self.assertEqual(len(self.findings({"README.md": "line\n" * 200})), 1)

    def test_every_decision_is_listed(self):
        files = {"docs/decisions/README.md": "[1](0001-a.md)\n", "docs/decisions/0001-a.md": ""}
        self.assertEqual(self.findings(files), [])
        files["docs/decisions/0002-b.md"] = ""
        self.assertEqual(len(self.findings(files)), 1)


if __name__ == "__main__":
    unittest.main()
