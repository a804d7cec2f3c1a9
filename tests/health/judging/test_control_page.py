"""A doubtful page against what its host sends for a path that nobody has made."""

from __future__ import annotations

import pytest

from streaming.health.judging.control_page import resolve_doubt, sample_page
from streaming.health.judging.verdict import DOUBTFUL_ALIVE, DOUBTFUL_GONE, Verdict
from streaming.health.probe_types import ProbeResponse

HOST = "https://films.example.org"
LOST = "Sorry, there is nothing here. Search our films, or go back to the front page of the archive."
PASSWORD = "<form method=post><input name=name><input name=word type=password></form>"
CONSENT = "One step before you go on. <form action=/go method='POST'><button>Yes</button></form>"
SEARCH = f"{LOST} <form action=/search><input name=q></form>"
FILM = "A count buys a house in a small town by the sea, and with him comes the plague."


def sample(path, title, text, *, final="", status=200):
    body = f"<!doctype html><title>{title}</title><body><h1>{title}</h1><p>{text}</p></body>".encode()
    return sample_page(
        ProbeResponse(
            id=1, url=HOST + path, status=status, final_url=HOST + (final or path), hops=int(bool(final)), body=body,
            content_type="text/html",
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("page", "control", "doubtful", "verdict"),
    [
        (sample("/film/nosferatu", "Films", LOST), sample("/film/abc", "Films", LOST), DOUBTFUL_GONE, Verdict.GONE),
        (sample("/film/nosferatu", "Films", f"{LOST} nosferatu"), sample("/film/abc", "Films", f"{LOST} abc"),
         DOUBTFUL_GONE, Verdict.GONE),
        (sample("/film/1", "Films", f"{LOST} 16:51:03"), sample("/film/abc", "Films", f"{LOST} 16:51:04"),
         DOUBTFUL_GONE, Verdict.GONE),
        (sample("/film/1", "Nosferatu", FILM), sample("/film/abc", "Films", LOST), DOUBTFUL_GONE, Verdict.ALIVE),
        (sample("/film/1", "Films", FILM), sample("/film/abc", "Films", LOST), DOUBTFUL_GONE, Verdict.ALIVE),
        (sample("/film/1", "Films", LOST), None, DOUBTFUL_GONE, Verdict.ALIVE),
        (sample("/film/1", "Films", LOST, final="/films"), sample("/film/abc", "Films", LOST, final="/films"),
         DOUBTFUL_ALIVE, Verdict.GONE),
        (sample("/film/1", "Films", LOST, final="/films?from=1"),
         sample("/film/a", "Films", LOST, final="/films?from=a"), DOUBTFUL_ALIVE, Verdict.GONE),
        (sample("/film/1", "Films", LOST, final="/films"), sample("/film/abc", "Films", LOST), DOUBTFUL_ALIVE,
         Verdict.ALIVE),
        (sample("/film/1", "Films", LOST, final="/new/1"), sample("/film/abc", "Films", LOST, final="/films"),
         DOUBTFUL_ALIVE, Verdict.ALIVE),
        (sample("/film/1", "", ""), sample("/film/abc", "", ""), DOUBTFUL_GONE, Verdict.ALIVE),
        # A program of one page has the film in its address; where a visitor came from is none.
        (sample("/film/1", "", "", final="/player?v=1"), sample("/film/abc", "", "", final="/player?v=abc"),
         DOUBTFUL_ALIVE, Verdict.ALIVE),
        (sample("/film/1", "App", "Films", final="/app/#/film/1"),
         sample("/film/a", "App", "Films", final="/app/#/film/a"),
         DOUBTFUL_ALIVE, Verdict.ALIVE),
        (sample("/film/1", "App", LOST, final="/x.html?u=/film/1"),
         sample("/film/a", "App", LOST, final="/x.html?u=/film/a"),
         DOUBTFUL_ALIVE, Verdict.GONE),
        (sample("/film/1", "", "", final="/x?return=1"), sample("/film/a", "", "", final="/x?return=a"), DOUBTFUL_ALIVE,
         Verdict.GONE),
        # A gate is one for all.
        (sample("/film/1", "Quay", PASSWORD, final="/tor"), sample("/film/a", "Quay", PASSWORD, final="/tor"),
         DOUBTFUL_ALIVE, Verdict.BLOCKED),
        (sample("/film/1", "Quay", CONSENT, final="/tor"), sample("/film/a", "Quay", CONSENT, final="/tor"),
         DOUBTFUL_ALIVE, Verdict.BLOCKED),
        (sample("/film/1", "Quay", PASSWORD), sample("/film/a", "Quay", PASSWORD), DOUBTFUL_GONE, Verdict.GONE),
        (sample("/film/1", "Quay", SEARCH, final="/tor"), sample("/film/a", "Quay", SEARCH, final="/tor"),
         DOUBTFUL_ALIVE, Verdict.GONE),
    ],
)  # fmt: skip
def test_the_control_page_decides(page, control, doubtful, verdict):
    judgement = resolve_doubt(doubtful, page, control)
    assert judgement.verdict is verdict
    assert not judgement.is_doubtful


def test_an_error_status_has_no_sample():
    assert sample("/film/abc", "Films", LOST, status=404) is None
