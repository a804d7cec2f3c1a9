"""Static files: hashed when collected, served under their own names otherwise."""

from __future__ import annotations

import json

from MovieBackend.staticfiles import HashedStaticFilesStorage


def test_a_collected_file_is_named_by_its_hash(tmp_path):
    manifest = {"version": "1.1", "hash": "", "paths": {"css/site.css": "css/site.0123456789ab.css"}}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
    storage = HashedStaticFilesStorage(location=tmp_path, base_url="/static/")
    assert storage.url("css/site.css") == "/static/css/site.0123456789ab.css"


def test_a_file_that_was_not_collected_keeps_its_name(tmp_path):
    assert (
        HashedStaticFilesStorage(location=tmp_path, base_url="/static/").url("css/site.css") == "/static/css/site.css"
    )
