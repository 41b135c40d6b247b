import tempfile
import unittest
from pathlib import Path

from support import load, write_tree

check_snippets = load("check-snippets")

SOURCE = "func a() {\n    // snippet: one\n    let x = 1\n\n    use(x)\n    // end\n}\n"
MARK = "<!-- snippet: Tests/A.swift#one -->\n"


class CheckingSnippets(unittest.TestCase):
    def findings(self, guide):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, {"Tests/A.swift": SOURCE, "docs/guides/a.md": guide})
            return check_snippets.check(root)

    def test_a_block_that_is_its_region_passes(self):
        self.assertEqual(self.findings(f"# A\n{MARK}```swift\nlet x = 1\n\nuse(x)\n```\n"), [])

    def test_a_block_that_differs_is_named_with_its_place(self):
        found = self.findings(f"# A\n{MARK}```swift\nlet x = 2\n```\n")
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("docs/guides/a.md:2: differs"))

    def test_a_block_without_a_region_fails(self):
        self.assertEqual(len(self.findings("```swift\nlet x = 2\n```\n")), 1)
        self.assertEqual(len(self.findings("<!-- snippet: Tests/A.swift#two -->\n```swift\n```\n")), 1)
        self.assertEqual(len(self.findings("<!-- snippet: Tests/B.swift#one -->\n```swift\n```\n")), 1)

    def test_other_blocks_are_not_read(self):
        self.assertEqual(self.findings("```sh\nmake\n```\n"), [])

    def test_blocks_can_be_written(self):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, {"Tests/A.swift": SOURCE, "docs/guides/a.md": f"{MARK}```swift\n```\n"})
            check_snippets.write(root)
            self.assertEqual(check_snippets.check(root), [])
            text = Path(root, "docs/guides/a.md").read_text(encoding="utf-8")
            self.assertEqual(text, f"{MARK}```swift\nlet x = 1\n\nuse(x)\n```\n")


if __name__ == "__main__":
    unittest.main()
