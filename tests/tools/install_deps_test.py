# SPDX-License-Identifier: Apache-2.0
"""install-deps.sh with an apt and a dpkg of ours that only write down what they were asked."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from tool import TOOLS

FAKES = {
    "dpkg-query": 'for p; do :; done; grep -qxF "$p" "$FAKE/installed" && printf installed',
    "apt-cache": 'grep -xF "$2" "$FAKE/offered"',
    "apt-get": 'echo "$*" >>"$FAKE/asked"; case "$*" in *update*) cat "$FAKE/after-update" >>"$FAKE/offered" ;; esac\n'
               '[ ! -e "$WEFT_POLICY_RC_D" ] || echo quiet >>"$FAKE/asked"',
    "id": "echo 0",
}
RUN_SET = ("gcc libc6-dev cmake ninja-build pkg-config libsodium-dev libssl-dev libsqlite3-dev "
           "libjansson-dev").split()
CHECK_SET = RUN_SET + ("g++ clang libclang-rt-dev llvm clang-format-14 clang-tidy-14 cppcheck libcmocka-dev python3 "
                       "python3-cryptography python3-nacl git iproute2 nftables valgrind").split()


class InstallDeps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.fake = Path(folder.name)
        for name, body in FAKES.items():
            self.command(name, body)
        for name in ("bash", "grep", "cat", "tee", "chmod", "rm", "env", "head"):
            os.symlink(shutil.which(name), self.fake / name)

    def command(self, name, body):
        path = self.fake / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def run_set(self, which, installed, offered=(), after_update=()):
        for name, lines in (("installed", installed), ("offered", offered), ("after-update", after_update)):
            (self.fake / name).write_text("".join(f"{line}\n" for line in lines))
        (self.fake / "asked").write_text("")
        done = subprocess.run(
            ["bash", str(TOOLS / "install-deps.sh"), which], capture_output=True, text=True,
            env={"PATH": str(self.fake), "FAKE": str(self.fake), "WEFT_POLICY_RC_D": str(self.fake / "policy")},
        )
        return done, (self.fake / "asked").read_text()

    def test_apt_is_left_alone_when_nothing_is_missing(self):
        for which, packages in (("run", RUN_SET), ("check", CHECK_SET)):
            done, asked = self.run_set(which, packages)
            self.assertEqual((done.returncode, asked), (0, ""), done.stderr)

    def test_only_what_is_missing_is_installed_and_services_are_kept_still(self):
        done, asked = self.run_set("run", [p for p in RUN_SET if p != "libsodium-dev"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("update", asked)
        self.assertIn("install --no-install-recommends libsodium-dev\nquiet\n", asked)
        self.assertFalse((self.fake / "policy").exists())

    def test_a_package_the_distribution_lacks_is_replaced_or_left_out(self):
        without = [p for p in CHECK_SET if p not in ("clang-format-14", "libclang-rt-dev")]
        done, asked = self.run_set("check", without)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("install --no-install-recommends clang-format\n", asked)
        done, asked = self.run_set("check", without + ["clang-format"])
        self.assertEqual((done.returncode, asked), (0, ""))

    def test_on_a_fresh_system_what_is_offered_is_asked_after_the_update(self):
        done, asked = self.run_set("check", [], after_update=CHECK_SET)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"install --no-install-recommends {' '.join(CHECK_SET)}\n", asked)

    def test_without_apt_one_sentence_names_what_to_install(self):
        (self.fake / "apt-get").unlink()
        done, _ = self.run_set("run", [])
        self.assertEqual(done.returncode, 1)
        self.assertIn("neither Debian nor Ubuntu, so please install by hand: cc cmake ninja", done.stderr)

    def test_without_root_and_sudo_one_sentence_says_so(self):
        self.command("id", "echo 1000")
        done, asked = self.run_set("run", [])
        self.assertEqual((done.returncode, asked), (1, ""))
        self.assertIn("become root or install sudo", done.stderr)

    def test_an_unknown_set_is_refused(self):
        done, _ = self.run_set("nonsense", [])
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
