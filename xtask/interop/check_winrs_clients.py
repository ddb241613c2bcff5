"""pywinrm and pypsrp, unmodified, run commands on `winrm serve`: NTLM, every message sealed."""

import json
import os
import signal
import subprocess
import urllib.parse

import winrm
import winrm.exceptions
from pypsrp import exceptions as pypsrp_exceptions
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan

from pipe import Checks

# More than one answer can hold many times over.
LARGE = 3_000_000
INVALID_SELECTORS = 2150858843
ABORTED_BY_SIGNAL = {1, 137, 0xC000013A}


class Service:
    """`winrm serve` on a free port, with a password that it makes up."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WINRM_PASSWORD")}
        command = [os.environ["WINRM_BIN"], "serve", "--listen", "127.0.0.1:0", "--json", *self.options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )
        ready = json.loads(self.process.stdout.readline())
        self.url, self.user, self.password = ready["url"], ready["user"], ready["password"]
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Asks it to end, and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=10)
        self.process.stdin.close()
        self.process.stdout.close()
        return status


class Pywinrm:
    """What the checks need of pywinrm."""

    name = "pywinrm"

    def __init__(self, service, password=None, **shell):
        self.protocol = winrm.Protocol(
            endpoint=service.url,
            transport="ntlm",
            username=service.user,
            password=password or service.password,
            message_encryption="always",
            operation_timeout_sec=1,
            read_timeout_sec=5,
        )
        self.shell = None
        self.options = shell

    def __enter__(self):
        self.shell = self.protocol.open_shell(**self.options)
        return self

    def __exit__(self, *_):
        self.protocol.close_shell(self.shell)

    def start(self, command, arguments=()):
        return self.protocol.run_command(self.shell, command, arguments)

    def input(self, command, data, end=True):
        self.protocol.send_command_input(self.shell, command, data, end)

    def interrupt(self, command):
        raise NotImplementedError

    def finish(self, command):
        """(stdout, stderr, exit code)"""
        output = self.protocol.get_command_output(self.shell, command)
        self.protocol.cleanup_command(self.shell, command)
        return output

    refused = winrm.exceptions.InvalidCredentialsError

    @staticmethod
    def fault(error):
        assert isinstance(error, winrm.exceptions.WSManFaultError), repr(error)
        return error.wsman_fault_code


class PywinrmClear(Pywinrm):
    name = "pywinrm with basic in clear"

    def __init__(self, service, password=None, **shell):
        self.protocol = winrm.Protocol(
            endpoint=service.url,
            transport="basic",
            username=service.user,
            password=password or service.password,
            operation_timeout_sec=1,
            read_timeout_sec=5,
        )
        self.shell = None
        self.options = shell


class Pypsrp:
    """What the checks need of pypsrp."""

    auth = None

    def __init__(self, service, password=None, **shell):
        url = urllib.parse.urlsplit(service.url)
        self.wsman = WSMan(
            url.hostname,
            port=url.port,
            path=url.path.lstrip("/"),
            ssl=False,
            auth=self.auth,
            encryption="always",
            username=service.user,
            password=password or service.password,
            operation_timeout=1,
            read_timeout=5,
        )
        names = {"env_vars": "environment", "working_directory": "working_directory"}
        self.shell = WinRS(self.wsman, **{names[name]: value for name, value in shell.items()})

    def __enter__(self):
        self.wsman.__enter__()
        self.shell.open()
        return self

    def __exit__(self, *_):
        self.shell.close()
        self.wsman.__exit__(None, None, None)

    def start(self, command, arguments=()):
        process = Process(self.shell, command, list(arguments))
        process.begin_invoke()
        return process

    def input(self, command, data, end=True):
        command.send(data, end)

    def interrupt(self, command):
        command.signal(SignalCode.CTRL_C)

    def finish(self, command):
        command.end_invoke()
        command.signal(SignalCode.TERMINATE)
        return command.stdout, command.stderr, command.rc

    refused = pypsrp_exceptions.AuthenticationError

    @staticmethod
    def fault(error):
        assert isinstance(error, pypsrp_exceptions.WSManFaultError), repr(error)
        return error.code


class PypsrpNtlm(Pypsrp):
    name, auth = "pypsrp with ntlm", "ntlm"


class PypsrpNegotiate(Pypsrp):
    name, auth = "pypsrp with negotiate", "negotiate"


def expect(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def checks_of(client, service):
    """Every check, by its name."""

    def run(command, arguments=(), **shell):
        with client(service, **shell) as session:
            return session.finish(session.start(command, arguments))

    def output_and_exit_code():
        expect(run("echo out; echo err >&2; exit 3"), (b"out\n", b"err\n", 3))

    def arguments():
        # cmd does not know \\" and would take what follows it for quoted, so that comes last.
        expect(run("printf", ["[%s]", '"a b"', "^&", '"c\\"d"']), (b'[a b][&][c"d]', b"", 0))

    def several_commands():
        with client(service) as session:
            for code in range(5):
                expect(session.finish(session.start(f"echo {code}; exit {code}")), (f"{code}\n".encode(), b"", code))

    def two_at_once():
        with client(service) as session:
            first, second = session.start("cat"), session.start("echo second")
            expect(session.finish(second), (b"second\n", b"", 0))
            session.input(first, b"first")
            expect(session.finish(first), (b"first", b"", 0))

    def standard_input():
        with client(service) as session:
            command = session.start("cat; echo end")
            session.input(command, b"one\n", False)
            session.input(command, bytes(range(256)), False)
            session.input(command, b"two\n")
            expect(session.finish(command), (b"one\n" + bytes(range(256)) + b"two\nend\n", b"", 0))

    def environment():
        variables = {"GREETING": "Grüße <&> \"all\"", "SECOND": "2"}
        found = run('printf %s/%s "$GREETING" "$SECOND"', env_vars=variables)
        expect(found, ("Grüße <&> \"all\"/2".encode(), b"", 0))

    def working_directory():
        expect(run("pwd", working_directory="/usr"), (b"/usr\n", b"", 0))

    def large_output():
        stdout, stderr, code = run(f"head -c {LARGE} /dev/zero | tr '\\0' x; echo end >&2")
        expect((len(stdout), set(stdout), stderr, code), (LARGE, {ord("x")}, b"end\n", 0))

    def longer_than_the_operation_timeout():
        expect(run("echo early; sleep 2.5; echo late"), (b"early\nlate\n", b"", 0))

    def unknown_program():
        stdout, stderr, code = run("no-such-program", ["x"])
        assert stdout == b"" and b"no-such-program" in stderr and code == 1, (stdout, stderr, code)

    def ended_shell():
        with client(service) as session:
            command = session.start("true")
            session.finish(command)
            try:
                session.finish(command)
            except Exception as error:
                expect(session.fault(error), INVALID_SELECTORS)
            else:
                raise AssertionError("output of a command that is gone")

    def wrong_password():
        try:
            with client(service, password="not " + service.password):
                pass
        except client.refused:
            return
        raise AssertionError("logged on")

    def interrupt():
        with client(service) as session:
            command = session.start("echo begun; sleep 30")
            session.interrupt(command)
            stdout, stderr, code = session.finish(command)
            assert stdout in (b"", b"begun\n") and stderr == b"" and code in ABORTED_BY_SIGNAL, (stdout, stderr, code)

    checks = [
        output_and_exit_code,
        arguments,
        several_commands,
        two_at_once,
        standard_input,
        environment,
        working_directory,
        large_output,
        longer_than_the_operation_timeout,
        unknown_program,
        ended_shell,
        wrong_password,
    ]
    if issubclass(client, Pypsrp):
        checks.append(interrupt)
    return [(check.__name__.replace("_", " "), check) for check in checks]


def main():
    checks = Checks("WinRS clients")
    with Service() as service:
        for client in [Pywinrm, PypsrpNtlm, PypsrpNegotiate]:
            for name, check in checks_of(client, service):
                checks.run(f"{client.name}: {name}", check)
    with Service("--dangerous-clear-text-basic") as clear:
        for name, check in checks_of(PywinrmClear, clear):
            checks.run(f"{PywinrmClear.name}: {name}", check)
    checks.run("the service ends when told to", lambda: expect(service.process.returncode, 0))
    checks.finish()


if __name__ == "__main__":
    main()
