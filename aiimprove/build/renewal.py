"""The same artifacts with the config and the env file of today: a release of its own, so that both can come back."""

from __future__ import annotations

import time
from dataclasses import replace

from aiimprove import vault
from aiimprove.errors import ConfigError
from aiimprove.finding import Json, digest_of
from aiimprove.launch import settings_now
from aiimprove.release import Release
from aiimprove.settings import Config

BUILT = ("folder", "artifact")
"""What an artifact was built by cannot change without building it anew."""


def name(release: Release) -> str:
    """What a release is called: by its commit, and by what it is made of and started with."""
    made_of = [release.services, release.dependencies, release.settings, release.secrets]
    return f"r-{release.commit[:12]}-{digest_of(made_of)[:6]}"


def as_today(config: Config, release: Release) -> Release:
    """The release with the present settings of its services, its env file kept. Its own self when nothing changed, or
    when it was made before these were kept."""
    if not release.settings:
        return release
    now = settings_now(config)
    settings = {service: _as_today(now.get(service), before) for service, before in release.settings.items()}
    fresh = replace(release, settings=settings, secrets=vault.keep(config), made=time.time())
    if (fresh.settings, fresh.secrets) == (release.settings, release.secrets):
        return release
    return replace(fresh, id=name(fresh))


def changed(config: Config, release: Release) -> list[str]:
    """The keys of the config that a new release would take up and this one does not have; env_file.live among them
    when the file's content, or whether it can be used at all, has changed."""
    if not release.settings:
        return []
    now = settings_now(config)
    found = [f"services.{service}.{key}" for service in sorted(now.keys() | release.settings.keys())
             for key in _differing(now.get(service, {}), release.settings.get(service, {}))]
    try:
        same = vault.digest(config) == release.secrets
    except ConfigError:
        same = False
    return found if same else [*found, "env_file.live"]


def _as_today(now: dict[str, Json] | None, before: Json) -> dict[str, Json]:
    return dict(before) if now is None else now | {key: before[key] for key in BUILT}


def _differing(now: Json, before: Json) -> list[str]:
    return sorted(key for key in now.keys() | before.keys() if now.get(key) != before.get(key))
