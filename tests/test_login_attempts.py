"""Who is locked out of the admin after wrong passwords, and who is not (decision 0015)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from streaming import login_attempts
from streaming.models import LoginCounter

pytestmark = pytest.mark.django_db
STRANGER, OTHER = "9.9.9.9", "8.8.8.8"


@pytest.fixture(autouse=True)
def carol():
    return User.objects.create_superuser("carol", password="right")


def sign_in(password, *, name="carol", address=STRANGER, client=None):
    """'in', 'wrong' or 'locked'."""
    client = client or Client()
    response = client.post(reverse("admin:login"), {"username": name, "password": password}, REMOTE_ADDR=address)
    if response.status_code == 302:
        return "in"
    assert response.status_code == 200
    return "locked" if "Try again in 15 minutes" in response.content.decode() else "wrong"


def known_device():
    client = Client()
    assert sign_in("right", client=client, address="7.7.7.7") == "in"
    del client.cookies["sessionid"]
    return client


def test_five_wrong_passwords_lock_out_that_client_only():
    assert [sign_in("wrong") for _ in range(6)] == ["wrong"] * 5 + ["locked"]
    assert sign_in("right") == "locked"
    assert sign_in("right", address=OTHER) == "in"


def test_a_client_is_locked_out_of_all_accounts_and_of_names_without_one():
    assert [sign_in("wrong", name=f"user{number}") for number in range(5)] == ["wrong"] * 5
    assert sign_in("right") == "locked"


def test_a_log_in_to_another_account_resets_nothing():
    User.objects.create_user("mallory", password="own", is_staff=True)
    for _ in range(5):
        assert sign_in("wrong") == "wrong"
        cache.clear()
        if sign_in("own", name="mallory") == "locked":
            break
    assert sign_in("wrong") == "locked"


def test_right_passwords_lock_nobody_out():
    assert [sign_in("right") for _ in range(25)] == ["in"] * 25


def test_an_account_is_locked_after_twenty_guesses_from_many_addresses_but_not_for_its_owner():
    owner = known_device()
    guesses = [sign_in("wrong", address=f"10.0.0.{number}") for number in range(25)]
    assert guesses == ["wrong"] * 20 + ["locked"] * 5
    assert sign_in("right", address=OTHER) == "locked"
    assert sign_in("right", address=OTHER, client=owner) == "in"


def test_a_device_is_a_stranger_once_the_password_has_changed(carol):
    owner = known_device()
    carol.set_password("other")
    carol.save()
    assert [sign_in("right", client=owner) for _ in range(6)] == ["wrong"] * 5 + ["locked"]
    assert sign_in("other", client=owner) == "locked"
    assert sign_in("other", client=owner, address=OTHER) == "in"
    assert sign_in("wrong", client=owner) == "wrong"


def test_a_stranger_at_the_same_address_does_not_lock_the_owner_out():
    owner = known_device()
    assert [sign_in("wrong") for _ in range(6)][-1] == "locked"
    assert sign_in("right", client=owner) == "in"
    assert sign_in("right") == "locked"


def test_a_known_device_has_five_guesses_of_its_own():
    device = known_device()
    assert [sign_in("wrong", client=device) for _ in range(6)] == ["wrong"] * 5 + ["locked"]
    assert sign_in("right", address=OTHER) == "in"


def test_the_cookie_of_one_account_is_none_for_another_nor_is_a_forged_one():
    User.objects.create_user("mallory", password="own", is_staff=True)
    client = Client()
    assert sign_in("own", name="mallory", client=client) == "in"
    (name, value), (wanted, forged) = (
        (name, client.cookies[name].value) if name in client.cookies else (name, value.replace("bWFsbG9yeQ", "Y2Fyb2w"))
        for name, value in (login_attempts.device_cookie("mallory"), login_attempts.device_cookie("carol"))
    )
    assert name != wanted
    for text in (value, forged[:-2], "", "a:b:c"):
        client.cookies[wanted] = text
        limits = login_attempts.begin_attempt("carol", networks=["1.1.1.1"], cookies={wanted: text})
        assert limits is not None
        assert len(limits.keys) == 2, "counted as a stranger's"


def test_the_device_cookie_is_for_the_log_in_only():
    client = known_device()
    (cookie,) = [one for name, one in client.cookies.items() if name.startswith("known-device-")]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/admin/login/", True, "Lax")
    assert "carol" not in cookie.key


def test_a_48_is_a_client_with_more_guesses_than_a_64():
    guesses = [sign_in("wrong", name=f"user{n}", address=f"2001:db8:1:{n // 4:x}::1") for n in range(25)]
    assert guesses == ["wrong"] * 20 + ["locked"] * 5
    assert sign_in("right", address="2001:db8:2::1") == "in"
    assert [sign_in("wrong", name=f"u{n}", address=f"2001:db8:3::{n:x}") for n in range(6)][-1] == "locked"


@pytest.mark.parametrize(("minutes", "answer"), [(14, "locked"), (16, "in"), (-9, "in")])
def test_a_window_lasts_15_minutes_and_one_of_the_future_counts_as_none(minutes, answer):
    for _ in range(6):
        sign_in("wrong")
    LoginCounter.objects.update(opened_at=Now() - timedelta(minutes=minutes))
    assert sign_in("right") == answer


def test_locked_guesses_cost_no_rows_and_do_not_prolong_the_lock():
    for _ in range(5):
        sign_in("wrong")
    before = list(LoginCounter.objects.order_by("pk").values())
    for number in range(9):
        assert sign_in("wrong", name=f"new{number}") == "locked"
    assert list(LoginCounter.objects.order_by("pk").values()) == before


def test_of_48_guesses_at_once_five_are_judged(transactional_db, carol):
    if connection.vendor == "sqlite" and "mode=memory" in str(connection.settings_dict["NAME"]):
        pytest.fail("threads need a database in a file")
    User.objects.filter(username="carol").delete()
    User.objects.create_superuser("carol", password="right")

    def guess(number):
        try:
            return Client(REMOTE_ADDR=STRANGER).post(
                reverse("admin:login"), {"username": "carol", "password": f"wrong{number}"}
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as threads:
        responses = list(threads.map(guess, range(48)))
    judged = [response for response in responses if "correct username" in response.content.decode()]
    assert {response.status_code for response in responses} <= {200, 503}
    assert 1 <= len(judged) <= 5
