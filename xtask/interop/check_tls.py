"""TLS on both sides: pywinrm and pypsrp on `winrm serve --tls`, and `winrm run` on a service of Python's TLS and pyspnego
that insists on channel bindings."""

import datetime
import hashlib
import os
import ssl
import subprocess
import tempfile
import warnings

import spnego.channel_bindings
import urllib3
import winrm as pywinrm
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from pypsrp.shell import WinRS
from pypsrp.wsman import WSMan

import check_client
import check_winrs_clients
from check_winrs_clients import Service, expect
from pipe import Checks

# What takes the same way whatever is under it.
CHECKS = {"output and exit code", "arguments", "standard input", "large output", "ended shell", "wrong password"}


class Pywinrm(check_winrs_clients.Pywinrm):
    def __init__(self, service, password=None, **shell):
        self.protocol = pywinrm.Protocol(
            endpoint=service.url,
            transport=self.transport,
            username=service.user,
            password=password or service.password,
            server_cert_validation="ignore",
            operation_timeout_sec=1,
            read_timeout_sec=5,
        )
        self.shell = None
        self.options = shell


class PywinrmNtlm(Pywinrm):
    name, transport = "pywinrm with ntlm", "ntlm"


class PywinrmBasic(Pywinrm):
    name, transport = "pywinrm with basic", "basic"


class Pypsrp(check_winrs_clients.Pypsrp):
    encryption, options = "auto", {}

    def __init__(self, service, password=None, **_):
        host, _, port = service.url.removeprefix("https://").removesuffix("/wsman").partition(":")
        self.wsman = WSMan(
            host,
            port=int(port),
            ssl=True,
            cert_validation=False,
            auth=self.auth,
            encryption=self.encryption,
            username=service.user,
            password=password or service.password,
            operation_timeout=1,
            read_timeout=5,
            **self.options,
        )
        self.shell = WinRS(self.wsman)


class PypsrpBasic(Pypsrp):
    name, auth = "pypsrp with basic", "basic"


class PypsrpNegotiate(Pypsrp):
    name, auth = "pypsrp with negotiate", "negotiate"


class PypsrpSealed(PypsrpNegotiate):
    name, encryption = "pypsrp with negotiate, sealed inside TLS", "always"


class PypsrpUnbound(PypsrpNegotiate):
    name, options = "pypsrp without channel binding", {"negotiate_send_cbt": False}


class PypsrpCertificate(Pypsrp):
    name, auth = "pypsrp with a certificate", "certificate"


def own_certificate(folder):
    """A client's certificate and key, in files as pypsrp wants them."""
    pem, _, _ = certificate(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    path = os.path.join(folder, "own.pem")
    with open(path, "wb") as file:
        file.write(pem)
    return path


def unbound(service, is_refused):
    def check():
        try:
            with PypsrpUnbound(service):
                pass
        except PypsrpUnbound.refused:
            assert is_refused, "refused"
        else:
            assert not is_refused, "logged on"

    return check


def certificate(key, algorithm, **options):
    """A self-signed certificate in files' form, and the channel bindings by its own signature hash."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, algorithm, **options)
    )
    der = made.public_bytes(serialization.Encoding.DER)
    digest = hashlib.new(algorithm.name if algorithm else "sha256", der).digest()
    bindings = spnego.channel_bindings.GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
    pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, "sha256:" + hashlib.sha256(der).hexdigest(), bindings


def context(pem, version):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = made.maximum_version = version
    with tempfile.NamedTemporaryFile("wb", suffix=".pem") as file:
        file.write(pem)
        file.flush()
        made.load_cert_chain(file.name)
    return made


def by_certificate(service, options, status):
    def check():
        command = [os.environ["WINRM_BIN"], "run", service.url, *options, "--", "echo in"]
        done = subprocess.run(command, capture_output=True, timeout=60)
        expect(done.returncode, status)
        assert status == 0 or b"does not accept the client certificate" in done.stderr, done.stderr

    return check


def certificates():
    key = rsa.generate_private_key(65537, 2048)
    pss = padding.PSS(padding.MGF1(hashes.SHA384()), hashes.SHA384.digest_size)
    return {
        "RSA, SHA-256": certificate(key, hashes.SHA256()),
        "RSA, SHA-512": certificate(key, hashes.SHA512()),
        "RSA-PSS, SHA-384": certificate(key, hashes.SHA384(), rsa_padding=pss),
        "ECDSA P-256, SHA-256": certificate(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()),
        "ECDSA P-384, SHA-384": certificate(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()),
        "Ed25519": certificate(ed25519.Ed25519PrivateKey.generate(), None),
    }


def wrong_binding(tls, bindings, pin):
    def check():
        service = check_client.Service("negotiate", tls, bindings)
        done = check_client.winrm(service, "program", options=["--pin", pin])
        expect(done.returncode, 255)
        assert b"refused the credentials" in done.stderr, done.stderr
        expect((service.log_ons, service.actions), (1, []))

    return check


def our_client(checks):
    made = certificates()
    _, _, others = certificate(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for name, (pem, pin, bindings) in made.items():
            tls = context(pem, version)
            check = check_client.runs("negotiate", "negotiate", tls, bindings, ["--pin", pin])
            checks.run(f"our client, {name}, {version.name}", check)
            if version == ssl.TLSVersion.TLSv1_2:
                options = ["--pin", pin, "--tls-backend", "native"]
                check = check_client.runs("negotiate", "negotiate", tls, bindings, options)
                checks.run(f"our client by OpenSSL, {name}, {version.name}", check)
        pem, pin, bindings = made["RSA, SHA-256"]
        tls = context(pem, version)
        sealed = ["--pin", pin, "--message-encryption", "always"]
        check = check_client.runs("negotiate", "negotiate", tls, bindings, sealed)
        checks.run(f"our client, sealed inside {version.name}", check)
        check = check_client.runs("ntlm", "ntlm", tls, bindings, ["--pin", pin])
        checks.run(f"our client, bare NTLM, {version.name}", check)
        checks.run(f"our client, a binding to another certificate, {version.name}", wrong_binding(tls, others, pin))


def main():
    # Certificates are not what is checked of these clients.
    urllib3.disable_warnings()
    warnings.simplefilter("ignore")
    checks = Checks("TLS")
    with Service("--tls", "--require-channel-binding") as service:
        for client in [PywinrmNtlm, PywinrmBasic, PypsrpBasic, PypsrpNegotiate, PypsrpSealed]:
            for name, check in check_winrs_clients.checks_of(client, service):
                if name in CHECKS:
                    checks.run(f"{client.name}: {name}", check)
        checks.run("no channel binding is refused where it is required", unbound(service, True))
    with tempfile.TemporaryDirectory() as folder:
        own, other = own_certificate(folder), folder + "/other"
        os.mkdir(other)
        with Service("--tls", "--client-certificate", own) as service:
            PypsrpCertificate.options = {"certificate_pem": own, "certificate_key_pem": own}
            for name, check in check_winrs_clients.checks_of(PypsrpCertificate, service):
                if name in CHECKS - {"wrong password"}:
                    checks.run(f"{PypsrpCertificate.name}: {name}", check)
            options = ["--auth", "certificate", "--certificate", own, "--dangerous-accept-any-certificate"]
            checks.run("our client with a certificate", by_certificate(service, options, 0))
            options[3] = own_certificate(other)
            checks.run("our client with another certificate", by_certificate(service, options, 255))
    with Service("--tls") as service:
        checks.run("no channel binding is accepted where it is not", unbound(service, False))
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as accounts:
        accounts.write(f":{check_client.USER}:{check_client.PASSWORD}\n")
        accounts.flush()
        os.environ["NTLM_USER_FILE"] = accounts.name
        our_client(checks)
    checks.finish()


if __name__ == "__main__":
    main()
