"""Accounts, groups and tokens in the admin: who reads or changes them could do everything, so superusers only."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token, TokenProxy

from tests.helpers.staff import make_staff, make_staff_with

pytestmark = pytest.mark.django_db
VERBS = ("view", "add", "change", "delete")
MODELS = ("auth.user", "auth.group", "authtoken.token", "authtoken.tokenproxy")
ROUTES = ("auth_user", "auth_group", "authtoken_tokenproxy")


@pytest.fixture
def boss():
    return User.objects.create_superuser("boss")


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("route", ROUTES)
def test_no_permission_but_that_of_superusers_opens_them(route, boss):
    Group.objects.create(pk=boss.pk, name="Editors")
    key = Token.objects.create(user=boss).key
    permissions = [f"{model.replace('.', f'.{verb}_')}" for model in MODELS for verb in VERBS]
    client = client_of(make_staff_with("usher", *permissions))
    pages = [reverse(f"admin:{route}_{page}") for page in ("changelist", "add")]
    pages += [reverse(f"admin:{route}_{page}", args=[boss.pk]) for page in ("change", "delete", "history")]
    pages += [reverse("admin:auth_user_password_change", args=[boss.pk])]
    for page in pages:
        for response in (client.get(page), client.post(page, {"post": "yes"})):
            assert response.status_code == 403, page
            assert key not in response.content.decode()
    assert client_of(boss).get(pages[0]).status_code == 200


def test_the_log_that_editors_read_has_no_keys(boss):
    client, editor = client_of(boss), client_of(make_staff("ed"))
    page, log = reverse("admin:authtoken_tokenproxy_add"), reverse("admin:admin_logentry_changelist")
    assert client.post(page, {"user": boss.pk}).status_code == 302
    key = Token.objects.get(user=boss).key
    delete = reverse("admin:authtoken_tokenproxy_delete", args=[boss.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 302
    notes = LogEntry.objects.filter(object_id=str(boss.pk)).order_by("pk")
    assert [entry.get_change_message() for entry in notes] == [
        "Added a token of the API.",
        "Deleted a token of the API.",
    ]
    assert not LogEntry.objects.filter(object_repr__contains=key).exists()
    assert "Added a token of the API." in editor.get(log).content.decode()


def test_keys_in_the_log_of_an_older_release_are_for_superusers(boss):
    token = TokenProxy.objects.create(user=boss)
    LogEntry.objects.create(
        user=boss,
        content_type=ContentType.objects.get_for_model(TokenProxy, for_concrete_model=False),
        object_id=token.pk,
        object_repr=str(token),
        action_flag=1,
    )
    log = reverse("admin:admin_logentry_changelist")
    assert token.key in client_of(boss).get(log).content.decode()
    editor = client_of(make_staff("ed"))
    for query in ("", "?content_type__app_label=authtoken"):
        assert token.key not in editor.get(log + query).content.decode()
