# SPDX-License-Identifier: Apache-2.0
"""A public function without an example or without a test is found, and a mention is no call."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tool import TOOLS, load

api = load("check-api.py")

HEADER = "WEFT_API weft_err weft_a(int x);\nWEFT_API void weft_b(void);\n"
CALLS = "void f(void)\n{\n    (void)weft_a(1);\n    weft_b();\n}\n"


class Calls(unittest.TestCase):
    def test_calls_are_found_wherever_they_stand(self):
        self.assertEqual(api.calls("err = weft_a (1) == 0 ? f(weft_b(x)) : 0;\n"), {"weft_a", "weft_b"})

    def test_comments_strings_macros_and_names_alone_are_no_calls(self):
        text = '/* weft_a(1) */\n// weft_b(2)\nputs("weft_c(3)");\n#define D weft_d(4)\nfn = weft_e;\nmy_weft_f(5);\n'
        self.assertEqual(api.calls(text), set())


class Command(unittest.TestCase):
    def run_on(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder) / {"header": "include/weft/x.h", "example": "examples/x.c",
                                       "test": "tests/module/x_test.c"}[name]
                path.parent.mkdir(parents=True)
                path.write_text(text)
            return subprocess.run([sys.executable, TOOLS / "check-api.py", folder], capture_output=True, text=True)

    def test_all_called_passes(self):
        done = self.run_on(header=HEADER, example=CALLS, test=CALLS)
        self.assertEqual((done.returncode, done.stdout), (0, "2 public functions have an example and a test\n"))

    def test_each_missing_call_is_named(self):
        done = self.run_on(header=HEADER, example="void f(void) { weft_a(1); }", test="void f(void) { weft_b(); }")
        self.assertEqual((done.returncode, done.stdout),
                         (1, "weft_b is called in no example\nweft_a is called in no test\n"))

    def test_a_tree_without_headers_does_not_pass(self):
        self.assertEqual(self.run_on(example=CALLS, test=CALLS).returncode, 1)


if __name__ == "__main__":
    unittest.main()
