# SPDX-License-Identifier: Apache-2.0
"""Key files: made once, for their owner alone, and refused with a sentence when anything is wrong with them."""

import os
import re
import stat
import unittest

from harness import Case, WEFTD

KEY = re.compile(r"^weft1[02-9ac-hj-np-z]{58}$")


class KeyFiles(Case):
    def setUp(self):
        super().setUp()
        self.env()
        self.path = self.dir / "client" / "key"

    def test_a_new_key_is_made_with_mode_0600_and_shown_again(self):
        made = self.run_weft("key", "new").out
        self.assertRegex(made, KEY)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(self.run_weft("key", "show").out, made)

    def test_the_folder_of_the_key_is_made_for_its_owner_alone(self):
        path = self.dir / "a" / "b" / "key"
        self.run_weft("key", "new", "--key", path)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)

    def test_a_key_file_is_never_replaced(self):
        self.run_weft("key", "new")
        before = self.path.read_bytes()
        self.fails("key", "new", says=["cannot make the key file", "already is"])
        self.assertEqual(self.path.read_bytes(), before)

    def test_no_two_keys_are_equal(self):
        keys = {self.run_weft("key", "new", "--key", self.dir / f"k{i}").out for i in range(8)}
        self.assertEqual(len(keys), 8)

    def test_where_there_is_no_key_show_says_how_to_make_one(self):
        self.fails("key", "show", says=["there is no key file", "weft key new"])

    def test_the_first_use_makes_a_key_and_says_so(self):
        process = self.run_weft("ping", "-n", "1", "nonsense", status=1)
        self.assertIn("made a new key in", process.err)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_with_json_one_object_has_key_and_file(self):
        told = self.run_weft("key", "new", "--json").objects()[0]
        self.assertRegex(told["key"], KEY)
        self.assertEqual(told["file"], str(self.path))

    def test_a_key_that_others_can_read_is_refused_with_the_way_out(self):  # SPEC 5.2-1
        self.run_weft("key", "new")
        for mode in (0o644, 0o640, 0o604, 0o660, 0o610, 0o601, 0o777):
            self.path.chmod(mode)
            self.fails("key", "show", says=["other users can read", "chmod 600"])
            self.fails("ping", "nobody", says="other users can read")
        self.path.chmod(0o400)
        self.run_weft("key", "show")

    def test_a_key_cut_short_anywhere_is_refused(self):  # SPEC 5.2-1
        self.run_weft("key", "new")
        whole = self.path.read_bytes()
        for size in {*range(0, len(whole), 9), len(whole) - 1}:
            self.path.write_bytes(whole[:size])
            self.fails("key", "show", says=["cannot use the key file", "truncated"])

    def test_a_key_with_anything_changed_or_added_is_refused(self):
        self.run_weft("key", "new")
        whole = self.path.read_bytes()
        for at in range(0, len(whole), 5):
            self.path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            self.fails("key", "show", says="truncated, corrupt")
        for text in (whole + b"\n", whole + b"x", whole + b"\0", b"\0" * 100, b"x" * 100000, whole[::-1]):
            self.path.write_bytes(text)
            self.fails("key", "show", says="truncated, corrupt")

    def test_a_public_line_of_another_key_is_refused(self):  # SPEC 5.2-1
        self.run_weft("key", "new")
        self.run_weft("key", "new", "--key", self.dir / "other")
        lines, others = self.path.read_text().splitlines(), (self.dir / "other").read_text().splitlines()
        self.path.write_text("\n".join([lines[0], others[1], lines[2]]) + "\n")
        self.fails("key", "show", says="truncated, corrupt")

    def test_folders_pipes_and_devices_are_no_key_files_and_never_hang(self):
        os.mkfifo(self.dir / "pipe")
        for path in (self.dir, self.dir / "pipe", "/dev/null", "/dev/zero"):
            self.fails("key", "show", "--key", path, says="cannot use the key file")

    def test_a_link_to_a_good_key_works_and_one_to_nowhere_does_not(self):
        self.run_weft("key", "new")
        link = self.dir / "link"
        link.symlink_to(self.path)
        self.assertEqual(self.run_weft("key", "show", "--key", link).out, self.key())
        link.unlink()
        link.symlink_to(self.dir / "nowhere")
        self.fails("key", "show", "--key", link, says="no key file")
        self.fails("key", "new", "--key", link, says="cannot make the key file")
        self.assertFalse((self.dir / "nowhere").exists())

    def test_a_daemon_with_a_bad_key_does_not_start(self):
        self.run_weft("key", "new")
        self.path.write_bytes(self.path.read_bytes()[:-3])
        config = self.config(listen="127.0.0.1:0")
        daemon = self.start([WEFTD, "--config", config, "--key", self.path], "server")
        self.assert_sentence(daemon, says="truncated, corrupt")

    def test_the_secret_is_nowhere_in_what_is_printed(self):
        self.run_weft("key", "new")
        secret = self.path.read_text().splitlines()[2].split()[1]
        daemon = self.daemon()
        for command in (["key", "show"], ["key", "show", "--json"], ["ping", "-n", "1", daemon.peer]):
            process = self.run_weft(*command)
            self.assertNotIn(secret[8:24], process.out + process.err)


class Passphrases(Case):
    def setUp(self):
        super().setUp()
        self.env()
        self.path = self.dir / "client" / "key"
        self.good, self.bad = self.dir / "good", self.dir / "bad"
        self.good.write_text("correct horse battery staple\n")
        self.bad.write_text("correct horse battery stapler\n")

    def seal(self):
        return self.run_weft("key", "new", "--passphrase", "--passphrase-file", self.good).out

    def test_a_sealed_key_opens_with_its_passphrase_alone(self):
        made = self.seal()
        text = self.path.read_text()
        self.assertIn("\nsealed ", text)
        self.assertNotIn("weftsec1", text)
        self.assertEqual(self.run_weft("key", "show", "--passphrase-file", self.good).out, made)
        self.fails("key", "show", "--passphrase-file", self.bad, says=["cannot use the key file", "passphrase"])
        self.fails("key", "show", "--passphrase-file", self.dir / "missing", says="passphrase")

    def test_without_a_terminal_and_a_file_it_is_told_that_a_passphrase_is_needed(self):
        self.seal()
        self.fails("key", "show", preexec=os.setsid, says=["passphrase", "--passphrase-file"])

    def test_a_sealed_key_serves_and_sends(self):
        self.seal()
        shown = self.run_weft("key", "show", "--passphrase-file", self.good, "--for", self.key("server")).out
        daemon = self.daemon(allow=f"{shown} *")
        source = self.file("a", 5)
        self.run_weft("send", "--passphrase-file", self.good, source, daemon.peer)
        self.assert_same_file(self.inbox / "a", source)

    def test_a_daemon_reads_its_passphrase_from_the_file_named_in_its_configuration(self):
        sealed = self.dir / "server-key"
        self.run_weft("key", "new", "--key", sealed, "--passphrase-file", self.good)
        daemon = self.daemon(key=sealed, passphrase_file=self.good)
        self.run_weft("ping", "-n", "1", daemon.peer)

    def test_two_sealings_of_one_key_share_nothing(self):
        self.seal()
        self.run_weft("key", "new", "--key", self.dir / "other", "--passphrase-file", self.good)
        boxes = [p.read_text().splitlines()[2].split()[1] for p in (self.path, self.dir / "other")]
        self.assertNotEqual(boxes[0][:32], boxes[1][:32], "the salt is fresh")

    def test_a_changed_box_or_public_line_does_not_open(self):
        self.seal()
        lines = self.path.read_text().splitlines()
        flipped = lines[2][:-1] + ("0" if lines[2][-1] != "0" else "1")
        self.path.write_text("\n".join([*lines[:2], flipped]) + "\n")
        self.fails("key", "show", "--passphrase-file", self.good, says="passphrase")

    def test_an_empty_passphrase_is_refused(self):
        self.good.write_text("\n")
        self.fails("key", "new", "--passphrase", "--passphrase-file", self.good, says="nothing was written")
        self.assertFalse(self.path.exists())


class OnATerminal(Case):
    """The passphrase is asked for on /dev/tty, and is not shown."""

    def answers(self, first, second):
        return [("New passphrase: ", first), ("Once more: ", second)]

    def test_a_passphrase_is_asked_twice_and_never_shown(self):
        status, shown = self.on_a_terminal("key", "new", "--passphrase", answers=self.answers("s3cret", "s3cret"))
        self.assertEqual(status, 0, shown)
        self.assertNotIn("s3cret", shown)
        status, shown = self.on_a_terminal("key", "show", answers=[("Passphrase of the key: ", "s3cret")])
        self.assertEqual(status, 0, shown)
        self.assertNotIn("s3cret", shown)
        self.assertIn("weft1", shown)

    def test_two_different_ones_write_nothing(self):
        status, shown = self.on_a_terminal("key", "new", "--passphrase", answers=self.answers("one", "two"))
        self.assertEqual(status, 1)
        self.assertIn("two different ones", shown)
        self.assertFalse((self.dir / "client" / "key").exists())


if __name__ == "__main__":
    unittest.main()
