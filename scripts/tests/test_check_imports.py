import tempfile
import textwrap
import unittest

from support import SCRIPTS, load, write_tree

check_imports = load("check-imports")

RULES = """
# a comment
Wire: FoundationEssentials|Foundation
Broadcast: Wire
    NIOCore        # continued
    Logging
Adapter: Wire NIO* !NIOPosix
Program: *
"""


def names(source):
    return [(line, module) for line, module, _ in check_imports.imports(textwrap.dedent(source))]


class ReadingImports(unittest.TestCase):
    def test_every_form_of_import(self):
        source = """\
            import A
            public import B
            @testable import C
            @_exported public import D
            @_spi(Internals)
            import E
            @preconcurrency internal import F
            import struct G.Thing
            public import func H.run
            import I.Sub
            import J; import K
                import `L`
            """
        expected = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"]
        self.assertEqual([module for _, module in names(source)], expected)

    def test_lines_are_counted_from_one(self):
        self.assertEqual(names("// first\n\nimport A\n"), [(3, "A")])

    def test_words_that_only_look_like_imports(self):
        self.assertEqual(names("let important = 1\nself.import (B)\nvar `import` = 2\nreimport C\n"), [])

    def test_comments_are_ignored(self):
        source = """\
            // import A
            /* import B
            import C /* import D */
            import E
            */
            import F // import G
            /// import H
            """
        self.assertEqual(names(source), [(6, "F")])

    def test_strings_are_ignored(self):
        source = '''\
            let a = "import A"
            let b = """
            import B
            """
            let c = #"""
            import C \\(d) """
            import D
            """#
            let e = "\\(f("import E")) // not a comment"
            let g = "\\""
            import H
            let i = """
                \\(j.map { """
            import K
            """ })
            import L
            """
            import M
            '''
        self.assertEqual([module for _, module in names(source)], ["H", "M"])

    def test_a_lone_quote_costs_one_line_at_most(self):
        self.assertEqual(names('let r = /"/\nimport A\n'), [(2, "A")])

    def test_branches_know_what_is_missing(self):
        source = """\
            #if canImport(A)
            import A
            #elseif os(Linux) || canImport(B)
            import B
            #else
            import C
            #endif
            #if !canImport(D)
            import E
            #else
            import F
            #endif
            import G
            """
        found = {module: absent for _, module, absent in check_imports.imports(textwrap.dedent(source))}
        self.assertEqual(
            found, {"A": set(), "B": {"A"}, "C": {"A"}, "E": {"D"}, "F": set(), "G": set()}
        )


class Checking(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, files)
            return check_imports.check(root, check_imports.read_rules(RULES))

    def test_what_is_allowed_passes(self):
        files = {
            "Sources/Wire/Codec/A.swift": "import FoundationEssentials\nimport Wire\nimport Swift\n",
            "Sources/Broadcast/B.swift": "import Wire\nimport NIOCore\nimport Logging\n",
            "Examples/Program/main.swift": "import Whatever\n",
        }
        self.assertEqual(self.findings(files), [])

    def test_a_forbidden_import_is_named_with_its_place_and_what_is_allowed(self):
        [finding] = self.findings({"Sources/Broadcast/Hub/Hub.swift": "import Wire\npublic import Hummingbird\n"})
        self.assertIn("Sources/Broadcast/Hub/Hub.swift:2: Broadcast must not import Hummingbird", finding)
        self.assertIn("Wire NIOCore Logging", finding)

    def test_conditions_do_not_hide_an_import(self):
        self.assertEqual(len(self.findings({"Sources/Wire/A.swift": "#if os(Linux)\nimport NIOCore\n#endif\n"})), 1)

    def test_a_fallback_is_allowed_only_where_the_first_choice_is_missing(self):
        conditional = "#if canImport(FoundationEssentials)\nimport FoundationEssentials\n#else\nimport Foundation\n#endif\n"
        self.assertEqual(self.findings({"Sources/Wire/A.swift": conditional}), [])
        self.assertEqual(len(self.findings({"Sources/Wire/A.swift": "import Foundation\n"})), 1)
        self.assertEqual(len(self.findings({"Sources/Wire/A.swift": "#if DEBUG\nimport Foundation\n#endif\n"})), 1)

    def test_never_is_stronger_than_a_pattern(self):
        self.assertEqual(self.findings({"Sources/Adapter/A.swift": "import NIOHTTP1\n"}), [])
        self.assertEqual(len(self.findings({"Sources/Adapter/A.swift": "import NIOPosix\n"})), 1)

    def test_a_module_without_a_line_is_an_error(self):
        [finding] = self.findings({"Sources/Newcomer/A.swift": "let a = 1\n"})
        self.assertIn("Sources/Newcomer", finding)
        self.assertIn("no line", finding)

    def test_a_file_outside_every_module_is_an_error(self):
        self.assertEqual(len(self.findings({"Sources/A.swift": ""})), 1)


class ReadingTheTable(unittest.TestCase):
    def test_mistakes_are_named_with_their_line(self):
        for text in ["  NIOCore\n", "Wire NIOCore\n", "Wire: A\nWire: B\n"]:
            with self.assertRaisesRegex(check_imports.RuleError, r"import-rules.txt:\d"):
                check_imports.read_rules(text)

    def test_the_table_of_this_repository_keeps_the_wings_apart(self):
        rules = check_imports.read_rules((SCRIPTS / "import-rules.txt").read_text(encoding="utf-8"))
        self.assertFalse(rules["TidingsWire"].permits("NIOCore", set()))
        self.assertFalse(rules["TidingsBroadcast"].permits("Hummingbird", set()))
        self.assertFalse(rules["TidingsHummingbird"].permits("TidingsClient", set()))
        self.assertFalse(rules["TidingsClient"].permits("TidingsBroadcast", set()))
        self.assertFalse(rules["TidingsTesting"].permits("HummingbirdCore", set()))


if __name__ == "__main__":
    unittest.main()
