"""python -m scraper.example_site --port N: start the example site, until Ctrl-C or TERM."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress
from functools import partial
from typing import NoReturn

from scraper.example_site.server import ExampleSite

EXAMPLE = "example: python -m scraper.example_site --port 8001"


class ExampleSiteParser(argparse.ArgumentParser):
    """Prints one sentence and exits with status 1 for invalid arguments."""

    def error(self, message: str) -> None:  # type: ignore[override]
        sys.stderr.write(f"{message[:1].upper()}{message[1:]} ({EXAMPLE})\n")
        sys.exit(1)


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = ExampleSiteParser(prog="python -m scraper.example_site", description=__doc__, epilog=EXAMPLE)
    parser.add_argument("--port", type=_port, required=True, help="port to listen on; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--slow", type=_seconds, default=0.0, metavar="SECONDS", help="wait before each film page")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    arguments = parse_arguments(words)
    try:
        site = ExampleSite((arguments.host, arguments.port), slow=arguments.slow)
    except OSError as error:
        reason = error.strerror or str(error)
        sys.stderr.write(f"The example site cannot listen on {arguments.host}:{arguments.port}: {reason}\n")
        return 1
    with suppress(KeyboardInterrupt):
        # Both signals, also SIGINT where a shell lets background processes ignore it.
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, partial(_on_stop_signal, site))
        host, port = site.server_address[:2]
        sys.stdout.write(f"Example site: http://{host!s}:{port}/\n")
        sys.stdout.flush()
        site.serve_forever(poll_interval=0.05)
    site.server_close()
    return 0


def _on_stop_signal(site: ExampleSite, number: int, frame: object) -> NoReturn:
    """Stop serving, without error messages about interrupted responses."""
    site.stopping.set()
    raise KeyboardInterrupt


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 600")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
