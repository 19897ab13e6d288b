# SPDX-License-Identifier: Apache-2.0
"""Files sent and fetched between two processes: digests, names, what is never replaced."""

import os
import stat
import unittest

from harness import Case, WEFTD, only, random_bytes, sha256_of

SIZES = {"0_bytes": 0, "1_byte": 1, "65535_bytes": 65535, "65536_bytes": 65536, "65537_bytes": 65537,
         "20_megabytes": 20_000_000}


class FilesAreSent(Case):
    def send(self, size):
        daemon = self.daemon()
        source = self.file("data.bin", size)
        sent = only(self.run_weft("send", "--json", source, daemon.peer).objects())
        received = daemon.event("received")
        self.assert_same_file(self.inbox / "data.bin", source)
        self.assertEqual(self.parts(), [])
        for told in (sent, received):
            self.assertTrue(told["ok"])
            self.assertEqual(told["sha256"], sha256_of(source))
            self.assertEqual((told["name"], told["size"], told["moved"], told["resumed_at"]), ("data.bin", size, size, 0))
        self.assertEqual(sent["event"], "sent")
        self.assertEqual(sent["peer"], daemon.peer.split("@")[0])
        self.assertEqual(received["peer"], self.shown())

    def test_several_files_go_in_one_command_and_one_object_tells_of_each(self):
        daemon = self.daemon()
        sources = [self.file(f"file {i}", 1000 * i, seed=i) for i in range(5)]
        told = self.run_weft("send", "--json", *sources, daemon.peer).objects()
        self.assertEqual([t["name"] for t in told], [s.name for s in sources])
        for source in sources:
            self.assert_same_file(self.inbox / source.name, source)
        self.assertGreater(told[0]["handshake_us"], 0)
        self.assertEqual([t["handshake_us"] for t in told[1:]], [0] * 4, "one session carries all of them")

    def test_a_file_has_a_priority_and_only_such_as_there_are(self):
        server = self.daemon()
        for priority in ("normal", "urgent", "background"):
            self.run_weft("send", "--priority", priority, self.file(priority, 100000), server.peer)
            self.assert_same_file(self.inbox / priority, self.dir / "files" / priority)
        self.fails("send", "--priority", "soon", self.file("later", 10), server.peer, says=["soon", "background"])

    def test_what_cannot_be_sent_does_not_keep_the_others_back(self):
        daemon = self.daemon()
        first, last = self.file("first", 10), self.file("last", 20)
        self.fails("send", first, self.dir / "missing", last, daemon.peer, says=["missing", "there is no such thing"])
        self.assert_same_file(self.inbox / "first", first)
        self.assert_same_file(self.inbox / "last", last)

    def test_an_existing_file_stays_and_the_new_one_gets_a_number(self):  # SPEC 5.3-2
        daemon = self.daemon()
        self.inbox.mkdir(exist_ok=True)
        (self.inbox / "a.txt").write_text("I was here first")
        for number in (1, 2, 3):
            source = self.file("a.txt", content=f"version {number}".encode())
            told = only(self.run_weft("send", "--json", source, daemon.peer).objects())
            self.assertEqual(told["name"], f"a.txt.{number}", "the sender is told where it is")
            self.assertEqual((self.inbox / f"a.txt.{number}").read_text(), f"version {number}")
        self.assertEqual((self.inbox / "a.txt").read_text(), "I was here first")

    def test_a_received_file_is_its_owner_s_alone(self):
        daemon = self.daemon()
        source = self.file("secret", 10)
        source.chmod(0o777)
        self.run_weft("send", source, daemon.peer)
        self.assertEqual(stat.S_IMODE((self.inbox / "secret").stat().st_mode), 0o600)

    def test_names_of_other_alphabets_and_with_blanks_arrive_as_they_are(self):
        daemon = self.daemon()
        names = ["mit Leerzeichen.txt", "Grüße-世界-🙂", "-n", "a" * 255, "$(reboot)"]
        for name in names:
            source = self.file(name, 5)
            self.run_weft("send", source, daemon.peer)
            self.assert_same_file(self.inbox / name, source)

    def test_names_that_are_not_safe_are_refused_by_the_sender(self):  # SPEC 5.3-3
        daemon = self.daemon()
        for name in ("line\nbreak", "\x1b[2J", ".weft-mine", "turn\u202eed"):
            self.fails("send", self.file(name, 5), daemon.peer, says="cannot send")
        self.assertEqual(list(self.inbox.iterdir()), [])

    def test_folders_pipes_and_devices_are_no_files_to_send(self):
        daemon = self.daemon()
        os.mkfifo(self.dir / "pipe")
        for path in (self.dir, self.dir / "pipe", "/dev/null"):
            self.fails("send", path, daemon.peer, says="cannot send")

    def test_a_link_to_a_file_is_sent_as_the_file(self):
        daemon = self.daemon()
        source = self.file("target", 100)
        (self.dir / "link").symlink_to(source)
        self.run_weft("send", self.dir / "link", daemon.peer)
        self.assert_same_file(self.inbox / "link", source)

    def test_a_link_in_the_folder_is_never_written_through(self):
        daemon = self.daemon()
        self.inbox.mkdir(exist_ok=True)
        victim = self.file("victim", content=b"untouched")
        (self.inbox / "a").symlink_to(victim)
        (self.inbox / "b").symlink_to(self.dir / "not there")
        for name in ("a", "b"):
            source = self.file(name, 50)
            self.run_weft("send", source, daemon.peer)
            self.assert_same_file(self.inbox / f"{name}.1", source)
        self.assertEqual(victim.read_bytes(), b"untouched")
        self.assertFalse((self.dir / "not there").exists())

    def test_the_receiving_folder_is_made_for_its_owner_alone(self):
        self.daemon(receive=self.dir / "deep" / "down")
        self.assertEqual(stat.S_IMODE((self.dir / "deep" / "down").stat().st_mode), 0o700)

    def test_words_for_people_name_size_digest_and_place(self):
        daemon = self.daemon()
        source = self.file("a.txt", 1536)
        process = self.run_weft("send", source, daemon.peer)
        self.assertRegex(process.out, rf"^sent a\.txt: 1\.5 KiB in [0-9.]+ s .*, sha256 {sha256_of(source)}$")
        self.assertEqual(process.err, "")


for name, size in SIZES.items():
    def claim(self, size=size):
        self.send(size)

    setattr(FilesAreSent, f"test_a_file_of_{name}_arrives_whole_under_its_name", claim)


class FilesAreFetched(Case):
    def offering(self, *paths, **more):
        return self.daemon(offer=list(paths), **more)

    def test_an_offered_file_is_fetched_whole(self):
        for size in (0, 1, 65536, 3_000_000):
            source = self.file(f"offered-{size}", size)
            daemon = self.offering(source)
            (self.dir / "here").mkdir(exist_ok=True)
            told = only(self.run_weft("get", "--json", daemon.peer, source.name, "--dir", self.dir / "here").objects())
            self.assertEqual((told["event"], told["size"], told["sha256"]), ("fetched", size, sha256_of(source)))
            self.assert_same_file(self.dir / "here" / source.name, source)
            self.assertEqual(self.parts(self.dir / "here"), [])

    def test_without_dir_it_comes_into_the_present_folder(self):
        source = self.file("a", 100)
        daemon = self.offering(source)
        here = self.dir / "here"
        here.mkdir()
        self.run_weft("get", daemon.peer, "a", cwd=here)
        self.assert_same_file(here / "a", source)

    def test_what_is_there_already_stays_and_the_fetched_file_gets_a_number(self):
        source = self.file("a", 100)
        daemon = self.offering(source)
        here = self.dir / "here"
        here.mkdir()
        (here / "a").write_text("mine")
        self.run_weft("get", daemon.peer, "a", "--dir", here)
        self.assertEqual((here / "a").read_text(), "mine")
        self.assert_same_file(here / "a.1", source)

    def test_the_list_has_names_and_sizes(self):
        daemon = self.offering(self.file("one", 1), self.file("two", 2048))
        rows = self.run_weft("get", "--json", daemon.peer).objects()
        self.assertEqual(rows, [{"name": "one", "size": 1}, {"name": "two", "size": 2048}])
        self.assertEqual(self.run_weft("get", daemon.peer).out, "one\t1 bytes\ntwo\t2.0 KiB")

    def test_a_name_that_is_not_offered_is_told_in_a_sentence(self):
        daemon = self.offering(self.file("a", 1))
        self.fails("get", daemon.peer, "b", says=["b: not fetched", "there is no such thing"])
        self.assert_alive(daemon)

    def test_no_path_leads_out_of_what_is_offered(self):
        secret = self.file("secret", content=b"not for you")
        daemon = self.offering(self.file("a", 1))
        for name in ("../secret", str(secret), "..", "."):
            self.fails("get", daemon.peer, name, "--dir", self.dir, says="cannot fetch")

    def test_an_offered_file_that_went_away_is_told_in_a_sentence(self):
        source = self.file("a", 1000)
        daemon = self.offering(source)
        source.unlink()
        self.fails("get", daemon.peer, "a", says=["not fetched", "there is no such thing"])
        self.assert_alive(daemon)

    def test_an_offered_file_that_changed_is_fetched_as_it_is_now(self):
        source = self.file("a", 1000)
        daemon = self.offering(source)
        source.write_bytes(random_bytes(5000, 7))
        self.run_weft("get", daemon.peer, "a", "--dir", self.dir)
        self.assert_same_file(self.dir / "a", source)

    def test_where_nothing_is_offered_the_list_says_so(self):
        daemon = self.daemon()
        self.fails("get", daemon.peer, says="cannot list")
        self.fails("get", daemon.peer, "a", says="not fetched")

    def test_a_folder_that_is_missing_or_a_file_is_refused_before_anything_is_fetched(self):
        daemon = self.offering(self.file("a", 1))
        for folder in (self.dir / "missing", self.file("plain", 1)):
            self.fails("get", daemon.peer, "a", "--dir", folder, says="cannot fetch")

    def test_an_offer_that_cannot_be_read_stops_the_daemon_at_its_start(self):
        config = self.config(receive=self.dir / "in", offer=self.dir / "missing", listen="127.0.0.1:0")
        daemon = self.start([WEFTD, "--quiet", "--config", config], "server")
        self.assertEqual(daemon.wait(), 1)
        self.assertIn("cannot offer", daemon.err.splitlines()[-1])

    def test_two_offers_of_one_name_are_refused(self):
        other = self.dir / "other"
        other.mkdir()
        (other / "a").write_text("x")
        config = self.config(offer=[self.file("a", 1), other / "a"], listen="127.0.0.1:0")
        daemon = self.start([WEFTD, "--config", config], "server")
        self.assertEqual(daemon.wait(), 1)
        self.assertIn("cannot offer", daemon.err.splitlines()[-1])


class Listen(Case):
    """The same services from `weft listen`."""

    def listener(self, *args):
        process = self.weft("listen", "--listen", "127.0.0.1:0", "--json", *args, who="server")
        process.peer = process.event("listening")["peer"]
        return process

    def test_listen_receives_offers_and_echoes(self):
        offered, source = self.file("offered", 70000), self.file("sent", 70000, seed=2)
        listener = self.listener("--dir", self.dir / "in", "--offer", offered, "--allow", self.shown())
        self.run_weft("send", source, listener.peer)
        self.assert_same_file(self.dir / "in" / "sent", source)
        self.run_weft("get", listener.peer, "offered", "--dir", self.dir)
        self.assert_same_file(self.dir / "offered", offered)
        self.assertEqual(self.run_weft("echo", listener.peer, "to", "you").out, "to you")

    def test_listen_without_json_prints_the_peer_in_one_line(self):
        process = self.weft("listen", "--listen", "127.0.0.1:0", "--dir", self.dir / "in", who="server")
        line = process.line(lambda l: True)
        self.assertRegex(line, r"^listening as weft1[0-9a-z]{58,}@127\.0\.0\.1:[1-9][0-9]*$")

    def test_listen_with_nothing_to_do_is_refused(self):
        self.fails("listen", says="give a folder with --dir")

    def test_allow_any_lets_everybody_in(self):
        listener = self.listener("--dir", self.dir / "in", "--allow", "any")
        self.run_weft("send", self.file("a", 5), listener.peer, who="stranger")
        self.assertTrue((self.dir / "in" / "a").is_file())

    def test_two_senders_of_one_name_at_once_both_arrive(self):
        listener = self.listener("--dir", self.dir / "in", "--allow", "any")
        a = self.file("x", 3_000_000)
        other = self.dir / "other"
        other.mkdir()
        b = other / "x"
        b.write_bytes(random_bytes(3_000_000, 2))
        processes = [self.weft("send", a, listener.peer, who="one"), self.weft("send", b, listener.peer, who="two")]
        for process in processes:
            self.assertEqual(process.wait(), 0, process.told())
        got = {sha256_of(self.dir / "in" / "x"), sha256_of(self.dir / "in" / "x.1")}
        self.assertEqual(got, {sha256_of(a), sha256_of(b)})


if __name__ == "__main__":
    unittest.main()
