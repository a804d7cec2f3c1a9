"""A real nginx with `deploy/nginx.conf` in front of the real server: TLS, HTTP/2, large bodies, addresses, limits."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from tests.helpers.external_services import skip_or_fail
from tests.helpers.http_servers import free_port
from tests.helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.slow
NAME = "films.example.org"
AROUND = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
MOVIE = '{"imdb_id": "tt0000001", "title": "A film", "links": []}'
CERTIFICATE = [
    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
]  # fmt: skip
KEY = "only-for-the-tests-of-nginx-0123456789"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


class Front:
    """The site as the internet sees it."""

    def __init__(self, folder, secure, plain):
        self.secure, self.plain, self.certificate = secure, plain, folder / "site.pem"
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = False
        https = urllib.request.HTTPSHandler(context=context)
        self.opener = urllib.request.build_opener(NoRedirect, https, urllib.request.ProxyHandler({}))

    def ask(self, path, *, scheme="https", **options):
        """The status, the headers and the body of a response."""
        port = self.secure if scheme == "https" else self.plain
        headers = {"Host": NAME, **options.pop("headers", {})}
        request = urllib.request.Request(f"{scheme}://127.0.0.1:{port}{path}", headers=headers, **options)
        try:
            with self.opener.open(request, timeout=20) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def protocol(self):
        """What TLS chooses for a browser."""
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = False
        context.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("127.0.0.1", self.secure), 10) as plain, context.wrap_socket(plain) as secured:
            return secured.selected_alpn_protocol()


def site_conf(folder, *, backend, secure, plain):
    """The example with paths and ports of this test, otherwise as it is."""
    text = (PROJECT_ROOT / "deploy" / "nginx.conf").read_text()
    for old, new in {
        "127.0.0.1:8000": f"127.0.0.1:{backend}",
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        f"/etc/ssl/{NAME}.pem": f"{folder}/site.pem",
        f"/etc/ssl/{NAME}.key": f"{folder}/site.key",
    }.items():
        assert old in text
        text = text.replace(old, new)
    return text


def is_in_use(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command, port, **options):
    process = subprocess.Popen(command, **options)
    try:
        end = time.monotonic() + 40
        while not is_in_use(port):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


def manage(*words, **options):
    subprocess.run([sys.executable, "manage.py", *words], check=True, capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    if not (shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin") and shutil.which("openssl")):
        skip_or_fail("no nginx here (apt-get install nginx-light openssl)")
    folder = tmp_path_factory.mktemp("nginx")
    backend, secure, plain = free_port(), free_port(), free_port()
    subprocess.run(
        [*CERTIFICATE, "-keyout", folder / "site.key", "-out", folder / "site.pem"], check=True, capture_output=True
    )
    (folder / "site.conf").write_text(site_conf(folder, backend=backend, secure=secure, plain=plain))
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "VAR_DIR": str(folder / "var"), "SECRET_KEY": KEY,
        "ENV_FILE": os.devnull, "BEHIND_HTTPS": "1", "TRUSTED_PROXIES": "1", "ALLOWED_HOSTS": NAME,
        "REFRESH_RATE": "2/hour", "WEB_WORKERS": "1",
    }  # fmt: skip
    here = {"cwd": PROJECT_ROOT, "env": environment}
    for words in (["migrate", "-v0"], ["collectstatic", "--noinput", "-v0"], ["import_catalogue", "-"]):
        manage(*words, input=MOVIE, **here)
    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{backend}", "--no-control-socket"]
    nginx = [shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin"), "-e", folder / "error.log"]
    nginx += ["-c", folder / "nginx.conf"]
    with running([*gunicorn, "--threads", "4", "MovieBackend.wsgi"], backend, **here), running(nginx, secure):
        yield Front(folder, secure, plain)
        manage("scrape_worker", "--stop", **here)


def test_pages_come_by_https_and_http_2_and_http_leads_there(front):
    status, headers, _ = front.ask("/")
    assert (status, headers["Strict-Transport-Security"][:8]) == (200, "max-age=")
    status, headers, _ = front.ask("/health/?a=b", scheme="http")
    assert (status, headers["Location"]) == (301, f"https://{NAME}/health/?a=b")
    assert front.protocol() == "h2"
    assert f'"https://{NAME}/api/streaming/movies/"'.encode() in front.ask("/api/streaming/")[2]


def test_texts_are_compressed_once(front):
    for path in ("/", "/api/streaming/schema/", "/export/movies.jsonl"):
        _, headers, body = front.ask(path, headers={"Accept-Encoding": "gzip"})
        if headers["Content-Encoding"]:
            assert gzip.decompress(body)[:2] != b"\x1f\x8b"
    assert front.ask("/", headers={"Accept-Encoding": "gzip"})[1]["Content-Encoding"] == "gzip"


def test_a_large_body_ends_at_nginx(front):
    status, headers, _ = front.ask("/streaming/1/refresh/", data=b"x" * 2_000_000, method="POST")
    assert (status, headers["Server"][:5]) == (413, "nginx")


def test_a_client_cannot_choose_its_address(front):
    """Else each forged address would have a limit of its own."""
    click = "/api/streaming/movies/tt0000001/refresh_links/"
    forged = [{"X-Forwarded-For": f"9.9.9.{number}"} for number in range(3)]
    assert [front.ask(click, method="POST", headers=headers)[0] for headers in forged][1:] == [200, 429]
    assert front.ask("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})[0] == 404


def test_the_admin_is_limited_and_the_site_is_not(front):
    answers = {front.ask("/admin/login/")[0] for _ in range(45)}
    assert answers == {200, 429}
    assert {front.ask("/health/")[0] for _ in range(45)} == {200}
