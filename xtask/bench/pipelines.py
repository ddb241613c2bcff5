"""How long a pipeline takes in a pool that is open already: our client and pypsrp, against one `winrm serve`.

Counted is the time from asking for the pipeline to having its output and state (p50), and what the client itself does, as its
processor time, clean-up and log-on included. pypsrp waits for the clean-up of a pipeline before it gives the output, ours does it beside
the next one.

WINRM_BIN is the command, PIPELINES_BIN the example `pipelines` of crates/powershell.
"""

import os
import resource
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

from pypsrp.powershell import RunspacePool  # noqa: E402

from check_psrp_clients import command, connect  # noqa: E402
from check_winrs_clients import Service  # noqa: E402

WARM_UP = 10
COUNT, ROUNDS = (20, 3) if os.environ.get("CI", "") not in ("", "0", "false") else (60, 5)
GOAL = 5


def processor(whose):
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


def ours(service):
    environment = dict(os.environ, WINRM_URL=service.url, WINRM_USER=service.user, WINRM_PASSWORD=service.password)
    before = processor(resource.RUSAGE_CHILDREN)
    line = [os.environ["PIPELINES_BIN"], str(COUNT)]
    output = subprocess.run(line, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    used = processor(resource.RUSAGE_CHILDREN) - before
    return [int(micros) / 1e6 for micros in output.split()], used / (WARM_UP + COUNT)


def pypsrp(service):
    times = []
    before = processor(resource.RUSAGE_SELF)
    with connect(service) as wsman, RunspacePool(wsman) as pool:
        for n in range(WARM_UP + COUNT):
            begin = time.perf_counter()
            assert command(pool, "Write-Output", 42).invoke() == [42]
            if n >= WARM_UP:
                times.append(time.perf_counter() - begin)
    return times, (processor(resource.RUSAGE_SELF) - before) / (WARM_UP + COUNT)


def main():
    clients = {"winrm-powershell": ours, "pypsrp": pypsrp}
    times = {name: [] for name in clients}
    used = {name: [] for name in clients}
    with Service() as service:
        for _ in range(ROUNDS):
            for name, measure in clients.items():
                taken, processor_time = measure(service)
                times[name].extend(taken)
                used[name].append(processor_time)
    print(f"a warm pipeline of one object, {COUNT * ROUNDS} times:")
    for what, values in [("p50 ", times), ("CPU ", used)]:
        base = statistics.median(values["winrm-powershell"])
        for name in clients:
            found = statistics.median(values[name])
            ratio = "" if name == "winrm-powershell" else f"  {found / base:.1f} times as much"
            print(f"  {what} of {name:<17}{found * 1000:6.2f} ms{ratio}")
    print(f"goal: {GOAL} times as much")


if __name__ == "__main__":
    main()
