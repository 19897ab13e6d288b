# SPDX-License-Identifier: Apache-2.0
"""The scanner of C text."""

import unittest

from tool import load

csource = load("csource.py")


def names(text):
    return [(f.name, f.lines, f.parameters) for f in csource.functions(text)]


class Scanner(unittest.TestCase):
    def test_a_function_is_measured_from_its_head_to_its_brace(self):
        self.assertEqual(names("int a;\n\nstatic int f(int x,\n      int y)\n{\n    return x;\n}\n"), [("f", 5, 2)])

    def test_void_and_nothing_are_no_parameters(self):
        self.assertEqual(names("void f(void)\n{\n}\nvoid g()\n{\n}\n"), [("f", 3, 0), ("g", 3, 0)])

    def test_a_parameter_that_is_a_function_counts_once(self):
        self.assertEqual(names("void f(void (*cb)(int, int, int), int x)\n{\n}\n"), [("f", 3, 2)])

    def test_a_function_that_returns_a_function_has_its_own_name(self):
        self.assertEqual(names("void (*pick(int a, int b))(int)\n{\n    return 0;\n}\n"), [("pick", 4, 2)])

    def test_braces_in_strings_characters_and_comments_do_not_count(self):
        text = 'void f(void)\n{\n    char c = \'{\'; /* { */ // {\n    g("{\\"{");\n}\nvoid h(void)\n{\n}\n'
        self.assertEqual(names(text), [("f", 5, 0), ("h", 3, 0)])

    def test_initialisers_structs_and_enums_are_no_functions(self):
        text = (
            "struct s {\n    int (*call)(int);\n};\nenum e { A = 1, B };\n"
            "static const int t[2] = {\n    F(1), 2,\n};\nint f(void)\n{\n    return 0;\n}\n"
        )
        self.assertEqual(names(text), [("f", 4, 0)])

    def test_only_the_first_branch_of_a_condition_is_read(self):
        text = "#ifdef A\nint f(int x)\n{\n#else\nint f(void)\n{\n#endif\n    return 0;\n}\nint g(void)\n{\n    return 1;\n}\n"
        self.assertEqual([n for n, _, _ in names(text)], ["f", "g"])

    def test_a_macro_of_many_lines_is_no_function(self):
        self.assertEqual(names("#define M(x) \\\n    do { \\\n    } while (0)\nint f(void)\n{\n}\n"), [("f", 3, 0)])

    def test_attributes_are_not_the_name(self):
        self.assertEqual(names("__attribute__((constructor(101))) static void f(int a)\n{\n}\n"), [("f", 3, 1)])

    def test_a_test_is_a_function_named_by_its_claim(self):
        self.assertEqual(names("TEST(a_claim)\n{\n    CHECK(1);\n}\n"), [("a_claim", 4, 0)])

    def test_blanking_keeps_every_line_and_column(self):
        text = 'a /* x\n y */ "s\\"t" \'c\' // z\nb'
        blanked = csource.strip_comments(text)
        self.assertEqual([len(l) for l in blanked.split("\n")], [len(l) for l in text.split("\n")])
        self.assertNotIn("x", blanked)


if __name__ == "__main__":
    unittest.main()
