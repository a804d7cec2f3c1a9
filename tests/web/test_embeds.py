"""Which links have a player that may be shown in a frame."""

from __future__ import annotations

import pytest

from streaming.web.embeds import embed_url


@pytest.mark.parametrize(
    ("url", "player"),
    [
        ("https://archive.org/details/nosferatu", "https://archive.org/embed/nosferatu"),
        ("https://www.archive.org/embed/nosferatu/", "https://archive.org/embed/nosferatu"),
        ("https://archive.org/details/a/b", ""),
        ("https://evil.example.org/details/nosferatu", ""),
        ("https://archive.org.example.org/details/nosferatu", ""),
        ("https://archive.org:8443/details/nosferatu", ""),
        (
            "https://commons.wikimedia.org/wiki/File:A_Trip_%28to%29_the_Moon.webm",
            "https://commons.wikimedia.org/wiki/File:A_Trip_%28to%29_the_Moon.webm?embedplayer=yes",
        ),
        ("https://commons.wikimedia.org/wiki/File:Moon.jpg", ""),
        ("https://www.youtube.com/watch?v=aBcDeFgHi_0&t=4", "https://www.youtube-nocookie.com/embed/aBcDeFgHi_0"),
        ("https://youtu.be/aBcDeFgHi_0", "https://www.youtube-nocookie.com/embed/aBcDeFgHi_0"),
        ("https://www.youtube.com/watch?v=aBcDeFgHi_0%22", ""),
        ("https://www.youtube.com/playlist?list=aBcDeFgHi_0", ""),
        ("https://vimeo.com/123456", "https://player.vimeo.com/video/123456?dnt=1"),
        ("https://player.vimeo.com/video/123456", "https://player.vimeo.com/video/123456?dnt=1"),
        ("http://archive.org/details/nosferatu", ""),
        ("https://[", ""),
    ],
)
def test_known_sites_have_a_player(url, player):
    assert embed_url(url, source="wikidata") == player


@pytest.mark.parametrize(
    ("source", "player"), [("peertube", "https://framatube.org/videos/embed/abcdEFGH12"), ("wikidata", "")]
)
def test_a_peertube_instance_is_known_by_its_source(source, player):
    assert embed_url("https://framatube.org/w/abcdEFGH12", source=source) == player
