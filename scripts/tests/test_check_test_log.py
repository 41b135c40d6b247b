import unittest

from support import load

check_test_log = load("check-test-log")

GOOD = """\
Test Suite 'All tests' passed at 2030-01-01 10:00:00.000
\t Executed 0 tests, with 0 failures (0 unexpected) in 0.0 (0.0) seconds
◇ Test run started.
✔ Test "a client that skipped a heartbeat" passed after 0.001 seconds.
✔ Test many(x:) with 2 test cases passed after 0.001 seconds.
✔ Test run with 2 tests in 1 suite passed after 0.001 seconds.
ℹ tests 5
ℹ pass 5
ℹ cancelled 0
ℹ skipped 0
ℹ todo 0
"""


class ReadingATestLog(unittest.TestCase):
    def test_a_full_run_passes(self):
        self.assertEqual(check_test_log.findings(GOOD), [])

    def test_every_way_to_skip_is_seen(self):
        for line in [
            "➜ Test off() skipped.",
            '➜ Test off() skipped: "no browser here"',
            '➜ Test "with a name" skipped: "why"',
            '➜ Suite Browser skipped: "no browser here"',
            '\x1b[90m➜\x1b[0m Test off() skipped: "in colour"',
            '➜ Test off() was cancelled after 0.001 seconds: "in the middle"',
            "Test Case 'A.testB' skipped (0.0 seconds)",
            "ok 2 - two # SKIP no browser",
            "    ok 2 - two # TODO",
            "  ﹣ two (0.32ms) # no browser",
            "# skipped 3",
            "ℹ skipped 12",
            "ℹ todo 1",
        ]:
            with self.subTest(line):
                self.assertEqual(len(check_test_log.findings(GOOD + line + "\n")), 1)

    def test_what_failed_is_said_once_each(self):
        for line in [
            '✘ Test "two of them" recorded an issue at Tests/A.swift:12:9: Expectation failed: a == b',
            "✘ Test many(x:) recorded an issue with 1 argument x → 2 at Tests/A.swift:12:9: Caught error: none",
            "error: Exited with unexpected signal code 11",
            "Fatal error: Index out of range",
            "✖ two (0.32ms)",
            "not ok 2 - two",
        ]:
            with self.subTest(line):
                found = check_test_log.findings(GOOD + line + "\n" + line + "\n")
                self.assertEqual(found, [f"failed: {line}"])

    def test_a_long_failure_is_cut(self):
        line = "✘ Test a() recorded an issue at Tests/A.swift:12:9: " + 10_000 * "x"
        self.assertLess(len(check_test_log.findings(GOOD + line)[0]), 1100)

    def test_a_run_without_tests_fails(self):
        self.assertEqual(check_test_log.findings("Build complete!\n"), ["no Swift test ran"])
        nothing = GOOD.replace("run with 2 tests", "run with 0 tests").replace("ℹ tests 5", "# tests 0")
        self.assertEqual(len(check_test_log.findings(nothing)), 2)


if __name__ == "__main__":
    unittest.main()
