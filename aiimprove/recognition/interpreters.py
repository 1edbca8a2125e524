"""Pythons besides the one of the system: where pyenv, uv and asdf put them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aiimprove.recognition.seen import Seen, Service

_PLACES = (".pyenv/versions/{0}*/bin/python{0}", ".local/share/uv/python/cpython-{0}*/bin/python{0}",
           ".asdf/installs/python/{0}*/bin/python{0}", ".local/share/mise/installs/python/{0}*/bin/python{0}")
_SYSTEM = "/usr/local/bin:/usr/bin:/bin"


def found(service: Service, home: Path) -> Service:
    """The service with the full path of the interpreter that it asks for, where the system has none of that name."""
    asked = service.values.get("interpreter")
    if asked is None or shutil.which(str(asked.value), path=_SYSTEM):
        return service
    version = str(asked.value).removeprefix("python")
    paths = sorted(path for place in _PLACES for path in home.glob(place.format(version)))
    if not paths:
        return service
    named: Mapping[str, Seen] = {"interpreter": replace(asked, value=str(paths[-1]))}
    return replace(service, values={**service.values, **named})
