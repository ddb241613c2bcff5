"""`winrm run` through other people's proxies to `winrm serve`: squid, tinyproxy and microsocks, each started here."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from check_winrs_clients import Service, expect
from pipe import Checks

USER, PASSWORD = "proxyuser", "proxypass"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Proxy:
    """A program that listens on a free port once started, in a folder of its own."""

    def __init__(self, program, scheme, command):
        path = os.environ["PATH"] + ":/usr/sbin:/sbin"
        self.program = shutil.which(program, path=path)
        assert self.program, f"{program} is not installed"
        self.scheme, self.command = scheme, command

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.folder.name)
        # Some give up root, and write into it all the same.
        folder.chmod(0o777)
        self.port = free_port()
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        self.log = open(folder / "output.txt", "wb")
        self.process = subprocess.Popen(
            [self.program, *self.command(folder, self.port)], stdout=self.log, stderr=self.log, cwd=folder
        )
        for _ in range(200):
            assert self.process.poll() is None, (folder / "output.txt").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise AssertionError(f"{self.program} does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()


def squid(folder, port):
    """As Debian configures it in what matters here: CONNECT to port 443 only."""
    (folder / "squid.conf").write_text(
        f"""http_port 127.0.0.1:{port}
pid_filename {folder}/squid.pid
cache_log {folder}/cache.log
access_log none
cache deny all
shutdown_lifetime 0 seconds
visible_hostname localhost
pinger_enable off
acl tunnels method CONNECT
acl tls port 443
http_access deny tunnels !tls
http_access allow all
"""
    )
    return ["-N", "-f", str(folder / "squid.conf")]


def tinyproxy(*lines):
    def command(folder, port):
        text = "\n".join([f"Port {port}", "Listen 127.0.0.1", "Timeout 60", *lines])
        (folder / "tinyproxy.conf").write_text(text + "\n")
        return ["-d", "-c", str(folder / "tinyproxy.conf")]

    return command


def microsocks(*options):
    return lambda _, port: ["-i", "127.0.0.1", "-p", str(port), *options]


def run(service, *options, environment=()):
    cleared = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "WINRM_USER")
    kept = {name: value for name, value in os.environ.items() if name.upper() not in cleared}
    kept.update({"WINRM_USER": service.user, "WINRM_PASSWORD": service.password, **dict(environment)})
    command = [os.environ["WINRM_BIN"], "run", service.url, *service.trust, *options, "--", "echo through"]
    return subprocess.run(command, env=kept, capture_output=True, timeout=60)


def works(service, *options, environment=()):
    def check():
        done = run(service, *options, environment=environment)
        expect((done.returncode, done.stdout), (0, b"through\n"))

    return check


def fails(service, clause, *options, environment=()):
    def check():
        done = run(service, *options, environment=environment)
        expect(done.returncode, 255)
        assert clause in done.stderr, done.stderr
        # The service's password was not what was wrong, and nobody says so.
        assert b"check user and password, whether" not in done.stderr, done.stderr

    return check


class Tls(Service):
    """Over TLS, trusted by its pin."""

    def __enter__(self):
        super().__enter__()
        # Only the proxy's way is checked here.
        self.trust = ["--dangerous-accept-any-certificate"]
        return self


def main():
    checks = Checks("proxies")
    logged_on = ["--proxy-user", USER]
    password = {"WINRM_PROXY_PASSWORD": PASSWORD}
    wrong = {"WINRM_PROXY_PASSWORD": "wrong"}
    basic = f"BasicAuth {USER} {PASSWORD}"
    with Service() as http, Tls("--tls") as https:
        http.trust = []
        for name, service in (("http", http), ("https", https)):
            with Proxy("tinyproxy", "http", tinyproxy()) as proxy:
                checks.run(f"{name} by a tunnel of tinyproxy", works(service, "--proxy", proxy.url))
            with Proxy("tinyproxy", "http", tinyproxy(basic)) as proxy:
                options = ["--proxy", proxy.url, *logged_on]
                checks.run(f"{name}, logged on to tinyproxy", works(service, *options, environment=password))
                refusal = fails(service, b"refused its credentials", *options, environment=wrong)
                checks.run(f"{name}, wrong password for tinyproxy", refusal)
                refusal = fails(service, b"wants a log-on", "--proxy", proxy.url)
                checks.run(f"{name}, no log-on to tinyproxy", refusal)
            for scheme in ("socks5", "socks5h"):
                with Proxy("microsocks", scheme, microsocks()) as proxy:
                    checks.run(f"{name} by {scheme} of microsocks", works(service, "--proxy", proxy.url))
                with Proxy("microsocks", scheme, microsocks("-u", USER, "-P", PASSWORD)) as proxy:
                    options = ["--proxy", proxy.url, *logged_on]
                    check = works(service, *options, environment=password)
                    checks.run(f"{name}, logged on by {scheme} to microsocks", check)
                    check = fails(service, b"did not connect", *options, environment=wrong)
                    checks.run(f"{name}, wrong password by {scheme} for microsocks", check)
        with Proxy("squid", "http", squid) as proxy:
            checks.run("http forwarded by squid, which refuses tunnels", works(http, "--proxy", proxy.url))
            forward = ["--proxy", proxy.url, "--proxy-mode", "forward"]
            checks.run("http forwarded by squid, told to", works(http, *forward))
            tunnel = ["--proxy", proxy.url, "--proxy-mode", "tunnel"]
            checks.run("a tunnel that squid refuses", fails(http, b"refused a tunnel", *tunnel))
            checks.run("https needs the tunnel", fails(https, b"refused a tunnel", "--proxy", proxy.url))
        # It ends every connection after one answer, so that no log-on can be finished.
        with Proxy("tinyproxy", "http", tinyproxy()) as proxy:
            forward = ["--proxy", proxy.url, "--proxy-mode", "forward"]
            clause = b"so that no log-on can be finished"
            checks.run("NTLM forwarded by tinyproxy is told what is wrong", fails(http, clause, *forward))
        nowhere = f"http://127.0.0.1:{free_port()}"
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            check = works(http, environment={variable: nowhere})
            checks.run(f"loopback does not go through {variable}", check)
        # A name that is resolved nowhere else goes through the environment's proxy, unless it is excepted.
        named = ["--connect-to", http.url.removeprefix("http://").removesuffix("/wsman")]
        named_url = "http://web01.test:5985/wsman"
        with Proxy("tinyproxy", "http", tinyproxy()) as proxy:
            address, http.url = http.url, named_url
            check = works(http, *named, environment={"HTTP_PROXY": proxy.url})
            checks.run("HTTP_PROXY", check)
            check = fails(http, b"cannot be reached", *named, environment={"HTTP_PROXY": nowhere})
            checks.run("HTTP_PROXY that is not there", check)
            excepted = {"HTTP_PROXY": nowhere, "NO_PROXY": "other,.test"}
            checks.run("NO_PROXY", works(http, *named, environment=excepted))
            check = works(http, *named, "--no-proxy", environment={"HTTP_PROXY": nowhere})
            checks.run("--no-proxy", check)
            http.url = address
    checks.finish()


if __name__ == "__main__":
    main()
