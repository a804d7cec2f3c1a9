"""Caption files as they come, and what a browser gets of them."""

from __future__ import annotations

import pytest

from streaming.web.caption_text import MAX_CUES, MAX_TEXT_BYTES, UnreadableCaptions, to_webvtt

SRT = "1\n00:00:01,000 --> 00:00:02,500\nSchön, daß Sie da sind.\n\n2\n00:01:00,5 --> 1:01:01,000\nZwei\nZeilen\n"
VTT = (
    "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nSchön, daß Sie da sind.\n\n00:01:00.500 --> 01:01:01.000\nZwei\nZeilen\n"
)


@pytest.mark.parametrize(
    "data",
    [
        SRT.encode(),
        SRT.encode("utf-8-sig"),
        SRT.encode("utf-16"),
        SRT.encode("utf-16-le"),
        b"\xfe\xff" + SRT.encode("utf-16-be"),
        SRT.encode("utf-16-be"),
        SRT.encode("cp1252"),
        SRT.replace("\n", "\r\n").encode(),
        SRT.replace("\n", "\r").encode(),
        VTT.encode(),
        VTT.replace("00:00:0", "00:0").encode(),
        f"\n\n{SRT}".encode(),
    ],
)
def test_every_encoding_and_format_is_the_same_webvtt(data):
    assert to_webvtt(data) == VTT


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("<i>Leise</i> <B>laut</B>", "<i>Leise</i> <b>laut</b>"),
        ('<font color="#fff">Weiß</font>', "Weiß"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<v Orlok>Knock!</v>", "Knock!"),
        (r"{\an8}Above", "Above"),
        ("a --> b", "a → b"),
        ("5 < 6 & 7", "5 &lt; 6 & 7"),
        ("<<x>c.red>Joined", "&lt;c.red&gt;Joined"),
        ("00:05.000 --<x>> 00:06.000", "00:05.000 --&gt; 00:06.000"),
        ("\u202eevil\u2066 \u2028end", "evil end"),
        ("\x00bell\x07", "bell"),
    ],
)
def test_of_tags_only_bold_italic_and_underlined_stay(line, shown):
    assert to_webvtt(f"00:01.000 --> 00:02.000\n{line}\n".encode()).splitlines()[-1] == shown


def test_styles_notes_and_unknown_settings_are_left_out():
    source = (
        "WEBVTT - title\n\nSTYLE\n::cue { background: url(https://evil.example.org/) }\n\nNOTE none of this\n\n"
        "REGION\nid:a\n\nname\n00:01.000 --> 00:02.000 align:start position:10% onclick:x\nHello\n"
    )
    assert to_webvtt(source.encode()) == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000 align:start position:10%\nHello\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "there are none"),
        (b"WEBVTT\n", "there are none"),
        (b"00:01.000 --> 00:02.000\n\n", "there are none"),
        (b"\x00\x00\x00\x20ftypisom" + b"\x00" * 4000, "there are none"),
        (b"\xff" * 5000, "there are none"),
        (b"\n<!DOCTYPE html><p>00:01.000 --> 00:02.000", "there is a web page"),
        (b"<html>\n00:01.000 --> 00:02.000\nx\n", "there is a web page"),
    ],
)
def test_what_holds_no_captions_is_refused_in_a_sentence(data, reason):
    with pytest.raises(UnreadableCaptions, match=reason):
        to_webvtt(data)


def test_a_megabyte_of_the_worst_is_read_in_no_time():
    for worst in (b"<" * 2**20, b"00:01.000 --> 00:02.000\n" + b"<b" * 2**19, b"{\\" * 2**19, b"1:" * 2**19):
        with pytest.raises(UnreadableCaptions):
            to_webvtt(b"\n" + worst[: 2**20] if b"-->" not in worst else b"\n")
    many = to_webvtt(b"00:01.000 --> 00:02.000\nx\n\n" * 40_000)
    assert many.count("-->") == MAX_CUES


def test_a_file_that_becomes_too_long_is_refused():
    with pytest.raises(UnreadableCaptions, match="too long"):
        to_webvtt(b"00:01.000 --> 00:02.000\n" + b"<" * (MAX_TEXT_BYTES // 4))
