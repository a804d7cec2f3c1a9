"""Messages to the operator, received by a mail server, a webhook and an ntfy server on loopback."""

from __future__ import annotations

import hashlib
import hmac
import io
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from streaming import statistics
from streaming.alarms import conditions, outbox
from streaming.alarms.targets import configured_targets
from streaming.ingest.tombstones import remove_movies
from streaming.models import AlarmMessage, HealthRun, Movie, RemovedMovie, ScrapeJob, StreamingLink, TakedownRequest
from tests.helpers.external_services import run_tests_on_postgres
from tests.helpers.factories import make_job, make_link, make_movie
from tests.helpers.http_servers import free_port
from tests.helpers.message_receivers import mail_server, receiver

pytestmark = pytest.mark.django_db
SECRET = "a-secret-of-the-webhook"


def notify(*options):
    out = io.StringIO()
    try:
        call_command("notify", *options, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


def end_run(*, withheld=False, reason="", **more):
    now = timezone.now()
    outcome = "withheld" if withheld else "completed"
    HealthRun.objects.create(started_at=now, finished_at=now, withheld=withheld, outcome=outcome, reason=reason, **more)


@pytest.fixture
def webhook(settings):
    with receiver() as server:
        settings.NOTIFY_WEBHOOK_URL = f"http://{server.address}/hook?token=hidden"
        settings.NOTIFY_WEBHOOK_SECRET = SECRET
        yield server


def texts(server, key):
    return [[row["condition"] for row in body[key]] for body in server.bodies()]


def test_a_test_message_arrives_by_mail_ntfy_and_webhook(settings, webhook):
    with mail_server() as mailbox, receiver() as ntfy:
        settings.NOTIFY_URLS = [mailbox.url, f"ntfy://{ntfy.address}/films"]
        status, output = notify("--test")
    assert status == 0, output
    assert sorted(output.splitlines()) == [
        "mailto (number 1): accepted", "ntfy (number 2): accepted", "webhook: accepted",
    ]  # fmt: skip
    assert mailbox.mails[0]["Subject"] == "Openreel: a test"
    assert mailbox.mails[0].get_content_type() == "text/plain"
    assert "messages of Openreel arrive here.\n\nFrom Openreel" in mailbox.mails[0].get_content().replace("\r\n", "\n")
    assert b"a test" in ntfy.received[0][2]
    path, headers, body = webhook.received[0]
    at, digest = (word.split("=")[1] for word in headers["X-Openreel-Signature"].split(","))
    assert digest == hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert abs(time.time() - int(at)) < 60
    assert path.startswith("/hook")
    assert not AlarmMessage.objects.exists()


def test_what_begins_and_ends_is_said_once_each(webhook):
    end_run(withheld=True, reason="no canary responds")
    assert [notify()[0] for _ in range(3)] == [0, 0, 0]
    assert texts(webhook, "began") == [["run_withheld"]]
    assert "no canary responds" in webhook.bodies()[0]["body"]
    end_run()
    notify(), notify()
    assert texts(webhook, "ended") == [[], ["run_withheld"]]


def test_a_check_of_a_part_ends_no_alarm(webhook):
    make_link(first_seen=timezone.now() - timedelta(hours=30))
    StreamingLink.objects.update(first_seen=timezone.now() - timedelta(hours=30))
    end_run(withheld=True, reason="no canary responds")
    HealthRun.objects.update(finished_at=timezone.now() - timedelta(hours=30))
    notify()
    assert texts(webhook, "began") == [["run_late", "run_withheld"]]
    end_run(is_partial=True)
    notify()
    assert len(webhook.received) == 1
    status = statistics.run_status(HealthRun.objects.latest_started(), now=timezone.now())
    assert (status.is_late, status.ended.withheld) == (True, True)
    end_run()
    notify()
    assert texts(webhook, "ended")[-1] == ["run_late", "run_withheld"]


def test_every_condition_is_noticed_in_one_message(webhook, settings, monkeypatch):
    old = timezone.now() - timedelta(hours=30)
    link = make_link(is_published=False, first_seen=old)
    type(link).objects.update(first_seen=old)
    link.reports.create(kind="unwanted")
    TakedownRequest.objects.create(target="tt0000001", claim="other", statement="Mine", name="A", email="a@example.org")
    settings.SOURCES = ["example", "wikidata"]
    failed = {"source": "example", "state": "failed", "links": 0, "new": 0, "seconds": 1.0, "error": "no JSON"}
    for number in range(3):
        # The other source failed twice only.
        second = {**failed, "source": "wikidata", "state": "found" if number == 0 else "failed"}
        make_job(state=ScrapeJob.State.FAILED, sources=[failed, second])
    monkeypatch.setattr(conditions, "DISK_BEGIN_BYTES", 2**80)
    notify()
    expected = ["disk_nearly_full", "links_waiting", "reports_waiting", "run_late", "source_failing:example"]
    assert texts(webhook, "began") == [[*expected, "takedowns_waiting"]]
    assert "1 takedown request to decide: " in webhook.bodies()[0]["body"]
    assert "Example" in webhook.bodies()[0]["body"]
    assert "no JSON" in webhook.bodies()[0]["body"]
    # The limit at which it ends is another: a little space is not enough.
    monkeypatch.setattr(conditions, "DISK_BEGIN_BYTES", 0)
    monkeypatch.setattr(conditions, "DISK_END_BYTES", 2**80)
    notify()
    assert len(webhook.received) == 1


def test_a_folder_that_is_not_there_yet_holds_up_no_message(webhook, settings, tmp_path):
    """With PostgreSQL nothing may have made `VAR_DIR` on the machine that notifies."""
    settings.VAR_DIR = tmp_path / "not" / "there"
    end_run(withheld=True, reason="no canary responds")
    assert notify()[0] == 0
    assert texts(webhook, "began") == [["run_withheld"]]


def test_films_removed_in_one_run_are_one_bounded_message_that_says_how_to_restore_them(webhook):
    for number in range(25):
        make_movie(title=f"Film {number}\nwith a second line")
    ids = list(Movie.objects.order_by("pk").values_list("imdb_id", flat=True))
    remove_movies(
        Movie.objects.all(), reason="no working link left", cause=RemovedMovie.Cause.CHECK, now=timezone.now()
    )
    notify(), notify()
    (body,) = webhook.bodies()
    assert (body["removed_count"], len(body["removed"])) == (25, 20)
    assert body["subject"] == "Openreel: 25 films were removed, for no link works any more."
    assert f"restore_movies {ids[0]} {ids[1]}" in body["body"]
    assert "and 5 more" in body["body"]
    assert "Film 0 with a second line" in body["body"]


def test_a_service_that_fails_or_hangs_holds_up_no_other_and_is_tried_again(settings, webhook, caplog):
    settings.NOTIFY_TIMEOUT = 2
    with receiver(status=500) as broken, receiver(hangs=True) as hanging:
        settings.NOTIFY_URLS = [f"json://user:pass-word@{broken.address}/", f"json://{hanging.address}/"]
        end_run(withheld=True, reason="offline")
        begin = time.monotonic()
        status, output = notify()
        assert time.monotonic() - begin < 5
        assert status == 4
        assert "json (number 1): it answered 500" in output
        assert "json (number 2): it did not answer in time" in output
        assert len(webhook.received) == 1
        assert AlarmMessage.objects.count() == 2
        # Not at once again, but later, and then no more once it was accepted.
        notify()
        assert len(broken.received) == 1
        broken.status = 200
        AlarmMessage.objects.update(next_attempt_at=timezone.now())
        assert notify()[0] == 4
        assert len(broken.received) == 2
        assert AlarmMessage.objects.count() == 1
    assert not [word for word in ("pass-word", "hidden", SECRET) if word in output + caplog.text]


def test_a_service_that_stays_down_is_given_up_and_its_messages_are_bounded(settings):
    settings.NOTIFY_URLS = [f"json://127.0.0.1:{free_port()}/"]
    now = timezone.now()
    for _ in range(2 * outbox.MAX_PENDING):
        end_run(withheld=True, reason="offline")
        outbox.record_news(configured_targets(), now=now)
        end_run()
        outbox.record_news(configured_targets(), now=now)
    assert AlarmMessage.objects.count() == outbox.MAX_PENDING
    AlarmMessage.objects.update(attempts=len(outbox.RETRY_MINUTES) - 1)
    assert notify()[0] == 4
    assert not AlarmMessage.objects.exists()


def test_a_data_folder_that_nothing_has_made_yet_is_no_error(settings, webhook, tmp_path):
    settings.VAR_DIR = tmp_path / "absent" / "var"
    assert notify() == (0, "")
    assert not webhook.received


def test_no_password_of_this_account_goes_to_a_service(settings, webhook, monkeypatch, tmp_path):
    """`requests` sends what `~/.netrc` has for any host, unless that is turned off."""
    (tmp_path / ".netrc").write_text("default login operator password of-another-service\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    with receiver() as other, receiver() as heartbeat:
        settings.NOTIFY_URLS = [f"json://{other.address}/films"]
        settings.HEARTBEAT_URL = f"http://{heartbeat.address}/ping"
        assert notify("--test", "--heartbeat")[0] == 0
        received = [*webhook.received, *other.received, *heartbeat.received]
    assert [headers["Authorization"] for _, headers, _ in received] == [None] * 3


def test_a_heartbeat_that_never_ends_is_given_up(settings):
    settings.NOTIFY_TIMEOUT = 1
    with receiver(drips=True) as heartbeat:
        settings.HEARTBEAT_URL = f"http://{heartbeat.address}/ping"
        status, output = notify("--heartbeat")
    assert (status, "heartbeat: it did not answer in time" in output) == (4, True)


def test_without_a_service_it_says_what_to_set(settings):
    status, output = notify("--test")
    assert (status, "NOTIFY_URLS" in output) == (1, True)
    settings.NOTIFY_URLS = ["nosuchservice://token-of-mine"]
    status, output = notify("--test")
    assert (status, "Apprise does not understand" in output, "token-of-mine" in output) == (4, True, False)


@pytest.mark.slow(seconds=30)
@pytest.mark.postgres
def test_the_same_on_postgresql():
    run_tests_on_postgres("alarms/test_messages.py")
