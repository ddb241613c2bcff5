"""Client certificates before Apache, which asks for them in the first handshake or, as Windows does by default, only once it
knows what is asked for, by renegotiation: `winrm run` with both implementations of TLS."""

import os
import pathlib
import shutil
import ssl
import stat
import subprocess
import tempfile
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from check_proxies import free_port
from check_tls import certificate
from check_winrs_clients import expect
from pipe import Checks

MODULES = "/usr/lib/apache2/modules"
# What answers is no service: it says who asked, as a fault that a WinRM client reads.
SCRIPT = """#!/bin/sh
cat > /dev/null
printf 'Status: 500\\r\\nContent-Type: application/soap+xml;charset=UTF-8\\r\\n\\r\\n'
cat <<END
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><s:Fault>
<s:Code><s:Value>s:Receiver</s:Value></s:Code>
<s:Reason><s:Text xml:lang="en">hello $SSL_CLIENT_S_DN, $HTTP_AUTHORIZATION</s:Text></s:Reason>
</s:Fault></s:Body></s:Envelope>
END
"""


class Apache:
    """With a certificate of its own, on a free port. `asks`: where it asks for the client's."""

    def __init__(self, asks, protocol="TLSv1.2", ciphers="HIGH"):
        self.asks, self.protocol, self.ciphers = asks, protocol, ciphers
        self.program = shutil.which("apache2", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        assert self.program, "apache2 is not installed"

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.folder.chmod(0o755)
        server, self.pin, _ = certificate(rsa.generate_private_key(65537, 2048), hashes.SHA256())
        own, _, _ = certificate(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        for name, content in (("server.pem", server), ("own.pem", own)):
            (self.folder / name).write_bytes(content)
        script = self.folder / "wsman.sh"
        script.write_text(SCRIPT)
        script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        self.port = free_port()
        (self.folder / "apache.conf").write_text(self.configuration())
        self.log = open(self.folder / "output.txt", "wb")
        self.process = subprocess.Popen(
            [self.program, "-X", "-f", str(self.folder / "apache.conf")], stdout=self.log, stderr=self.log
        )
        for _ in range(200):
            assert self.process.poll() is None, self.errors()
            try:
                ssl.get_server_certificate(("127.0.0.1", self.port), timeout=2)
                return self
            except ConnectionRefusedError:
                time.sleep(0.05)
            except OSError:
                # It listens, and does not take whoever has no certificate.
                return self
        raise AssertionError("apache2 does not listen")

    def configuration(self):
        folder = self.folder
        modules = ["mpm_prefork", "authz_core", "ssl", "cgi", "alias", "env"]
        load = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules)
        everywhere = "SSLVerifyClient require" if self.asks == "first" else ""
        later = "SSLVerifyClient require" if self.asks == "later" else ""
        return f"""{load}
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
LogLevel ssl:info
DefaultRuntimeDir {folder}
User nobody
Group nogroup
Listen 127.0.0.1:{self.port}
SSLSessionCache none
ScriptAlias /wsman {folder}/wsman.sh
<VirtualHost *:{self.port}>
SSLEngine on
SSLProtocol {self.protocol}
SSLCipherSuite {self.ciphers}
SSLCertificateFile {folder}/server.pem
SSLCACertificateFile {folder}/own.pem
{everywhere}
<Location /wsman>
Require all granted
SSLOptions +StdEnvVars
CGIPassAuth On
{later}
</Location>
</VirtualHost>
"""

    def errors(self):
        texts = [path.read_text() for path in (self.folder / "output.txt", self.folder / "error.log") if path.exists()]
        return "\n".join(texts)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.log.close()
        self.temporary.cleanup()

    def run(self, backend, by_certificate=True):
        command = [os.environ["WINRM_BIN"], "run", f"https://127.0.0.1:{self.port}", "--pin", self.pin]
        command += ["--tls-backend", backend]
        if by_certificate:
            command += ["--auth", "certificate", "--certificate", str(self.folder / "own.pem")]
        environment = {**os.environ, "WINRM_USER": "nobody", "WINRM_PASSWORD": "none"}
        return subprocess.run([*command, "--", "x"], capture_output=True, timeout=60, env=environment)


def greeted(apache, backend):
    """The request has come to where the certificate is known, and its answer back."""

    def check():
        done = apache.run(backend)
        expect(done.returncode, 255)
        assert b"hello CN=localhost" in done.stderr, (done.stderr, apache.errors())
        assert b"secprofile/https/mutual" in done.stderr, done.stderr

    return check


def told(apache, backend, *clauses, by_certificate=True):
    def check():
        done = apache.run(backend, by_certificate)
        expect(done.returncode, 255)
        for clause in clauses:
            assert clause in done.stderr, (done.stderr, apache.errors())

    return check


def main():
    checks = Checks("Apache")
    with Apache("first") as apache:
        for backend in ("rustls", "native"):
            checks.run(f"asked in the first handshake, {backend}", greeted(apache, backend))
    with Apache("first", "TLSv1.3") as apache:
        checks.run("asked in the first handshake of TLS 1.3, rustls", greeted(apache, "rustls"))
    with Apache("later") as apache:
        checks.run("asked by renegotiation, native", greeted(apache, "native"))
        clauses = (b"does not ask for a client certificate", b"clientcertnegotiation=enable", b"--tls-backend native")
        checks.run("asked by renegotiation, rustls names the way out", told(apache, "rustls", *clauses))
        clauses_without = (b"wants a client certificate", b"--auth certificate", b"clientcertnegotiation=enable")
        for backend in ("rustls", "native"):
            check = told(apache, backend, *clauses_without, by_certificate=False)
            checks.run(f"a listener that insists on a certificate, {backend} without one", check)
    with Apache("first", "TLSv1.3") as apache:
        check = told(apache, "rustls", *clauses_without, by_certificate=False)
        checks.run("a listener that insists on a certificate in TLS 1.3, rustls without one", check)
    with Apache("later", "TLSv1.3") as apache:
        checks.run("asked after the handshake of TLS 1.3, rustls names the way out", told(apache, "rustls", *clauses))
    # As Windows Server 2012 R2.
    with Apache("first", ciphers="AES128-GCM-SHA256:AES256-GCM-SHA384") as apache:
        checks.run("AES-GCM with static RSA alone, native", greeted(apache, "native"))
        clauses = (b"no TLS version or cipher suite in common", b"--tls-backend native")
        checks.run("AES-GCM with static RSA alone, rustls names the way out", told(apache, "rustls", *clauses))
    checks.finish()


if __name__ == "__main__":
    main()
