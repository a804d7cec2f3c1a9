"""The groups of staff accounts."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command

from streaming.staff_groups import VERBS_BY_GROUP

pytestmark = pytest.mark.django_db


def codenames(name):
    return set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))


def test_the_groups_get_their_permissions_and_keep_their_members(capsys):
    call_command("create_groups")
    before = {name: codenames(name) for name in VERBS_BY_GROUP}
    bob = User.objects.create(username="bob", is_staff=True)
    bob.groups.add(editors := Group.objects.get(name="Editors"))
    editors.permissions.clear()
    Group.objects.create(name="Mine")
    call_command("create_groups")
    assert {name: codenames(name) for name in VERBS_BY_GROUP} == before
    assert list(editors.user_set.all()) == [bob]
    assert set(Group.objects.values_list("name", flat=True)) == {"Editors", "Operators", "Mine"}
    assert capsys.readouterr().out.count("Editors: ") == 2


def test_editors_edit_and_operators_operate():
    call_command("create_groups")
    editors, operators = codenames("Editors"), codenames("Operators")
    assert {"change_movie", "delete_streaminglink", "add_binding", "add_blockedaddress"} <= editors
    assert {"delete_blockedaddress", "change_hostpause"} <= operators - editors
    assert not {"add_movie", "change_streaminglink", "delete_movie"} & operators
    assert {"add_scrapejob", "change_scrapejob", "change_removedmovie", "view_logentry"} <= editors & operators
    assert not {one for one in editors | operators if one.endswith(("_user", "_group", "_token", "_permission"))}


def test_an_unmigrated_database_is_one_sentence():
    Permission.objects.filter(codename="add_hostpause").delete()
    with pytest.raises(CommandError, match=r"^There is no permission add_hostpause\. Run migrate first\.$"):
        call_command("create_groups")
    assert not Group.objects.exists()
