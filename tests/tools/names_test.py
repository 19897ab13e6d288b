# SPDX-License-Identifier: Apache-2.0
"""Programs and scripts that the Makefile, the tools and the documents name exist: nobody runs a benchmark at each commit,
and a program that was renamed would be missed there months later."""

import re
import unittest
from pathlib import Path

from tool import ROOT

PROGRAM = re.compile(r"\bbuild/[a-z]+/((?:bench/|examples/|fuzz/|tests/)?[a-z][a-z0-9_-]*[a-z0-9])(?![\w./<{$-])")
BENCHMARK = re.compile(r"\bweft-bench-[a-z0-9-]*[a-z0-9](?![\w-])")
SCRIPT = re.compile(r"(?<![\w/.])(?:tools|tests|examples|bench)/[\w/-]+\.(?:sh|py)\b")
# What a build has beside programs.
FOLDERS = {"fuzz", "tidy", "logs", "bench", "examples", "tests", "stage", "corpus", "crashes"}


def sources(folder, suffix=""):
    return {p.stem[:len(p.stem) - len(suffix)] for p in (ROOT / folder).glob(f"*{suffix}.c")}


def programs():
    """Names below a build's folder, as cmake/programs.cmake and cmake/tests.cmake make them."""
    told = re.findall(r"add_executable\(([a-z-]+)", (ROOT / "cmake/programs.cmake").read_text())
    names = {name for name in told if not name.endswith("-")} | {"weft", "weftd", "bench/weft-attack"}
    names |= {"bench/weft-bench-" + name.replace("_", "-") for name in sources("bench")}
    names |= {"examples/example-" + name for name in sources("examples")}
    names |= {f"fuzz/{name}_fuzz" for name in sources("fuzz", "_fuzz")}
    names |= {f"tests/{p.parent.name}_{p.stem}" for p in (ROOT / "tests").glob("*/*_test.c")}
    return names


def named(pattern, texts):
    """(where, what) for each name that the pattern finds; the name is its group, or all of it."""
    return {(str(path), m[m.lastindex or 0]) for path, text in texts.items() for m in pattern.finditer(text)}


def is_program(name):
    return name in programs() | FOLDERS


def is_benchmark(name):
    return "bench/" + name in programs()


def is_script(name):
    return (ROOT / name).exists()


class Names(unittest.TestCase):
    def setUp(self):
        files = [ROOT / "Makefile", ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        files += [p for p in (ROOT / "tools").iterdir() if p.is_file()]
        self.texts = {p.relative_to(ROOT): p.read_text() for p in files}

    def check(self, pattern, exists, at_least):
        seen = named(pattern, self.texts)
        self.assertGreaterEqual(len(seen), at_least)
        self.assertEqual(sorted(s for s in seen if not exists(s[1])), [])

    def test_programs_are_built(self):
        self.check(PROGRAM, is_program, 10)

    def test_benchmarks_have_a_source(self):
        self.check(BENCHMARK, is_benchmark, 4)

    def test_scripts_are_there(self):
        self.check(SCRIPT, is_script, 30)

    def test_a_name_that_is_gone_is_seen(self):
        text = {"Makefile": "build/release/bench/weft-bench-presence x; tools/no-such.py; build/dev/weft-nothing --a"}
        for pattern, exists, count in ((PROGRAM, is_program, 2), (BENCHMARK, is_benchmark, 1), (SCRIPT, is_script, 1)):
            seen = named(pattern, text)
            self.assertEqual(len(seen), count)
            self.assertFalse(any(exists(name) for _, name in seen))


if __name__ == "__main__":
    unittest.main()
