"""The web server's worker for an application that is not Openreel."""

from __future__ import annotations

from MovieBackend.web_worker import BufferedWorker


class PlainWorker(BufferedWorker):
    """The worker as shipped, without what looks at Openreel's tables beside the requests."""

    def watch_for_news(self) -> None:
        return None
