# SPDX-License-Identifier: Apache-2.0
"""Each checking tool refuses a bad sample and accepts its neighbour that is just within the rule."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from tool import ROOT, TOOLS, load

sizes = load("check-sizes.py")
layers = load("check-layers.py")
purity = load("check-purity.py")
symbols = load("check-symbols.py")
text = load("check-text.py")
spec = load("check-spec.py")
elf = load("check-elf.py")


def function(lines, parameters=0):
    arguments = ", ".join(f"int p{i}" for i in range(parameters)) or "void"
    return f"void f({arguments})\n{{\n" + "    g();\n" * (lines - 3) + "}\n"


class Sizes(unittest.TestCase):
    def test_seventy_lines_pass_and_one_more_does_not(self):
        self.assertEqual(list(sizes.problems("x.c", function(70))), [])
        self.assertIn("f has 71 lines", "".join(sizes.problems("x.c", function(71))))

    def test_five_parameters_pass_and_six_do_not(self):
        self.assertEqual(list(sizes.problems("x.c", function(3, 5))), [])
        self.assertIn("6 parameters", "".join(sizes.problems("x.c", function(3, 6))))

    def test_a_thousand_lines_pass_and_one_more_does_not(self):
        self.assertEqual(list(sizes.problems("x.c", "int a;\n" * 1000)), [])
        self.assertIn("1001 lines", "".join(sizes.problems("x.c", "int a;\n" * 1001)))

    def test_the_command_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            bad = Path(folder) / "bad.c"
            bad.write_text(function(71))
            done = subprocess.run([TOOLS / "check-sizes.py", bad], capture_output=True)
            self.assertEqual(done.returncode, 1)


class Layers(unittest.TestCase):
    LIST = "[rank 0]\nbase:\n[rank 1]\nwire: base\nnet: base\n[rank 2]\nsession: base wire\n"

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)
        for name in ("include/weft/base.h", "src/base/a.h", "src/wire/w.h", "src/net/n.h", "src/session/s.h",
                     "apps/common/c.h", "apps/weft/own.h", "apps/weftd/other.h"):
            self.write(name, "")

    def write(self, name, body):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)

    def refused(self, name, include):
        self.write(name, f"{include}\n")
        return layers.problems(self.LIST, self.root, [Path(name)])

    def test_lower_ranks_the_same_folder_and_public_headers_pass(self):
        for header in ("base/a.h", "wire/w.h", "session/s.h", "weft/base.h"):
            self.assertEqual(self.refused("src/session/x.c", f'#include "{header}"'), [])
        self.assertEqual(self.refused("src/session/x.c", "#include <string.h>"), [])

    def test_a_higher_rank_is_refused(self):
        self.assertIn("wire may not include session", self.refused("src/wire/x.c", '#include "session/s.h"')[0])

    def test_the_same_rank_is_refused(self):
        self.assertIn("wire may not include net", self.refused("src/wire/x.c", '#include "net/n.h"')[0])

    def test_an_unlisted_folder_is_refused(self):
        self.assertIn("session may not include net", self.refused("src/session/x.c", '#include "net/n.h"')[0])
        self.assertIn("no line", self.refused("src/stray/x.c", "")[0])

    def test_a_header_without_its_folder_is_refused(self):
        self.assertIn("no such header", self.refused("src/base/x.c", '#include "a.h"')[0])

    def test_a_list_that_points_up_or_sideways_is_refused(self):
        for line in ("wire: net", "wire: session"):
            _, found = layers.read_layers(self.LIST.replace("wire: base", line, 1))
            self.assertIn("may not include", found[0])

    def test_programs_and_examples_see_public_headers_only(self):
        self.assertEqual(self.refused("apps/weft/x.c", '#include "weft/base.h"\n#include "common/c.h"\n'), [])
        self.assertEqual(self.refused("apps/weft/x.c", '#include "weft/own.h"\n#include "own.h"\n'), [])
        self.assertTrue(self.refused("apps/weft/x.c", '#include "base/a.h"'))
        self.assertTrue(self.refused("apps/weft/x.c", '#include "weftd/other.h"'))
        self.assertTrue(self.refused("examples/x.c", '#include "base/a.h"'))
        self.assertTrue(self.refused("include/weft/x.h", '#include "base/a.h"'))

    def test_the_tree_s_own_list_is_sound(self):
        _, found = layers.read_layers((TOOLS / "layers.txt").read_text())
        self.assertEqual(found, [])


class Purity(unittest.TestCase):
    def compile(self, folder, name, body):
        source = Path(folder) / f"{name}.c"
        source.write_text(body)
        made = Path(folder) / f"{name}.o"
        archive = Path(folder) / f"libwf_{name}.a"
        subprocess.run(["gcc", "-O2", "-c", source, "-o", made], check=True)
        subprocess.run(["ar", "rc", archive, made], check=True)
        return purity.defined(archive), purity.undefined(archive)

    def test_a_clock_the_heap_and_a_folder_not_below_are_refused(self):
        body = "#include <stdlib.h>\n#include <time.h>\nvoid wf_net(void);\n" \
               "void *wf_w(void)\n{\n    wf_net();\n    return malloc((size_t)time(0));\n}\n"
        with tempfile.TemporaryDirectory() as folder:
            archives = {"wire": self.compile(folder, "wire", body)}
            found = "\n".join(purity.problems({"wire": {"memcpy"}}, {"wire": {"base"}}, archives))
        for symbol in ("malloc", "time", "wf_net"):
            self.assertIn(f"calls {symbol}:", found)

    def test_the_folder_below_and_the_list_are_allowed(self):
        with tempfile.TemporaryDirectory() as folder:
            archives = {
                "base": self.compile(folder, "base", "void wf_b(void)\n{\n}\n"),
                "wire": self.compile(folder, "wire", "void wf_b(void);\nvoid abort(void);\n"
                                     "void wf_w(void)\n{\n    wf_b();\n    abort();\n}\n"),
            }
        found = list(purity.problems({"wire": {"abort"}}, {"wire": {"base"}}, archives))
        self.assertEqual(found, [])

    def test_a_pure_folder_that_was_not_built_is_refused(self):
        self.assertTrue(list(purity.problems({"wire": set()}, {"wire": set()}, {})))

    def test_the_star_holds_for_every_folder(self):
        self.assertEqual(purity.read_purity("*: memcpy # copy\nbase: abort\nwire:\n"),
                         {"base": {"memcpy", "abort"}, "wire": {"memcpy"}})


class Symbols(unittest.TestCase):
    def test_declarations_are_found_over_lines_and_not_in_comments(self):
        header = "/* WEFT_API int weft_not(void); */\n#define WEFT_API x\n" \
                 "WEFT_API WEFT_NODISCARD weft_err weft_a(\n    int x);\nWEFT_API const char *weft_b(void);\n" \
                 "WEFT_API void weft_c(void (*weft_cb)(int));\n"
        self.assertEqual(symbols.declared(header), {"weft_a", "weft_b", "weft_c"})

    def test_every_way_to_differ_is_refused(self):
        same = {"weft_a"}
        self.assertEqual(symbols.problems(same, same, same), [])
        self.assertEqual(len(symbols.problems(set(), same, same)), 1)
        self.assertEqual(len(symbols.problems(same, set(), same)), 1)
        self.assertEqual(len(symbols.problems(same, same, set())), 2)

    def test_exports_are_read_from_a_library(self):
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "lib.so"
            subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], check=True, text=True,
                           input='int weft_a;\n__attribute__((visibility("hidden"))) int wf_b;\n')
            self.assertEqual(symbols.exported(library), {"weft_a"})


class Text(unittest.TestCase):
    def found(self, check, name, body):
        return list(text.CHECKS[check](Path(name), body))

    def test_a_licence_line_is_demanded_where_a_comment_can_stand(self):
        good = "/* SPDX-License-Identifier: Apache-2.0 */\n"
        self.assertEqual(self.found("spdx", "x.c", good), [])
        self.assertEqual(self.found("spdx", "x.json", ""), [])
        for name in ("x.c", "x.h", "x.py", "x.sh", "x.cmake", "Makefile", "CMakeLists.txt"):
            self.assertTrue(self.found("spdx", name, "int a;\n"))

    def test_the_words_of_unfinished_work_are_refused(self):
        for word in ("TODO", "FIXME", "XXX", "#if 0"):
            self.assertTrue(self.found("words", "x.c", f"int a;\n{word}\n"))
        self.assertEqual(self.found("words", "x.c", "int todo_count; /* hacking */\n"), [])

    def test_banned_calls_are_refused_but_not_their_mention(self):
        self.assertTrue(self.found("banned", "x.c", "strcpy(a, b);\n"))
        self.assertTrue(self.found("banned", "x.c", "n = atoi (s);\n"))
        self.assertEqual(self.found("banned", "x.c", '/* strcpy(a) */ my_strcpy(a); puts("atoi(");\n'), [])


class Spec(unittest.TestCase):
    def test_requirements_and_tags_are_found(self):
        self.assertEqual(spec.requirements("- **1.2-3** A MUST b.\n1.2-4 **bold**\n"), ["1.2-3"])
        self.assertEqual(spec.tags("\n/* SPEC 1.2-3, 1.2-10 and 2.0-1: why */\n"),
                         [(2, "1.2-3"), (2, "1.2-10"), (2, "2.0-1")])

    def test_a_tag_without_requirement_and_a_number_given_twice_are_refused(self):
        wrong, _ = spec.compare(["1.1-1", "1.1-1"], {"1.1-2": ["a.c:1"]}, {})
        self.assertEqual(len(wrong), 2)

    def test_a_requirement_without_code_or_test_is_reported(self):
        self.assertEqual(spec.compare(["1.1-1"], {"1.1-1": ["a.c:1"]}, {"1.1-1": ["b.c:1"]}), ([], []))
        _, missing = spec.compare(["1.1-1", "1.1-2"], {"1.1-1": ["a.c:1"]}, {"1.1-2": ["b.c:1"]})
        self.assertEqual(missing, ["1.1-2 is in no code", "1.1-1 is in no test"])


class Elf(unittest.TestCase):
    GOOD = ("Type: DYN (Shared)\n GNU_STACK 0x0 RW 0x10\n GNU_RELRO 0x1\n", "(FLAGS) BIND_NOW\n", "__stack_chk_fail\n")

    def test_a_must_without_a_number_is_told_and_one_with_it_is_not(self):
        text = "Intro.\n\n- **1.1-1** A MUST b.\n- C MUST d.\n\nE\nMUST (**1.1-2**) f.\n\nG\nMUST h.\n"
        self.assertEqual(list(spec.without_number(text)), [4, 9])

    def test_a_hardened_library_passes(self):
        self.assertEqual(elf.problems("libweft.so", *self.GOOD), [])

    def test_each_lost_hardening_is_refused(self):
        headers, dynamic, names = self.GOOD
        bad = (
            (headers.replace("DYN", "EXEC"), dynamic, names),
            (headers.replace("GNU_RELRO", ""), dynamic, names),
            (headers.replace("RW", "RWE"), dynamic, names),
            (headers.replace("GNU_STACK", ""), dynamic, names),
            (headers, "(FLAGS_1) Flags: PIE\n", names),
            (headers, dynamic + "TEXTREL\n", names),
            (headers, dynamic, ""),
        )
        for sample in bad:
            self.assertEqual(len(elf.problems("libweft.so", *sample)), 1, sample)


class Format(unittest.TestCase):
    def test_a_badly_laid_out_file_is_refused(self):
        (ROOT / "build").mkdir(exist_ok=True)  # ignored by git, and below the tree's .clang-format
        with tempfile.NamedTemporaryFile(suffix=".c", dir=ROOT / "build", mode="w") as bad:
            bad.write("int  f( void ) { return 0; }\n")
            bad.flush()
            done = subprocess.run([TOOLS / "format.sh", bad.name], capture_output=True, text=True)
            if "not to be had" in done.stdout:
                self.skipTest("no clang-format 14")
            self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
