# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on: the built programs as processes, waited for by what they print, never by sleeping.

Programs come from the folder in WEFT_BUILD (build/dev). Every wait has a deadline; every process is ended by its id
when its test ends, whatever happened.
"""

import hashlib
import json
import os
import random
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("WEFT_BUILD", ROOT / "build" / "dev")).resolve()
WEFT = str(BUILD / "weft")
WEFTD = str(BUILD / "weftd")
NETEM = str(BUILD / "weft-netem")

# A deadline says when to give up on something that is going to happen; only a failing test waits so long.
PATIENCE = 40.0
POLL = 0.005


def wait_until(what, seconds=PATIENCE, saying="nothing happened"):
    """The first true value of what()."""
    deadline = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{saying} (waited {seconds:.0f} s)")
        time.sleep(POLL)


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def random_bytes(size, seed=1):
    return random.Random(seed).randbytes(size)


class Process:
    """A program that runs. Its output is kept line by line as it comes; reading never blocks the program."""

    def __init__(self, argv, env, stdin=None, cwd=None, preexec=None, binary=False):
        self.argv = argv
        self.binary = binary
        self.child = subprocess.Popen(
            argv, env=env, cwd=cwd, preexec_fn=preexec,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.lines = {"out": [], "err": []}
        self.changed = threading.Condition()
        self.readers = []
        if not binary:
            self._start("out", self.child.stdout)
        self._start("err", self.child.stderr)

    def _start(self, name, pipe):
        thread = threading.Thread(target=self._read, args=(name, pipe), daemon=True)
        thread.start()
        self.readers.append(thread)

    def _read(self, name, pipe):
        for line in pipe:
            with self.changed:
                self.lines[name].append(line.decode("utf-8", "replace").rstrip("\n"))
                self.changed.notify_all()

    @property
    def pid(self):
        return self.child.pid

    @property
    def out(self):
        return "\n".join(self.lines["out"])

    @property
    def err(self):
        return "\n".join(self.lines["err"])

    def told(self):
        return f"{' '.join(map(str, self.argv))}: status {self.child.poll()}, out {self.out!r}, err {self.err!r}"

    def line(self, test, where="out", seconds=PATIENCE):
        """The first line for which test(line) is true, past or to come."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                for line in self.lines[where]:
                    if test(line):
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or (self.child.poll() is not None and not any(r.is_alive() for r in self.readers)):
                    raise AssertionError(f"the line never came. {self.told()}")
                self.changed.wait(min(left, 0.1))

    def event(self, name, seconds=PATIENCE):
        """The first JSON line of that event."""
        return json.loads(self.line(lambda l: l.startswith("{") and json.loads(l).get("event") == name, "out", seconds))

    def objects(self):
        return [json.loads(line) for line in self.lines["out"]]

    def wait(self, seconds=PATIENCE):
        """The exit status, when all it printed was read."""
        try:
            status = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end. {self.told()}") from None
        for reader in self.readers:
            reader.join(PATIENCE)
        return status

    def is_alive(self):
        return self.child.poll() is None

    def signal(self, number):
        self.child.send_signal(number)

    def end(self):
        """For clean-up: by its id alone."""
        if self.is_alive():
            self.child.kill()
        self.child.wait()
        for reader in self.readers:
            reader.join(PATIENCE)
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass


class Case(unittest.TestCase):
    """A test with a folder of its own and processes that end with it."""

    maxDiff = None

    def setUp(self):
        # Beneath /tmp and open to all on the way, so that a test can run a program as somebody else.
        self.dir = Path(tempfile.mkdtemp(prefix="weft-e2e-"))
        self.dir.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    # --- processes ---

    def env(self, who="client", **more):
        """Each name is a user with a key and rules of his own."""
        home = self.dir / who
        home.mkdir(exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS") or k in ("PATH", "LD_LIBRARY_PATH")}
        return {**kept, "HOME": str(home), "WEFT_HOME": str(home), "TERM": "dumb", "LC_ALL": "C", **more}

    def start(self, argv, who="client", stdin=None, cwd=None, preexec=None, binary=False):
        process = Process([str(a) for a in argv], self.env(who), stdin, cwd, preexec, binary)
        self.addCleanup(process.end)
        return process

    def on_a_terminal(self, *args, answers=()):
        """Runs weft with a terminal of its own for input, output and errors, and answers each prompt when it is there:
        answers are (prompt, line). (status, what the terminal showed)."""
        env = self.env()
        pid, fd = os.forkpty()
        if pid == 0:
            os.execve(WEFT, [WEFT, *map(str, args)], env)
        shown = b""
        waiting = list(answers)
        try:
            while select.select([fd], [], [], PATIENCE)[0]:
                shown += os.read(fd, 65536)
                if waiting and waiting[0][0].encode() in shown:
                    os.write(fd, waiting.pop(0)[1].encode() + b"\n")
        except OSError:
            pass  # the other end closed
        else:
            os.kill(pid, signal.SIGKILL)
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()

    def weft(self, *args, who="client", **more):
        return self.start([WEFT, *args], who, **more)

    def run_weft(self, *args, who="client", status=0, seconds=PATIENCE, **more):
        """Runs it to its end and checks the status; None: any."""
        process = self.weft(*args, who=who, **more)
        got = process.wait(seconds)
        if status is not None:
            self.assertEqual(got, status, process.told())
        return process

    def fails(self, *args, says, **more):
        """It ends with an error, and one sentence that contains each of says."""
        who = more.get("who", "client")
        if args[0] not in ("key", "allow") and not (self.dir / who / "key").exists():
            self.key(who)  # else making one would be told too
        process = self.run_weft(*args, status=None, **more)
        self.assert_sentence(process, says)
        return process

    def assert_sentence(self, process, says):
        """Not 0, not killed, and exactly one line on standard error that begins with the program's name."""
        status = process.wait()
        self.assertGreater(status, 0, process.told())
        self.assertLess(status, 128 + 64, process.told())
        self.assertEqual(len(process.lines["err"]), 1, process.told())
        sentence = process.lines["err"][0]
        self.assertRegex(sentence, r"^weft(d|-netem)?: .*\.$", process.told())
        for words in [says] if isinstance(says, str) else says:
            self.assertIn(words, sentence, process.told())

    # --- keys, files, listeners ---

    def key(self, who="client"):
        """The public key of this user; made if need be."""
        file = self.dir / who / "key"
        command = "show" if file.exists() else "new"
        return self.run_weft("key", command, who=who).out.strip()

    def shown(self, who="client", to="server"):
        """What this user shows to the server of that user: its rules name it."""
        self.key(who)
        return self.run_weft("key", "show", "--for", self.key(to), who=who).out.strip()

    def file(self, name, size=None, content=None, seed=1):
        path = self.dir / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random_bytes(size, seed) if content is None else content)
        return path

    def config(self, **lines):
        """A configuration file; a value may be a list. Underscores in names stand for hyphens."""
        rows = []
        for name, value in lines.items():
            for one in value if isinstance(value, list) else [value]:
                rows.append(f"{name.replace('_', '-')} = {one}")
        path = self.dir / f"weftd-{len(list(self.dir.glob('weftd-*')))}.conf"
        path.write_text("\n".join(rows) + "\n")
        return path

    def daemon(self, *args, who="server", preexec=None, listen="127.0.0.1:0", **lines):
        """A weftd that receives into self.inbox and lets the client use everything; .peer is its text."""
        self.inbox = self.dir / "inbox"
        lines = {"receive": self.inbox, "listen": listen, **lines}
        if "allow" not in lines:
            lines["allow"] = f"{self.shown(to=who)} *"
        config = self.config(**{k: v for k, v in lines.items() if v is not None})
        daemon = self.start([WEFTD, "--config", config, "--json", *args], who, preexec=preexec)
        daemon.peer = daemon.event("listening")["peer"]
        daemon.port = int(daemon.peer.rsplit(":", 1)[1])
        return daemon

    def relay(self, port, *options, listen="127.0.0.1:0"):
        """A weft-netem in front of that port of this machine; .port is where it listens, .report() ends it and says what it
        did."""
        relay = self.start([NETEM, "udp", "--listen", listen, "--to", f"127.0.0.1:{port}", "--json", "-", *options])
        relay.port = int(relay.event("ready")["at"].rsplit(":", 1)[1])

        def report():
            relay.signal(signal.SIGTERM)
            self.assertEqual(relay.wait(), 0, relay.told())
            return relay.event("end")

        relay.report = report
        return relay

    def peer_at(self, daemon, port):
        """The same key at another port of this machine."""
        return f"{daemon.peer.split('@')[0]}@127.0.0.1:{port}"

    def parts(self, folder=None):
        folder = folder or self.inbox
        return sorted(folder.glob(".weft-*")) if folder.exists() else []

    def part_size(self, folder=None):
        """Of the largest part. An empty one may go between two looks."""
        size = 0
        for part in self.parts(folder):
            try:
                size = max(size, part.stat().st_size)
            except FileNotFoundError:
                pass
        return size

    def assert_same_file(self, got, source):
        self.assertTrue(got.is_file(), f"{got} is not there")
        self.assertEqual(got.stat().st_size, source.stat().st_size)
        self.assertEqual(sha256_of(got), sha256_of(source))

    def assert_alive(self, daemon, who="client"):
        """It runs and answers."""
        self.assertTrue(daemon.is_alive(), daemon.told())
        self.run_weft("ping", "-n", "1", daemon.peer, who=who)


def only(objects):
    assert len(objects) == 1, objects
    return objects[0]
