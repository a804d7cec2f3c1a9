"""The two groups of staff accounts and what they may do; superusers need none."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import Group, Permission

READ_ONLY_MODELS = ("healthrun", "hostpause", "linkflip", "followedinstance", "followedmovie", "titlerequest")
SHARED = {
    **dict.fromkeys(("movie", "streaminglink", "binding", "blockedaddress", *READ_ONLY_MODELS), ("view",)),
    "removedmovie": ("view", "change"),
    "linkreport": ("view", "change"),
    "takedownrequest": ("view", "change"),
    "scrapejob": ("view", "add", "change"),
    "apikey": ("view", "add", "change"),
}
EDITORS, OPERATORS = "Editors", "Operators"
VERBS_BY_GROUP: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    EDITORS: {
        **SHARED,
        **dict.fromkeys(("movie", "streaminglink", "binding"), ("view", "add", "change", "delete")),
        "blockedaddress": ("view", "add"),
    },
    OPERATORS: {
        **SHARED,
        "blockedaddress": ("view", "add", "delete"),
        "hostpause": ("view", "add", "change", "delete"),
    },
}
"""The verbs of Django's permissions by group and model of the catalogue.

Adding a scrape job is searching for links, changing one is cancelling it, changing a removed movie is restoring it,
changing a report is marking it as handled, changing a takedown request is deciding it, changing a key of the API is
revoking it.
"""


def create_staff_groups() -> list[Group]:
    """Create the groups, or give existing ones exactly their permissions again; their members stay.

    Raises `Permission.DoesNotExist` before the database is migrated, which creates the permissions.
    """
    return [_create(name, verbs) for name, verbs in VERBS_BY_GROUP.items()]


def _create(name: str, verbs_by_model: Mapping[str, tuple[str, ...]]) -> Group:
    codenames = {f"{verb}_{model}" for model, verbs in verbs_by_model.items() for verb in verbs}
    permissions = list(Permission.objects.filter(content_type__app_label="streaming", codename__in=codenames))
    log_entries = Permission.objects.get(content_type__app_label="admin", codename="view_logentry")
    if missing := codenames - {permission.codename for permission in permissions}:
        raise Permission.DoesNotExist(f"there is no permission {min(missing)}")
    group, _ = Group.objects.get_or_create(name=name)
    group.permissions.set([*permissions, log_entries])
    return group
