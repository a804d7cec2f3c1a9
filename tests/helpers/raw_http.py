"""Asking the farm by hand, down to the bytes."""

from __future__ import annotations

import http.client
import socket
from contextlib import closing
from dataclasses import dataclass

HOSTS = 4


@dataclass
class RawResponse:
    status: int
    headers: dict[str, str]
    body: bytes


def send_request(farm, path, *, method="GET", **headers):
    with closing(http.client.HTTPConnection("127.0.0.1", farm.ports.http, timeout=10)) as connection:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        stated = {name.lower(): value for name, value in answer.getheaders()}
        return RawResponse(answer.status, stated, answer.read())


def connect(farm):
    return closing(socket.create_connection(("127.0.0.1", farm.ports.http), timeout=10))


def request_bytes(path, *, method="GET"):
    return f"{method} {path} HTTP/1.1\r\nHost: farm\r\n\r\n".encode()


def read_all(connection):
    """Everything until the other side closes; what a reset leaves of it."""
    result = b""
    try:
        while chunk := connection.recv(65536):
            result += chunk
    except ConnectionResetError:
        return result, True
    return result, False
