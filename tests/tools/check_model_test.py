# SPDX-License-Identifier: Apache-2.0
"""check-model.py refuses a model that says something else than the code, and a ProVerif text that cannot be right."""

import unittest

from tool import ROOT, load

model = load("check-model.py")

CODE = """static const uint8_t legal[STATES] = {
    [A] = 1u << B | 1u << C,
    [B] = 1u << C,
};
"""
TEXT = """free c: channel. type key. fun enc(key, bitstring): bitstring.
reduc forall k: key, m: bitstring; dec(k, enc(k, m)) = m.
event Done(key).
let Client(k: key) = new n: bitstring; out(c, enc(k, n)); in(c, x: bitstring); let (=n, y: bitstring) = dec(k, x) in event Done(k).
query k: key; event(Done(k)) ==> false.
process new k: key; Client(k)
"""


class States(unittest.TestCase):
    def wrong(self, lines):
        return list(model.compare_states(model.legal_in_model(lines), {"hs": model.legal_in_code(CODE)}))

    def test_the_same_states_pass(self):
        self.assertEqual(self.wrong(" * LEGAL hs A -> B C\n * LEGAL hs B -> C\n"), [])

    def test_a_way_too_many_a_way_too_few_and_a_state_too_few_do_not(self):
        self.assertIn("A:", self.wrong("LEGAL hs A -> B\nLEGAL hs B -> C")[0])
        self.assertIn("B:", self.wrong("LEGAL hs A -> B C\nLEGAL hs B -> A C")[0])
        self.assertIn("B:", self.wrong("LEGAL hs A -> B C")[0])

    def test_a_file_without_a_table_is_told(self):
        self.assertIn("no table", list(model.compare_states(model.legal_in_model("LEGAL hs A -> B"), {"hs": {}}))[0])


class Steps(unittest.TestCase):
    def test_words_are_read_from_both_kinds_of_comment(self):
        self.assertEqual(model.steps("(* MODEL ee box0 *) /* why. MODEL box1 */"), {"ee", "box0", "box1"})

    def test_a_step_must_be_at_both_ends_or_in_the_shared_code(self):
        self.assertEqual(list(model.compare_steps({"a", "b"}, {"a"}, {"a"}, {"b"})), [])
        self.assertIn("server", list(model.compare_steps({"a"}, {"a"}, set(), set()))[0])
        self.assertIn("no model", list(model.compare_steps(set(), {"a"}, set(), set()))[0])


class Text(unittest.TestCase):
    def test_a_sound_text_passes(self):
        self.assertEqual(list(model.text_problems(TEXT)), [])

    def test_an_undeclared_name_does_not(self):
        self.assertIn("z is not declared", "".join(model.text_problems(TEXT.replace("dec(k, x)", "dec(k, z)"))))

    def test_a_wrong_number_of_arguments_does_not(self):
        self.assertIn("enc has 1 arguments instead of 2", "".join(model.text_problems(TEXT.replace("out(c, enc(k, n))", "out(c, enc(n))"))))

    def test_open_parentheses_do_not(self):
        self.assertIn("parentheses", "".join(model.text_problems(TEXT.replace("enc(k, n))", "enc(k, n)"))))

    def test_a_text_without_process_does_not(self):
        self.assertIn("no process", "".join(model.text_problems(TEXT[: TEXT.index("process")])))

    def test_flags_stand_in_backquotes(self):
        self.assertEqual(model.flag_sets("| `Q_A NO_B` | `make x` | `Q_C` |"), [("Q_A", "NO_B"), ("Q_C",)])


class Tree(unittest.TestCase):
    def test_this_tree_passes(self):
        self.assertEqual(model.main(ROOT), 0)


if __name__ == "__main__":
    unittest.main()
