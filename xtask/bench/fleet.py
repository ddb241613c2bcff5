"""Two thousand hosts with one command each, from a cold start: winrm, and pywinrm with threads.

usage: fleet.py WINRM MANY [HOSTS]

WINRM and MANY are the release builds of the command and of the loopback crate's example `many`. The services run in one
process on the same cores as the client: rates are of both together. Memory is the highest resident set of the client
process as the system counts it, above that of the same client with one host.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PASSWORD = "bench password"

PYWINRM = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from winrm.protocol import Protocol

def run(url):
    protocol = Protocol(url, transport="ntlm", username="winrm", password=sys.argv[2], message_encryption="always")
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "hello")
    output, _, code = protocol.get_command_output(shell, command)
    protocol.cleanup_command(shell, command)
    protocol.close_shell(shell)
    assert code == 0 and output == b"hello\\r\\n", (code, output)

urls = open(sys.argv[1]).read().split()
threading.stack_size(256 * 1024)
with ThreadPoolExecutor(int(sys.argv[3])) as pool:
    list(pool.map(run, urls))
"""


def peak(command, **options):
    """Seconds, and the highest resident set in KiB, of a child of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        started = time.monotonic()
        code = subprocess.run(command, stdout=subprocess.DEVNULL, **options).returncode
        seconds = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        os.write(writer, json.dumps([code, seconds, used]).encode())
        os._exit(0)
    os.close(writer)
    told = os.fdopen(reader).read()
    os.waitpid(child, 0)
    code, seconds, used = json.loads(told)
    if code != 0:
        raise SystemExit(f"{command[0]} ended with {code}")
    return seconds, used


class Hosts:
    def __init__(self, many, count, *options):
        self.file = tempfile.NamedTemporaryFile()
        environment = {**os.environ, "WINRM_PASSWORD": PASSWORD}
        command = [many, str(count), self.file.name, *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        if not self.process.stdout.readline():
            raise SystemExit("the services did not start")

    def __enter__(self):
        return self.file.name

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def main():
    winrm, many = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
    environment = {**os.environ, "WINRM_PASSWORD": PASSWORD, "WINRM_USER": "winrm"}

    def command(file, parallel):
        return [winrm, "run", "--no-config", f"@{file}", "--parallel", str(parallel), "--", "hello"]

    with Hosts(many, 1) as file:
        _, base = peak(command(file, 1), env=environment)
    with Hosts(many, count) as file:
        seconds, _ = peak(command(file, 200), env=environment)
    print(f"winrm, {count} hosts, 200 at once: {count / seconds:.0f} hosts/s ({seconds:.2f} s)")
    with Hosts(many, count, "--together") as file:
        together, used = peak(command(file, count), env=environment)
    each = (used - base) / count
    print(f"winrm, {count} hosts, all at once: {count / together:.0f} hosts/s; {base / 1024:.1f} MiB with one host, "
          f"{used / 1024:.1f} MiB with all: {each:.1f} KiB for each live session")
    try:
        import winrm as pywinrm  # noqa: F401
    except ImportError:
        print("pywinrm is not installed: not compared")
        return
    few = min(count, 400)
    with Hosts(many, few) as file, tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "client.py"
        script.write_text(PYWINRM)
        theirs, memory = peak([sys.executable, str(script), file, PASSWORD, "50"])
    print(f"pywinrm, {few} hosts, 50 threads: {few / theirs:.0f} hosts/s, {memory / 1024:.0f} MiB; "
          f"winrm does {count / seconds / (few / theirs):.0f} times as many")


if __name__ == "__main__":
    main()
