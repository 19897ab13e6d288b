# SPDX-License-Identifier: Apache-2.0
"""Groups with real processes: members talk, others find nobody, and no secret stands where others can read it."""

import re
import signal
import stat
import unittest

from harness import Case, WEFTD, only


class Groups(Case):
    def group(self, name="group"):
        path = self.dir / name
        self.run_weft("group", "new", path, who="server")
        return path

    def invitation(self, group, name="invitation", who="server"):
        path = self.dir / name
        self.key(who)
        self.run_weft("group", "invite", group, path, who=who)
        return path

    def serve(self, *groups, **lines):
        self.key("server")
        return self.daemon(group=list(groups), allow="any *", **lines)

    def at(self, daemon):
        return f"@127.0.0.1:{daemon.port}"

    def secret(self, path):
        return re.search(r"weftg(?:rp|sec)1\w+", path.read_text())[0]


class Talk(Groups):
    def test_members_talk_with_listeners_of_both_kinds(self):
        group = self.group()
        invitation = self.invitation(group)
        for only_groups in ("no", "yes"):
            daemon = self.serve(self.group(f"other-{only_groups}"), group, only_groups=only_groups)
            member = ("--invitation", invitation)
            self.run_weft("ping", "-n", "1", *member, self.at(daemon))
            echo = only(self.run_weft("echo", "--json", *member, self.at(daemon), "hello").objects())
            self.assertTrue(echo["ok"])
            self.assertIn("inside a group", echo["grade"])
            self.assertEqual(self.run_weft("echo", *member, daemon.peer, "the whole peer").out, "the whole peer")
            self.assertEqual(self.run_weft("echo", "--first-data", *member, self.at(daemon), "early").out, "early")
            source = self.file(f"picture-{only_groups}", 300000)
            self.run_weft("send", *member, source, self.at(daemon))
            self.assert_same_file(self.inbox / source.name, source)
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(), 0)

    def test_weft_listen_answers_a_group_and_offers_files_to_it(self):
        group = self.group()
        invitation = self.invitation(group)
        source = self.file("offered", 1000)
        server = self.weft("listen", "--offer", source, "--allow", "any", "--group", group, "--only-groups",
                           "--listen", "127.0.0.1:0", "--json", who="server")
        peer = "@" + server.event("listening")["peer"].split("@")[1]
        listed = self.run_weft("get", "--invitation", invitation, peer)
        self.assertIn("offered", listed.out)
        (self.dir / "got").mkdir()
        self.run_weft("get", "--invitation", invitation, peer, "offered", "--dir", self.dir / "got")
        self.assert_same_file(self.dir / "got" / "offered", source)

    def test_who_is_not_of_the_group_is_told_what_he_would_be_told_if_the_server_were_not_there(self):
        group = self.group()
        self.invitation(group)
        wrong = self.invitation(self.group("wrong"), "wrong-invitation")
        daemon = self.serve(group, only_groups="yes")
        stranger = self.fails("ping", "-n", "1", "-w", "1500", daemon.peer, says="ping 1")
        # Whoever is there is somebody else, who shows the same to everybody and never this server's key.
        self.assertIn("another key than was asked for", stranger.err)
        member_of_another = self.fails("ping", "-n", "1", "-w", "1500", "--invitation", wrong, self.at(daemon),
                                       says="nothing answered")
        daemon.signal(signal.SIGSTOP)
        nobody = self.fails("ping", "-n", "1", "-w", "1500", "--invitation", wrong, self.at(daemon), says="nothing answered")
        daemon.signal(signal.SIGCONT)
        self.assertEqual(member_of_another.err, nobody.err)
        self.assertEqual(daemon.lines["err"], [])

    def test_a_listener_of_both_kinds_answers_everybody_but_members_of_other_groups(self):
        daemon = self.serve(self.group())
        wrong = self.invitation(self.group("wrong"), "wrong-invitation")
        self.assertEqual(self.run_weft("echo", daemon.peer, "x").out, "x")
        self.fails("ping", "-n", "1", "-w", "1500", "--invitation", wrong, self.at(daemon), says="nothing answered")

    def test_an_invitation_is_for_one_server(self):
        group = self.group()
        theirs = self.invitation(group, "theirs", who="other")
        daemon = self.serve(group)
        self.fails("echo", "--invitation", theirs, daemon.peer, "x", says="is for another server than")


class Secrets(Groups):
    def test_files_are_for_their_owner_alone_and_never_replaced(self):
        """SPEC 1.10-12"""
        group = self.group()
        invitation = self.invitation(group)
        for path in (group, invitation):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            before = path.read_bytes()
            words = ("group", "new", path) if path == group else ("group", "invite", group, path)
            self.fails(*words, who="server", says=str(path))
            self.assertEqual(path.read_bytes(), before)
        invitation.chmod(0o640)
        group.chmod(0o604)
        self.fails("ping", "--invitation", invitation, "@127.0.0.1:1", says=["others can read", "chmod 600"])
        self.fails("group", "invite", group, who="server", says=["others can read", "chmod 600"])
        process = self.start([WEFTD, "--group", group, "--listen", "127.0.0.1:0", "--quiet"], "server")
        self.assert_sentence(process, ["others can read", "chmod 600"])

    def test_neither_process_lists_nor_outputs_nor_counters_nor_keylogs_hold_a_key(self):
        """SPEC 1.10-12"""
        group = self.group()
        invitation = self.invitation(group)
        counters = self.dir / "counters"
        daemon = self.serve(group, only_groups="yes", stats_json=counters, keylog=self.dir / "keylog")
        client = self.weft("cat", "--invitation", invitation, self.at(daemon), "--keylog", self.dir / "keylog-client")
        seen = self.command_lines(daemon, client)
        client.wait()
        ping = self.run_weft("ping", "-n", "1", "--invitation", invitation, self.at(daemon))
        daemon.signal(signal.SIGTERM)
        daemon.wait()
        seen += [p.out + p.err for p in (daemon, client, ping)]
        seen += [(self.dir / name).read_text() for name in ("counters", "keylog", "keylog-client")]
        for secret in (self.secret(group), self.secret(invitation)):
            for text in seen:
                self.assertNotIn(secret[10:40], text)

    def command_lines(self, *processes):
        found = []
        for process in processes:
            with open(f"/proc/{process.pid}/cmdline", "rb") as f:
                found.append(f.read().decode())
        self.assertIn("weft", found[0])
        return found

    def test_an_invitation_on_the_command_line_is_refused_and_not_repeated(self):
        text = self.secret(self.invitation(self.group()))
        for to in (text, f"{text}@127.0.0.1:1"):
            process = self.fails("ping", to, says=["others can read the command line", "--invitation FILE"])
            self.assertNotIn(text[10:40], process.err)


class Mistakes(Groups):
    def test_each_is_one_sentence(self):
        group = self.group()
        invitation = self.invitation(group)
        text = invitation.read_text()
        broken = self.dir / "broken"
        broken.write_text(text.replace(text[60], "q" if text[60] != "q" else "p", 1))
        broken.chmod(0o600)
        absent = self.dir / "absent"
        self.fails("ping", "--invitation", absent, "@h", says=["there is no file", "weftgrp1"])
        self.fails("ping", "--invitation", broken, "@h", says="typo")
        self.fails("ping", "--invitation", group, "@h", says="holds no invitation")
        self.fails("ping", "--invitation", invitation, "127.0.0.1:1", says=["is no peer", "@host:port"])
        self.fails("ping", "--invitation", invitation, "clock@127.0.0.1:1", says=["is no peer", "@host:port"])
        self.fails("ping", "--invitation", invitation, "@", says="has no good address")
        self.fails("ping", "--invitation", invitation, "@" + "h" * 400, says="has no good address")
        self.fails("ping", "@127.0.0.1:1", says="is no peer")
        self.fails("ping", "--first-data", f"{self.key('server')}@127.0.0.1:1", says="--invitation FILE")
        self.fails("group", "invite", absent, who="server", says=["there is no group file", "weft group new"])
        self.fails("group", "invite", invitation, who="server", says="no group file")
        self.fails("group", "nonsense", group, says="weft group --help")
        self.fails("group", "new", group, "more", says="weft group --help")
        listen = ("listen", "--dir", self.dir / "in", "--listen", "127.0.0.1:0", "--quiet")
        self.fails(*listen, "--only-groups", who="server", says="at least one with --group")
        self.fails(*listen, "--group", group, "--group", group, who="server", says="given twice")
        self.fails(*listen, "--invitation", invitation, who="server", says="is for calling")

    def test_an_invitation_goes_to_standard_output_too(self):
        group = self.group()
        file = self.invitation(group)
        said = self.run_weft("group", "invite", group, who="server")
        self.assertEqual(said.out.strip(), file.read_text().strip())
        said = only(self.run_weft("group", "invite", group, "--json", who="server").objects())
        self.assertEqual(said["invitation"], file.read_text().strip())

    def test_a_configuration_says_what_is_wrong_with_groups(self):
        config = self.config(only_groups="perhaps")
        self.assert_sentence(self.start([WEFTD, "--config", config, "--check-config"], "server"), "expected yes or no")
        config = self.config(group=["g"] * 65)
        self.assert_sentence(self.start([WEFTD, "--config", config, "--check-config"], "server"), "more than 64 groups")


if __name__ == "__main__":
    unittest.main()
