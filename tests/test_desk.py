"""The admin as a desk: what its front page says and to whom, and the pages that Django's admin does not have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from scraper.net.url_policy import PrivateHostAllowlist
from streaming.desk import upload_import
from streaming.desk.external_links import external_link
from streaming.models import HealthRun, LinkReport, Movie, RemovedMovie, TakedownRequest
from streaming.write_log import log_changed
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.http_origin import Origin
from tests.helpers.rendered_html import html_of
from tests.helpers.staff import make_staff_with

pytestmark = pytest.mark.django_db
INDEX = "/admin/"


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("alice"))
    return client


def add_everything_that_needs_attention():
    now = timezone.now()
    link = make_link(is_published=False, is_active=False)
    LinkReport.objects.create(link=link, kind="unwanted")
    HealthRun.objects.create(
        started_at=now - timedelta(days=3), finished_at=now - timedelta(days=3), outcome="withheld", withheld=True
    )
    failed = [{"source": "example", "state": "failed", "links": 0, "new": 0, "seconds": 1, "error": "Timed out"}]
    make_job(state="failed", sources=failed)
    make_job(state="queued", queued_at=now - timedelta(minutes=30))
    RemovedMovie.objects.create(imdb_id="tt0000009", title="Gone", reason="gone", snapshot={"rows": []})


def answer_as_tvmaze(handler):
    is_known = handler.path == "/lookup/shows?imdb=tt0052514"
    body = b'{"name": "The Hour", "premiered": "1959-01-02"}' if is_known else b""
    handler.send(200 if is_known else 404, body, "application/json")


def notices(client):
    return [notice.text for notice in client.get(INDEX).context["notices"]]


class TestFrontPage:
    def test_it_says_what_needs_attention_with_pages_that_show_it(self, boss):
        add_everything_that_needs_attention()
        found = boss.get(INDEX).context["notices"]
        assert [notice.text for notice in found] == [
            "The last check of links was withheld: it changed nothing",
            "The check of links is late",
            "A source does not respond as usual: Example site",
            "Searches wait and nobody takes them: the oldest was asked for 30 min ago",
            "1 link awaits review",
            "1 report of visitors",
            "3 titles have no working link",
            "1 title was removed by checks within a week",
        ]
        assert {boss.get(notice.url).status_code for notice in found} == {200}
        rows = boss.get(next(notice.url for notice in found if "no working" in notice.text)).context["cl"]
        assert rows.result_count == Movie.objects.unwatchable().count()

    def test_when_all_is_well_it_is_a_sentence(self, boss):
        now = timezone.now()
        HealthRun.objects.create(started_at=now, finished_at=now, outcome="completed")
        page = boss.get(INDEX)
        assert page.context["notices"] == []
        assert "Nothing needs your attention." in html_of(page)

    def test_each_notice_needs_its_permission(self, client):
        add_everything_that_needs_attention()
        client.force_login(make_staff_with("editor", "streaming.view_linkreport"))
        page = client.get(INDEX)
        assert [notice.text for notice in page.context["notices"]] == ["1 report of visitors"]
        assert [figure.name for figure in page.context["figures"]] == ["Version"]

    def test_it_costs_the_same_for_many_rows(self, boss, django_assert_max_num_queries):
        add_everything_that_needs_attention()
        boss.get(INDEX)
        for _ in range(30):
            make_link(is_published=False, is_active=False)
            make_job(state="failed")
        with django_assert_max_num_queries(24):
            assert "31 links await review" in notices(boss)


class TestForms:
    LINES = {
        "links-TOTAL_FORMS": "0",
        "links-INITIAL_FORMS": "0",
        "bindings-TOTAL_FORMS": "0",
        "bindings-INITIAL_FORMS": "0",
    }

    @pytest.mark.parametrize(
        "written", ["https://www.imdb.com/title/tt0032977/?ref_=nv", "0032977", "32977", " TT000032977 "]
    )
    def test_a_movie_is_added_by_number_or_address_and_its_facts_by_choices_and_lines(self, boss, written):
        facts = {
            "genres": ["western", "short"],
            "countries": "US",
            "directors": "Ida Lupino Q259913\nNobody Known",
            "other_titles": "de: Die Fahrt",
            "synopses": "de: Eine Fahrt: nach Westen.",
        }
        body = {"imdb_id": written, "title": "The Ride", "type": "movie", **facts, **self.LINES}
        assert boss.post("/admin/streaming/movie/add/", body).status_code == 302
        movie = Movie.objects.get(imdb_id="tt0032977")
        assert (movie.genres, movie.countries, movie.other_titles) == (
            ["western", "short"],
            ["US"],
            [["de", "Die Fahrt"]],
        )
        assert movie.synopses == [["de", "Eine Fahrt: nach Westen."]]
        assert [(one.name, one.wikidata) for one in movie.people("directors")] == [
            ("Ida Lupino", "Q259913"),
            ("Nobody Known", ""),
        ]
        again = boss.post("/admin/streaming/movie/add/", body)
        assert f"/admin/streaming/movie/{movie.pk}/change/" in html_of(again)

    def test_a_movie_without_a_title_is_looked_up(self, boss, settings):
        with Origin("127.0.0.3") as server:
            server.behaviour = answer_as_tvmaze
            settings.TVMAZE_URL, settings.TMDB_API_KEY, settings.OMDB_API_KEY = server.url(""), "", ""
            settings.ALLOW_PRIVATE_HOSTS = PrivateHostAllowlist.parse(["127.0.0.0/8"])
            body = {"imdb_id": "tt0052514", "type": "movie", **self.LINES}
            boss.post("/admin/streaming/movie/add/", body)
            missing = boss.post("/admin/streaming/movie/add/", {**body, "imdb_id": "tt0052515"})
        movie = Movie.objects.get()
        assert (movie.title, movie.year, movie.type) == ("The Hour", 1959, "show")
        assert "Write the title yourself." in html_of(missing)

    def test_a_link_changed_on_the_page_of_its_movie_keeps_what_is_not_shown_there(self, boss):
        link = make_link(source_url="https://a.example.org/x", label="Reel 1", evidence="Stated", width=640)
        page = boss.get(f"/admin/streaming/movie/{link.movie_id}/change/")
        assert 'rel="noopener noreferrer nofollow"' in html_of(page)
        form = page.context["inline_admin_formsets"][0].formset.forms[0]
        values = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
        body = {f"links-0-{name}": value for name, value in values.items()} | {"links-0-quality": "720p"}
        counts = {"links-TOTAL_FORMS": "1", "links-INITIAL_FORMS": "1"}
        movie = {"title": link.movie.title, "type": "movie"}
        saved = boss.post(f"/admin/streaming/movie/{link.movie_id}/change/", {**movie, **self.LINES, **body, **counts})
        assert saved.status_code == 302
        link.refresh_from_db()
        assert (link.quality, link.label, link.evidence, link.width) == ("720p", "Reel 1", "Stated", 640)

    def test_only_addresses_of_the_web_can_be_clicked(self):
        assert external_link("javascript:alert(1)") == "javascript:alert(1)"
        assert external_link('https://a.example.org/"><b>').startswith(
            '<a href="https://a.example.org/&quot;&gt;&lt;b&gt;" target="_blank" rel="noopener noreferrer nofollow"'
        )


class TestEditOnPublicPages:
    def test_staff_who_may_change_movies_have_edit_and_others_the_same_page_as_before(self, client, settings):
        movie = make_movie(imdb_id="tt0013442")
        edit = f'href="/admin/streaming/movie/{movie.pk}/change/"'
        for permission, is_there in (("streaming.view_movie", False), ("streaming.change_movie", True)):
            client.force_login(make_staff_with(permission, permission))
            page = client.get("/streaming/tt0013442/")
            assert (edit in html_of(page), page["Cache-Control"] == "private, no-store") == (is_there, is_there)
            assert "Cookie" in page["Vary"]
        client.logout()
        page = client.get("/streaming/tt0013442/")
        assert (edit in html_of(page), page["Cache-Control"]) == (False, "private, no-cache")


class TestImport:
    GOOD = b'{"imdb_id": "tt0000011", "title": "Eleven", "links": []}\n'

    def upload(self, client, data, **buttons):
        file = SimpleUploadedFile("films.jsonl", data)
        return client.post("/admin/import/", {"file": file, **(buttons or {"import": ""})})

    def test_a_file_is_checked_without_saving_and_imported_with_errors_by_line(self, boss):
        data = self.GOOD + b'{"title": "x"}\nnonsense\n'
        checked = self.upload(boss, data, check="")
        assert Movie.objects.count() == LogEntry.objects.count() == 0
        errors = checked.context["result"].errors
        assert [number for number, _ in errors] == [2, 3]
        assert "not JSON" in html_of(checked)
        imported = self.upload(boss, data)
        assert imported.context["result"].errors == errors
        assert "1 line read: 1 new movie" in html_of(imported)
        assert (Movie.objects.get().title, LogEntry.objects.get().object_repr) == ("Eleven", "Import of films.jsonl")
        assert boss.get(reverse("admin:admin_logentry_changelist")).status_code == 200

    @pytest.mark.parametrize("depth", [900, 960, 990, 1010])
    def test_a_value_that_python_cannot_write_is_an_invalid_line(self, boss, depth):
        nested = b"[" * depth + b"]" * depth
        data = b'{"imdb_id": "tt0000009", "title": ' + nested + b', "links": []}\n' + self.GOOD
        result = self.upload(boss, data).context["result"]
        assert [number for number, _ in result.errors] == [1]
        assert Movie.objects.count() == 1

    def test_it_needs_all_permissions_of_an_import_and_a_small_file(self, boss, client):
        large = self.upload(boss, b" " * (upload_import.MAX_BYTES + 1))
        assert "use the command" in html_of(large)
        some = make_staff_with("some", "streaming.add_movie", "streaming.add_streaminglink")
        client.force_login(some)
        assert self.upload(client, self.GOOD).status_code == 403
        assert Movie.objects.count() == 0


class TestSettingsPage:
    def test_it_shows_settings_to_superusers_only_and_no_secret(self, boss, settings, monkeypatch):
        monkeypatch.setenv("DATABASE_URL", "postgres://openreel:pass%40word@db.example.org:5432/films?password=hidden2")
        settings.METRICS_TOKEN = "token-of-the-metrics"
        monkeypatch.setenv("CACHE_URL_FILE", "/run/secrets/cache")
        settings.HEALTH_CANARIES = ["https://user:canary@example.org/secret-path"]
        text = html_of(boss.get("/admin/settings/"))
        assert "postgres://db.example.org:5432/…" in text
        assert "HISTORY_DAYS" in text
        for secret in ("pass%40word", "hidden2", "token-of-the-metrics", "canary", "secret-path", settings.SECRET_KEY):
            assert secret not in text
        boss.force_login(make_staff_with("operator", "streaming.view_healthrun"))
        assert boss.get("/admin/settings/").status_code == 403


class TestAudit:
    def test_writes_are_filtered_by_account_and_lead_to_their_rows(self, boss):
        movie, other = make_movie(), make_staff_with("bob")
        log_changed(User.objects.get(username="alice"), movie, note="Changed the title.")
        log_changed(other, movie, note="Changed the year.")
        page = boss.get(reverse("admin:admin_logentry_changelist"), {"user__id__exact": other.pk})
        assert [entry.user for entry in page.context["cl"].result_list] == [other]
        assert f"/admin/streaming/movie/{movie.pk}/change/" in html_of(page)


class TestPageOfOneRow:
    def test_a_request_is_decided_where_it_is_read(self, boss):
        movie = make_movie()
        asked = TakedownRequest.objects.create(
            target=movie.imdb_id, claim="other", statement="Mine", name="Jane", email="jane@example.org"
        )
        page = boss.get(reverse("admin:streaming_takedownrequest_change", args=[asked.pk]))
        assert page.context["page_actions"] == [("take_down", "Take down and close"), ("decline", "Decline and close")]
        shown = html_of(page)
        assert 'href="mailto:jane@example.org"' in shown
        assert f'href="{reverse("movie", args=[movie.imdb_id])}"' in shown
        sent = {"action": "decline", "index": "0", "_selected_action": asked.pk}
        boss.post(reverse("admin:streaming_takedownrequest_changelist"), sent)
        asked.refresh_from_db()
        assert asked.outcome == "declined"

    @pytest.mark.parametrize(("permissions", "offered"), [(["view"], []), (["view", "change"], ["decline"])])
    def test_it_offers_what_the_account_may_do(self, client, permissions, offered):
        asked = TakedownRequest.objects.create(target="tt0000001", claim="other", statement="Mine", email="j@a.org")
        client.force_login(make_staff_with("bob", *[f"streaming.{one}_takedownrequest" for one in permissions]))
        page = client.get(reverse("admin:streaming_takedownrequest_change", args=[asked.pk]))
        assert [name for name, _ in page.context["page_actions"]] == offered

    def test_who_may_not_edit_a_movie_reads_names_instead_of_json(self, client):
        movie = make_movie()
        Movie.objects.filter(pk=movie.pk).update(
            genres=["short"], countries=["FR"], directors=[{"id": "Q152272", "name": "Georges Méliès"}]
        )
        client.force_login(make_staff_with("bob", "streaming.view_movie"))
        shown = html_of(client.get(reverse("admin:streaming_movie_change", args=[movie.pk])))
        assert [text for text in ("Short film", "France", "Georges Méliès Q152272") if text not in shown] == []
        assert "[" not in shown.split("Directors:")[1].split("Other titles:")[0]

    def test_times_are_of_24_hours_and_the_page_says_in_which_zone(self, boss):
        run = HealthRun.objects.create(started_at=datetime(2026, 11, 29, 22, 7, tzinfo=UTC), outcome="completed")
        shown = html_of(boss.get(reverse("admin:streaming_healthrun_change", args=[run.pk])))
        assert "29 Nov. 2026, 22:07" in shown
        assert "All times are in UTC." in shown

    def test_one_link_is_one_link(self, boss):
        link = make_link()
        sent = {"action": "withdraw", "index": "0", "_selected_action": link.pk}
        answer = boss.post(reverse("admin:streaming_streaminglink_changelist"), sent, follow=True)
        assert "1 link withdrawn." in html_of(answer)


def test_an_upload_that_is_too_large_for_any_request_names_the_command(boss):
    file = SimpleUploadedFile("a.jsonl", b"x" * 3_000_000)
    answer = boss.post("/admin/import/", {"file": file, "check": "1"})
    assert answer.status_code == 413
    assert "import_catalogue FILE" in html_of(answer)
