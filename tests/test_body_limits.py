"""Bodies of requests: refused unread when they are larger than anybody needs, and never written to the disk."""

from __future__ import annotations

import io
import tempfile

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.authtoken.models import Token

from tests.helpers.factories import make_movie

pytestmark = pytest.mark.django_db
SMALL, LARGE, HUGE = settings.MAX_BODY_BYTES, settings.MAX_BODY_BYTES + 1, settings.MAX_STAFF_BODY_BYTES + 1
FORM = "application/x-www-form-urlencoded"


class Unreadable(io.BytesIO):
    def read(self, *args):
        raise AssertionError("the body was read")


def send(client, method, path, size, **more):
    """Send a request that states a body of this size; to read it is an error."""
    return client.generic(method, path, CONTENT_LENGTH=str(size), **{"wsgi.input": Unreadable()}, **more)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/", "text/html"), ("/admin/login/", "text/html"), ("/api/streaming/movies/", "application/json")],
)
def test_a_large_body_of_a_stranger_is_refused_unread(method, path, content_type):
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    for size in (LARGE, HUGE, 10**12):
        response = send(client, method, path, size)
        assert response.status_code == 413
        assert response["Content-Type"].startswith(content_type)
        if content_type == "application/json":
            assert response.json() == {"detail": "The body of this request is too large."}


@pytest.mark.parametrize("credentials", ["nobody", "visitor", "wrong token"])
def test_who_is_not_staff_has_the_limit_of_a_stranger(credentials, django_user_model):
    client = Client()
    if credentials == "visitor":
        client.force_login(django_user_model.objects.create_user("visitor"))
    headers = {"Authorization": "Token wrong"} if credentials == "wrong token" else {}
    assert send(client, "POST", "/api/streaming/movies/", LARGE, headers=headers).status_code == 413


def test_staff_may_send_more_but_not_without_end(django_user_model):
    staff = django_user_model.objects.create_superuser("boss")
    signed_in, by_token = Client(), {"Authorization": f"Token {Token.objects.create(user=staff).key}"}
    signed_in.force_login(staff)
    body = b'{"title": "' + b"x" * LARGE + b'"}'
    for client, headers in ((signed_in, {}), (Client(), by_token)):
        sent = client.post("/api/streaming/movies/", body, content_type="application/json", headers=headers)
        assert sent.status_code == 400
        assert send(client, "POST", "/api/streaming/movies/", HUGE, headers=headers).status_code == 413


def test_a_file_that_is_small_enough_is_not_written_to_the_disk(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a temporary file")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    movie = make_movie()
    data = {"file": SimpleUploadedFile("a.bin", b"x" * (SMALL - 1024))}
    assert Client().post(f"/streaming/{movie.pk}/refresh/", data).status_code in (200, 302, 303, 503)


def test_a_length_that_is_no_number_counts_as_none():
    assert Client().get("/", CONTENT_LENGTH="\u0663x").status_code == 200
