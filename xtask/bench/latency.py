"""How long a command takes in a shell that is open already: our client, pypsrp and pywinrm, against one `winrm serve`.

Counted is the time from asking for the command to having its output and exit code (p50), and the time until the next command can
be asked for (next): the Python clients wait for the clean-up in between, ours goes beside the next command. Each client has its own shell and connection, and
they take turns, so that a busy moment of the machine hits all of them. The service's part of the time is the same for all;
what the client itself does is its processor time, clean-up and log-on included.

WINRM_BIN is the command, LATENCY_BIN the example `latency` of crates/shell.
"""

import os
import resource
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

from check_winrs_clients import PypsrpNtlm, Pywinrm, Service  # noqa: E402

WARM_UP = 10
COUNT, ROUNDS = (20, 3) if os.environ.get("CI", "") not in ("", "0", "false") else (60, 5)

COMMANDS = {
    # Of these two the service starts the first in a process of its own, and does the second by itself.
    "a process that ends at once (true)": ("true", ()),
    "no process at all (exit 0)": ("exit", ("0",)),
    "output of 17 bytes (echo)": ("echo 0123456789abcdef", ()),
}


def ours(service, command, arguments):
    environment = dict(
        os.environ, WINRM_URL=service.url, WINRM_USER=service.user, WINRM_PASSWORD=service.password
    )
    line = [os.environ["LATENCY_BIN"], str(COUNT), command, *arguments]
    before = processor(resource.RUSAGE_CHILDREN)
    output = subprocess.run(line, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    used = processor(resource.RUSAGE_CHILDREN) - before
    times = [int(micros) / 1e6 for micros in output.split()]
    # Nothing is between two of them.
    return times, times, used / (WARM_UP + COUNT)


def processor(whose):
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


def python(client):
    def measure(service, command, arguments):
        times, rounds = [], []
        before = processor(resource.RUSAGE_SELF)
        with client(service) as session:
            for n in range(WARM_UP + COUNT):
                begin = time.perf_counter()
                started = session.start(command, arguments)
                assert gather(session, started) == 0
                taken = time.perf_counter() - begin
                clean_up(session, started)
                if n >= WARM_UP:
                    times.append(taken)
                    rounds.append(time.perf_counter() - begin)
        return times, rounds, (processor(resource.RUSAGE_SELF) - before) / (WARM_UP + COUNT)

    def gather(session, started):
        if client is Pywinrm:
            return session.protocol.get_command_output(session.shell, started)[2]
        started.end_invoke()
        return started.rc

    def clean_up(session, started):
        if client is Pywinrm:
            session.protocol.cleanup_command(session.shell, started)
        else:
            session.finish(started)

    return measure


CLIENTS = {"winrm-shell": ours, "pypsrp": python(PypsrpNtlm), "pywinrm": python(Pywinrm)}


def main():
    with Service() as service:
        for name, (command, arguments) in COMMANDS.items():
            times, rounds, used = ({client: [] for client in CLIENTS} for _ in range(3))
            for _ in range(ROUNDS):
                for client, measure in CLIENTS.items():
                    taken, whole, processor_time = measure(service, command, arguments)
                    times[client] += taken
                    rounds[client] += whole
                    used[client].append(processor_time)
            print(f"{name}, {COUNT * ROUNDS} times:")
            show("p50", {client: statistics.median(taken) for client, taken in times.items()})
            show("next", {client: statistics.median(taken) for client, taken in rounds.items()})
            show("CPU", {client: statistics.median(taken) for client, taken in used.items()})
    print("goal: 5 times as much")


def show(what, figures):
    ours = figures["winrm-shell"]
    for client, figure in figures.items():
        ratio = "" if client == "winrm-shell" else f"  {figure / ours:.1f} times as much"
        print(f"  {what:4} of {client:12} {figure * 1000:6.2f} ms{ratio}")


if __name__ == "__main__":
    main()
