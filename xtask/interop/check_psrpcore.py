"""Our state machines against those of psrpcore, both ways round: our client and its server, its client and our server."""

import base64
import datetime
import json
import os
import subprocess
import uuid

import psrpcore
from psrpcore import types
from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    HostMethodIdentifier,
    NETException,
    PSInvocationState,
    PSSecureString,
    RunspacePoolState,
)

from pipe import Checks


class Peer:
    """Our side (see xtask/src/bin/psrp-peer)."""

    def __init__(self, role):
        self.process = subprocess.Popen(
            [os.environ["PSRP_PEER_BIN"], role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def ask(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended: {self.process.wait(timeout=30)}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer


class Pair:
    """Our side and theirs; what each learns of the other is kept until it is looked at."""

    def __init__(self, peer, theirs):
        self.peer, self.theirs = peer, theirs
        self.told, self.heard = [], []

    def do(self, do, **request):
        """Lets ours do something, and both talk until they have no more to say."""
        answers = [self.peer.ask(do, **request)]
        while answers:
            answer = answers.pop(0)
            self.told += answer["events"]
            for pipeline, data in answer["sent"]:
                pipeline = pipeline and uuid.UUID(pipeline)
                self.deliver(base64.b64decode(data), pipeline)
            answers += self.pending()

    def deliver(self, data, pipeline):
        # As it is with WS-Man: a command is there before what it carries is read.
        if pipeline and pipeline not in self.theirs.pipeline_table:
            psrpcore.ServerPipeline(self.theirs, pipeline)
        kind = psrpcore.StreamType.default
        self.theirs.receive_data(psrpcore.PSRPPayload(data, kind, pipeline))
        while event := self.theirs.next_event():
            self.heard.append(event)

    def pending(self):
        answers = []
        while payload := self.theirs.data_to_send(700):
            data = base64.b64encode(payload.data).decode()
            pipeline = payload.pipeline_id and str(payload.pipeline_id)
            answers.append(self.peer.ask("data", id=pipeline, bytes=data))
        return answers

    def talk(self):
        """What theirs has to say."""
        for answer in self.pending():
            self.told += answer["events"]
            for pipeline, data in answer["sent"]:
                self.deliver(base64.b64decode(data), pipeline and uuid.UUID(pipeline))
        if self.theirs._send_buffer:
            self.talk()

    def events(self):
        told, self.told = self.told, []
        return told

    def theirs_heard(self):
        heard, self.heard = self.heard, []
        return heard


def expect(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def without_id(events):
    return [{name: value for name, value in event.items() if name != "id"} for event in events]


def state(value, error=None):
    return {"event": "state", "value": value, "error": error}


# Our client, their server.


def client_opens(pair):
    pair.do("open")
    expect(
        pair.events(),
        [
            {"event": "negotiated", "version": "2.3"},
            {"event": "private data", "value": "v"},
            {"event": "opened"},
        ],
    )
    expect(pair.theirs.state, RunspacePoolState.Opened)
    expect(pair.theirs.their_capability.protocolversion.minor, 3)
    pair.theirs_heard()


def started(pair, **request):
    id = str(uuid.uuid4())
    pair.do("run", id=id, **request)
    pipeline = pair.theirs.pipeline_table[uuid.UUID(id)]
    pipeline.start()
    pair.talk()
    expect(without_id(pair.events()), [state("Running")])
    return id, pipeline


def client_runs_commands_and_reads_every_stream(pair):
    parameters = {"Name": "W32 \U0001d11e<&>", "Count": 7, "Force": True, "None": None}
    id, pipeline = started(pair, name="Get-Service", parameters=parameters)
    [command] = pipeline.metadata.commands
    expect((command.command_text, command.is_script), ("Get-Service", False))
    expect({name: value for name, value in command.parameters}, parameters)
    expect(pipeline.metadata.no_input, True)
    pipeline.write_output("x" * 5000)
    pipeline.write_output([1, "zwei", True, None])
    pipeline.write_output(None)
    category = ErrorCategoryInfo(Category=ErrorCategory.InvalidData)
    pipeline.write_error(NETException("e"), category, fully_qualified_error_id="Id")
    pipeline.write_warning("w")
    pipeline.write_verbose("v")
    pipeline.write_debug("d")
    pipeline.write_progress("a", 7, "s", percent_complete=40)
    pipeline.write_information("i", "me", tags=["t"])
    pipeline.complete()
    pair.talk()
    expect(
        without_id(pair.events()),
        [
            {"event": "output", "value": "x" * 5000},
            {"event": "output", "value": [1, "zwei", True, None]},
            {"event": "output", "value": None},
            {"event": "error", "value": "e", "error_id": "Id", "category": ErrorCategory.InvalidData.value},
            {"event": "warning", "value": "w"},
            {"event": "verbose", "value": "v"},
            {"event": "debug", "value": "d"},
            {"event": "progress", "value": "a", "status": "s", "percent": 40, "activity_id": 7},
            {"event": "information", "value": "i", "tags": ["t"]},
            state("Completed"),
        ],
    )


def client_sends_input(pair):
    id, pipeline = started(pair, name="echo", input=True)
    pair.theirs_heard()
    for value in [1, "zwei", None]:
        pair.do("input", id=id, value=value)
    pair.do("end", id=id)
    *values, end = pair.theirs_heard()
    expect([event.data for event in values], [1, "zwei", None])
    expect(type(end), psrpcore.EndOfPipelineInputEvent)
    pipeline.complete()
    pair.talk()
    expect(without_id(pair.events()), [state("Completed")])


def client_answers_its_host(pair):
    id, pipeline = started(pair, name="Read-Host")
    pair.theirs_heard()
    call = pipeline.host_call(HostMethodIdentifier.ReadLine)
    pair.talk()
    [event] = pair.events()
    expect((event["event"], event["call"]), ("host call", call))
    pair.do("respond", id=id, call=call, value="typed")
    [heard] = pair.theirs_heard()
    expect((heard.ci, heard.result), (call, "typed"))
    pipeline.complete()
    pair.talk()
    pair.events()


def client_exchanges_keys_and_secrets(pair):
    pair.do("key")
    expect(pair.events(), [{"event": "key exchanged"}])
    _, pipeline = started(pair, name="secret", parameters={"Secret": {"secret": "hunter2 \U0001d11e"}})
    [command] = pipeline.metadata.commands
    [(_, secret)] = command.parameters
    expect(secret.decrypt(), "hunter2 \U0001d11e")
    pipeline.write_output(PSSecureString("from the server"))
    pipeline.complete()
    pair.talk()
    expect(
        without_id(pair.events()), [{"event": "output", "value": {"secret": "from the server"}}, state("Completed")]
    )


def client_stops(pair):
    id, pipeline = started(pair, name="forever")
    pair.do("stop", id=id)
    pipeline.stop()
    pair.talk()
    expect(without_id(pair.events()), [state("Stopped", "The pipeline has been stopped.")])


# Their client, our server.


def server_opens(pair):
    pair.theirs.open()
    pair.talk()
    [negotiated, opening] = pair.events()
    expect((negotiated["version"], opening["min"], opening["max"]), ("2.3", 1, 3))
    expect(pair.theirs.state, RunspacePoolState.Opened)
    expect(pair.theirs.application_private_data["k"], "v")
    pair.theirs_heard()


def run(pair, name, no_input=True, **parameters):
    pipeline = psrpcore.ClientPowerShell(pair.theirs, no_input=no_input)
    pipeline.add_command(name)
    for parameter, value in parameters.items():
        pipeline.add_parameter(parameter, value)
    pair.theirs_heard()
    pipeline.start()
    pair.talk()
    return pipeline


def server_writes_every_stream(pair):
    pipeline = run(pair, "streams", Name="W32 \U0001d11e<&>", Count=7, Force=True, Nothing=None)
    parameters = {"Name": "W32 \U0001d11e<&>", "Count": 7, "Force": True, "Nothing": None}
    expect(pair.events(), [{"event": "start", "name": "streams", "parameters": parameters}])
    output, error, warning, verbose, debug, progress, information, ended = pair.theirs_heard()
    expect(output.data, "x" * 5000)
    record = error.record
    found = (record.Exception.Message, record.FullyQualifiedErrorId, record.CategoryInfo.Category)
    expect(found, ("e", "Id", ErrorCategory.InvalidData))
    expect([event.record.Message for event in (warning, verbose, debug)], ["w", "v", "d"])
    record = progress.record
    expect(
        (record.Activity, record.StatusDescription, record.PercentComplete, record.ActivityId), ("a", "s", 40, 7)
    )
    record = information.record
    expect((record.MessageData, record.Source, list(record.Tags)), ("i", "me", ["t"]))
    expect((ended.state, pipeline.state), (PSInvocationState.Completed,) * 2)


def server_tells_what_failed(pair):
    pipeline = run(pair, "fail")
    pair.events()
    [ended] = pair.theirs_heard()
    expect((ended.state, ended.reason.Exception.Message), (PSInvocationState.Failed, "thrown"))
    expect(ended.reason.FullyQualifiedErrorId, "Thrown")


def server_takes_input(pair):
    pipeline = run(pair, "echo", no_input=False)
    # None would be sent as output.
    for value in [1, "zwei", True]:
        pipeline.send(value)
    pipeline.send_eof()
    pair.talk()
    inputs = [event["value"] for event in pair.events() if event["event"] == "input"]
    expect(inputs, [1, "zwei", True])
    *values, ended = pair.theirs_heard()
    expect([event.data for event in values], [1, "zwei", True])
    expect(ended.state, PSInvocationState.Completed)


def server_gives_every_kind_of_object_back(pair):
    """Read and written by ours, and the same to theirs, type by type."""
    one, two = types.PSInt(1), types.PSString("zwei")
    shared = types.PSList([one, two])
    queue = types.PSQueue()
    queue.put(one)
    custom = types.PSCustomObject(Name=two, Nested=shared, Again=shared, Nothing=None)
    values = [
        types.PSBool(False),
        types.PSByte(255),
        types.PSSByte(-128),
        types.PSInt16(-32768),
        types.PSUInt16(65535),
        types.PSInt(-(2**31)),
        types.PSUInt(2**32 - 1),
        types.PSInt64(-(2**63)),
        types.PSUInt64(2**64 - 1),
        types.PSSingle(1.5),
        types.PSDouble(-0.1),
        types.PSDouble(float("inf")),
        types.PSDecimal("79228162514264337593543950335"),
        types.PSDecimal("-1.000"),
        types.PSChar("\u00e9"),
        types.PSString("a\r\n\t_x0041_ <&>\u0000\U0001d11e  "),
        types.PSString(""),
        types.PSDateTime(2024, 2, 29, 23, 59, 59, 123456, nanosecond=700, tzinfo=datetime.timezone.utc),
        types.PSDateTime(2024, 2, 29, tzinfo=datetime.timezone(datetime.timedelta(hours=-9, minutes=-30))),
        types.PSDateTime(9999, 12, 31),
        types.PSDuration(days=-3, hours=4, seconds=5, nanoseconds=600),
        types.PSGuid("b6631d8e-65a0-49f2-9053-a1b156c95777"),
        types.PSVersion("10.0.20348.1"),
        types.PSUri("https://web01/a%20b?c=d"),
        types.PSXml('<?xml version="1.0"?><a b="c">d &amp; e</a>'),
        types.PSScriptBlock("$_ -lt 3 # \u00e9"),
        types.PSByteArray(bytes(range(256))),
        types.PSList([None, one, types.PSList([])]),
        types.PSStack([one, two]),
        queue,
        types.PSDict({two: one, one: types.PSDict({})}),
        types.PSInvocationState.Running,
        custom,
    ]
    # Sending empties queues.
    expected = [(type(value), described(value)) for value in values]
    pipeline = run(pair, "echo", no_input=False)
    for value in values:
        pipeline.send(value)
    pipeline.send_eof()
    pair.talk()
    pair.events()
    *found, ended = pair.theirs_heard()
    expect(ended.state, PSInvocationState.Completed)
    expect([(type(event.data), described(event.data)) for event in found], expected)


def described(value):
    """All that there is to an object, its type names and properties too."""
    if isinstance(value, types.PSCustomObject):
        return {name: described(value[name]) for name in ("Name", "Nested", "Again", "Nothing")}
    names = value.PSObject.type_names if hasattr(value, "PSObject") else None
    if isinstance(value, (types.PSDateTime, types.PSDuration)):
        return names, str(value), value.nanosecond if hasattr(value, "nanosecond") else value.nanoseconds
    if isinstance(value, types.PSDictBase):
        return names, [(described(key), described(item)) for key, item in value.items()]
    if isinstance(value, types.PSQueueBase):
        return names, [described(item) for item in value.queue]
    if isinstance(value, list):
        return names, [described(item) for item in value]
    return names, value


def server_calls_the_host(pair):
    pipeline = run(pair, "host")
    [call] = pair.theirs_heard()
    expect(call.method_identifier, HostMethodIdentifier.ReadLine)
    pipeline.host_response(call.ci, "typed")
    pair.talk()
    expect(pair.events()[1:], [{"event": "response", "value": "typed"}])
    output, ended = pair.theirs_heard()
    expect((output.data, ended.state), ("typed", PSInvocationState.Completed))


def server_exchanges_keys_and_secrets(pair):
    pair.theirs.exchange_key()
    pair.talk()
    run(pair, "secret", Secret=PSSecureString("hunter2 \U0001d11e"))
    [start] = pair.events()
    expect(start["parameters"], {"Secret": {"secret": "hunter2 \U0001d11e"}})
    output, ended = pair.theirs_heard()
    expect(output.data.decrypt(), "from the server")


def server_stops(pair):
    pipeline = run(pair, "forever")
    pair.events()
    pair.do("stop", id=str(pipeline.pipeline_id))
    [ended] = pair.theirs_heard()
    expect(ended.state, PSInvocationState.Stopped)


def server_tells_of_its_runspaces(pair):
    pair.theirs.get_available_runspaces()
    pair.theirs.set_max_runspaces(5)
    pair.talk()
    pair.events()
    available, set = pair.theirs_heard()
    expect((available.count, set.success, pair.theirs.max_runspaces), (1, True, 5))


def main():
    checks = Checks("psrpcore")
    sides = [
        (
            "client",
            psrpcore.ServerRunspacePool(application_private_data={"k": "v"}),
            [
                client_opens,
                client_runs_commands_and_reads_every_stream,
                client_sends_input,
                client_answers_its_host,
                client_exchanges_keys_and_secrets,
                client_stops,
            ],
        ),
        (
            "server",
            psrpcore.ClientRunspacePool(max_runspaces=3),
            [
                server_opens,
                server_writes_every_stream,
                server_tells_what_failed,
                server_takes_input,
                server_gives_every_kind_of_object_back,
                server_calls_the_host,
                server_exchanges_keys_and_secrets,
                server_stops,
                server_tells_of_its_runspaces,
            ],
        ),
    ]
    for role, theirs, steps in sides:
        with Peer(role) as peer:
            pair = Pair(peer, theirs)
            for step in steps:
                checks.run(step.__name__.replace("_", " "), lambda step=step: step(pair))
    checks.finish()


if __name__ == "__main__":
    main()
