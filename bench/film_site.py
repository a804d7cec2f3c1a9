"""A film site for benchmarks: has a page for every film, responds after a delay and counts requests by path."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

PAGE = """<script type="application/ld+json">{{"@type": "Movie", "name": "A movie",
"sameAs": "https://www.imdb.com/title/{film}/",
"license": "https://creativecommons.org/publicdomain/zero/1.0/"}}</script>
<a href="https://films.example.org/{film}/1">Watch</a> <a href="https://films.example.org/{film}/2">Watch</a>"""


class FilmSite:
    """Responds to each request after `seconds`, to all clients at the same time."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.requests = seconds, Counter()

    async def handle_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                await self._respond(path, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _respond(self, path: str, writer: asyncio.StreamWriter) -> None:
        status, kind, body = "200 OK", "text/html", ""
        if path == "/-/stats":
            kind, body = "application/json", json.dumps(self.requests)
        else:
            self.requests[path] += 1
            await asyncio.sleep(self.seconds)
            if path.startswith("/films/tt"):
                body = PAGE.format(film=path.split("/")[2])
            else:
                status = "404 Not Found"
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(f"{head}{body}".encode())
        await writer.drain()


async def main(port: int, seconds: float) -> None:
    server = await asyncio.start_server(FilmSite(seconds).handle_client, "127.0.0.1", port, backlog=1000)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
