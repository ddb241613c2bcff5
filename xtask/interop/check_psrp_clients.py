"""pypsrp, unmodified, opens runspace pools on `winrm serve` and runs pipelines in them."""

import urllib.parse

from pypsrp.complex_objects import ObjectMeta, PSInvocationState, RunspacePoolState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from check_winrs_clients import Service
from pipe import Checks


def expect(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def connect(service):
    url = urllib.parse.urlparse(service.url)
    return WSMan(
        url.hostname,
        port=url.port,
        ssl=False,
        username=service.user,
        password=service.password,
        auth="negotiate",
        encryption="always",
    )


def command(pool, name, *arguments, **parameters):
    shell = PowerShell(pool)
    shell.add_cmdlet(name)
    for argument in arguments:
        shell.add_argument(argument)
    for parameter, value in parameters.items():
        shell.add_parameter(parameter, value)
    return shell


def opens(pool):
    expect(pool.state, RunspacePoolState.OPENED)


def objects_of_every_kind(pool):
    values = [1, "zwei \U0001d11e <&>", 3.5, None, True, b"\x00\xff", ["a", "b"], {"k": "v"}]
    found = command(pool, "Write-Output", values).invoke()
    expect(found, values)


def large_objects(pool):
    text = "x" * 1_500_000
    expect(command(pool, "Write-Output", text).invoke() == [text], True)


def input_is_streamed(pool):
    values = [f"line {number}" for number in range(500)]
    expect(command(pool, "ForEach-Object").invoke(input=values), values)


def records_of_every_stream(pool):
    for stream in ["Warning", "Verbose", "Debug"]:
        shell = command(pool, f"Write-{stream}", f"text of {stream}")
        shell.invoke()
        expect([str(record) for record in getattr(shell.streams, stream.lower())], [f"text of {stream}"])
    shell = command(pool, "Write-Information", "informed")
    shell.invoke()
    expect([record.message_data for record in shell.streams.information], ["informed"])
    shell = command(pool, "Write-Progress", Activity="copying", PercentComplete=40)
    shell.invoke()
    expect([(record.activity, record.percent_complete) for record in shell.streams.progress], [("copying", 40)])


def errors_that_end_nothing_and_that_end_all(pool):
    shell = command(pool, "Write-Error", "bad")
    shell.invoke()
    expect(([str(record) for record in shell.streams.error], shell.state), (["bad"], PSInvocationState.COMPLETED))
    shell = command(pool, "Get-Nothing")
    shell.invoke()
    expect((shell.had_errors, shell.state), (True, PSInvocationState.FAILED))
    expect(shell.streams.error[0].fq_error, "CommandNotFoundException")


def a_pipeline_that_is_stopped(pool):
    shell = command(pool, "Start-Sleep", Seconds=60)
    shell.begin_invoke()
    shell.stop()
    expect(shell.state, PSInvocationState.STOPPED)
    expect(command(pool, "Write-Output", "goes on").invoke(), ["goes on"])


def pools_are_listed_with_their_pipelines(pool):
    shell = command(pool, "Start-Sleep", Seconds=60)
    shell.begin_invoke()
    listed = RunspacePool.get_runspace_pools(pool.connection)
    expect([found.id.upper() for found in listed], [pool.shell.id.upper()])
    # Those that have ended are there too: this client leaves them.
    expect(shell.id.upper() in [found.upper() for found in listed[0].pipelines], True)
    shell.stop()


def runspaces_are_set_and_counted(pool):
    pool.max_runspaces = 5
    expect((pool.max_runspaces, pool.get_available_runspaces()), (5, 5))
    pool.reset_runspace_state()


def keys_are_exchanged(pool):
    pool.exchange_keys()
    secret = pool.serialize("hunter2", ObjectMeta("SS"))
    found = command(pool, "Write-Output", secret).invoke()
    expect(found, ["hunter2"])


def disconnects_and_reconnects(pool):
    pool.disconnect()
    expect(pool.state, RunspacePoolState.DISCONNECTED)
    pool.connect()
    expect(command(pool, "Write-Output", "back").invoke(), ["back"])


def another_client_takes_up_a_pipeline(service):
    with connect(service) as wsman:
        left = RunspacePool(wsman)
        left.open()
        shell = command(left, "Start-Sleep", Seconds=1)
        shell.add_statement().add_cmdlet("Write-Output").add_argument("after")
        shell.begin_invoke()
        left.disconnect()
    with connect(service) as wsman:
        [found] = RunspacePool.get_runspace_pools(wsman)
        found.connect()
        [shell] = found.pipelines.values()
        expect(shell.connect(), ["after"])
        found.close()


def main():
    checks = Checks("PSRP clients")
    with Service() as service:
        with connect(service) as wsman, RunspacePool(wsman, max_runspaces=3) as pool:
            for check in [
                opens,
                objects_of_every_kind,
                large_objects,
                input_is_streamed,
                records_of_every_stream,
                errors_that_end_nothing_and_that_end_all,
                a_pipeline_that_is_stopped,
                pools_are_listed_with_their_pipelines,
                runspaces_are_set_and_counted,
                keys_are_exchanged,
                disconnects_and_reconnects,
            ]:
                checks.run(check.__name__.replace("_", " "), lambda check=check: check(pool))
        checks.run("another client takes up a pipeline", lambda: another_client_takes_up_a_pipeline(service))
    checks.finish()


if __name__ == "__main__":
    main()
