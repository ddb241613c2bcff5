"""Our half of NTLM and SPNEGO, at the other end of a pipe, and the bookkeeping of checks."""

import os
import subprocess
import sys


class Refused(Exception):
    """The peer answered `error`."""


class Peer:
    """One context of ours: an initiator or an acceptor (see xtask/src/bin/interop-peer.rs)."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [os.environ["PEER_BIN"], *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.established = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def ask(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peer ended: {self.process.wait(timeout=30)}")
        verdict, *rest = answer.split(maxsplit=1) if answer.startswith("error") else answer.split()
        if verdict == "error":
            raise Refused(rest[0].strip() if rest else "")
        return verdict, *rest

    def step(self, token=None):
        verdict, token = self.ask("step", to_hex(token) if token is not None else "-")
        self.established = verdict == "established"
        return None if token == "-" else bytes.fromhex(token)

    def wrap(self, message):
        _, header, sealed = self.ask("wrap", to_hex(message))
        return from_hex(header), from_hex(sealed)

    def unwrap(self, header, sealed):
        _, message = self.ask("unwrap", to_hex(header), to_hex(sealed))
        return from_hex(message)


def to_hex(data):
    return data.hex() or "-"


def from_hex(text):
    return b"" if text == "-" else bytes.fromhex(text)


class Checks:
    """Runs named checks, prints a line for each, and remembers failures."""

    def __init__(self, suite):
        self.suite = suite
        self.passed = 0
        self.failed = 0

    def run(self, name, check):
        try:
            check()
        except Exception as error:  # Whatever it is, it is the verdict on this check.
            self.failed += 1
            print(f"FAILED {self.suite}: {name}: {type(error).__name__}: {error}")
        else:
            self.passed += 1
            print(f"ok     {self.suite}: {name}")

    def finish(self):
        print(f"{self.suite}: {self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)
