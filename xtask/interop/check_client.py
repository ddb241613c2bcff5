"""`winrm run` against a small WinRM service made of pyspnego and Python's own HTTP and XML."""

import base64
import http.server
import os
import re
import struct
import subprocess
import tempfile
import threading
import uuid
import xml.etree.ElementTree as ElementTree

import spnego

from pipe import Checks

USER, PASSWORD = "alice", "Pässword-01"
BOUNDARY = "Encrypted Boundary"
PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CMD = SHELL + "/cmd"
SHELL_ID = "2F37A0A4-9D4C-4C3A-8D1E-0A6B1C2D3E4F"


def seal(context, plaintext):
    """The framing of MS-WSMV 2.2.9.1, with the tabs that Windows writes."""
    wrapped = context.wrap_winrm(plaintext)
    head = (
        f"--{BOUNDARY}\r\n\tContent-Type: {PROTOCOL}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(plaintext)}\r\n"
        f"--{BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n"
    )
    sealed = struct.pack("<I", len(wrapped.header)) + wrapped.header + wrapped.data
    return head.encode() + sealed + f"--{BOUNDARY}--\r\n".encode()


def unseal(context, body):
    head, _, rest = body.partition(b"Content-Type: application/octet-stream\r\n")
    length = int(re.search(rb"Length=(\d+)", head)[1])
    (header_length,) = struct.unpack_from("<I", rest)
    header, sealed = rest[4 : 4 + header_length], rest[4 + header_length :]
    tail = f"--{BOUNDARY}--\r\n".encode()
    # WinRM answers 400 to a line break before the closing boundary.
    assert sealed[length:] == tail, sealed[length:]
    return context.unwrap_winrm(header, sealed[:length])


class Service:
    """One account, one shell at a time; remembers what was asked. Over TLS it insists on these channel bindings."""

    def __init__(self, protocol, tls=None, bindings=None):
        self.protocol = protocol
        self.bindings = bindings
        self.is_tls = tls is not None
        self.actions = []
        self.envelopes = []
        self.log_ons = 0
        self.command_id = None
        service = self

        class Connection(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                self.context = None

            def do_POST(self):
                service.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Connection)
        self.server.daemon_threads = True
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = "%s://127.0.0.1:%d/wsman" % (scheme, self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        assert request.headers["Content-Length"] is not None, "no Content-Length"
        body = request.rfile.read(int(request.headers["Content-Length"]))
        token = None
        authorization = request.headers["Authorization"]
        if authorization is not None:
            scheme, _, text = authorization.partition(" ")
            assert scheme == "Negotiate", scheme
            if request.context is None or request.context.complete:
                request.context = spnego.server(
                    "127.0.0.1", "http", protocol=self.protocol, channel_bindings=self.bindings
                )
            try:
                token = request.context.step(base64.b64decode(text))
            except spnego.exceptions.SpnegoError:
                self.log_ons += 1
                request.context = None
                return self.reply(request, 401, b"", None)
        if request.context is None:
            return self.reply(request, 401, b"", None)
        if not request.context.complete:
            return self.reply(request, 401, b"", token)
        if authorization is not None:
            self.log_ons += 1
        if self.is_tls and request.headers["Content-Type"].startswith("application/soap+xml"):
            status, document = self.handle(body)
            return self.reply(request, status, document.encode(), token, "application/soap+xml;charset=UTF-8")
        assert request.headers["Content-Type"].startswith("multipart/encrypted"), "a body in clear"
        envelope = unseal(request.context, body)
        assert b"Envelope" in envelope and b"Envelope" not in body, "readable on the wire"
        status, document = self.handle(envelope)
        self.reply(request, status, seal(request.context, document.encode()), token)

    def reply(self, request, status, body, token, content_type=None):
        request.send_response(status)
        if status == 401 or token is not None:
            text = "" if token is None else " " + base64.b64encode(token).decode()
            request.send_header("WWW-Authenticate", "Negotiate" + text)
        if body:
            content_type = content_type or f'multipart/encrypted;protocol="{PROTOCOL}";boundary="{BOUNDARY}"'
            request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def handle(self, envelope):
        root = ElementTree.fromstring(envelope)
        header, body = root.find(f"{{{SOAP}}}Header"), root.find(f"{{{SOAP}}}Body")
        action = header.findtext(f"{{{ADDRESSING}}}Action")
        name = action.rsplit("/", 1)[1]
        self.actions.append(name)
        self.envelopes.append(root)
        assert header.findtext(f"{{{WSMAN}}}ResourceURI") == CMD
        assert re.fullmatch("uuid:[0-9A-F-]{36}", header.findtext(f"{{{ADDRESSING}}}MessageID"))
        if name != "Create":
            selectors = header.findall(f"{{{WSMAN}}}SelectorSet/{{{WSMAN}}}Selector")
            assert [(s.get("Name"), s.text) for s in selectors] == [("ShellId", SHELL_ID)]
        status, content = getattr(self, name.lower())(body)
        related = header.findtext(f"{{{ADDRESSING}}}MessageID").lower()
        document = (
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}"'
            f' xmlns:x="{TRANSFER}" xml:lang="en-US"><s:Header><a:Action>{action}Response</a:Action>'
            f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
            f"<a:RelatesTo>{related}</a:RelatesTo></s:Header><s:Body>{content}</s:Body></s:Envelope>"
        )
        return status, document

    def create(self, _):
        return 200, (
            "<x:ResourceCreated><a:Address>x</a:Address><a:ReferenceParameters>"
            f'<w:ResourceURI>{CMD}</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">{SHELL_ID}'
            "</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
        )

    def command(self, body):
        line = body.find(f"{{{SHELL}}}CommandLine")
        self.words = [line.findtext(f"{{{SHELL}}}Command")]
        self.words += [argument.text for argument in line.findall(f"{{{SHELL}}}Arguments")]
        self.command_id = line.get("CommandId") or str(uuid.uuid4()).upper()
        self.receives = 0
        return 200, f"<rsp:CommandResponse><rsp:CommandId>{self.command_id}</rsp:CommandId></rsp:CommandResponse>"

    def receive(self, body):
        stream = body.find(f"{{{SHELL}}}Receive/{{{SHELL}}}DesiredStream")
        assert (stream.get("CommandId"), stream.text) == (self.command_id, "stdout stderr")
        self.receives += 1
        block = lambda name, data: (
            f'<rsp:Stream Name="{name}" CommandId="{self.command_id}">{base64.b64encode(data).decode()}</rsp:Stream>'
        )
        if self.receives == 1:
            # Several blocks of one stream, and no state.
            parts = block("stdout", b"first\r\n") + block("stderr", b"warning\r\n") + block("stdout", b"second\r\n")
            return 200, f"<rsp:ReceiveResponse>{parts}</rsp:ReceiveResponse>"
        ends = "".join(
            f'<rsp:Stream Name="{name}" CommandId="{self.command_id}" End="true"/>' for name in ("stdout", "stderr")
        )
        return 200, (
            f'<rsp:ReceiveResponse>{ends}<rsp:CommandState CommandId="{self.command_id}"'
            f' State="{SHELL}/CommandState/Done"><rsp:ExitCode>7</rsp:ExitCode></rsp:CommandState>'
            "</rsp:ReceiveResponse>"
        )

    def delete(self, _):
        return 200, ""


def winrm(service, *words, password=PASSWORD, auth="negotiate", options=()):
    environment = dict(os.environ, WINRM_PASSWORD=password)
    command = [os.environ["WINRM_BIN"], "run", service.url, "--user", USER, "--auth", auth, *options, "--", *words]
    return subprocess.run(command, env=environment, capture_output=True, timeout=60)


def runs(protocol, auth, tls=None, bindings=None, options=()):
    def check():
        service = Service(protocol, tls, bindings)
        done = winrm(service, "program", "a b", auth=auth, options=options)
        assert done.stdout == b"first\r\nsecond\r\n", (done.stdout, done.stderr)
        assert done.stderr == b"warning\r\n", done.stderr
        assert done.returncode == 7, done.returncode
        assert service.words == ["program", '^"a b^"'], service.words
        assert service.actions == ["Create", "Command", "Receive", "Receive", "Delete"], service.actions
        assert service.log_ons == 1, service.log_ons

    return check


def wrong_password():
    service = Service("negotiate")
    done = winrm(service, "program", password="wrong")
    assert done.returncode == 255, done.returncode
    assert b"refused the credentials" in done.stderr, done.stderr
    assert (service.log_ons, service.actions) == (1, []), (service.log_ons, service.actions)


def main():
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as accounts:
        accounts.write(f":{USER}:{PASSWORD}\n")
        accounts.flush()
        os.environ["NTLM_USER_FILE"] = accounts.name
        checks = Checks("client")
        checks.run("a command, by SPNEGO", runs("negotiate", "negotiate"))
        checks.run("a command, by bare NTLM", runs("ntlm", "ntlm"))
        checks.run("bare NTLM where SPNEGO would do", runs("negotiate", "ntlm"))
        checks.run("a wrong password is tried once", wrong_password)
        checks.finish()


if __name__ == "__main__":
    main()
