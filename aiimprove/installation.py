"""How aiimprove itself is installed, and how another version takes its place: in a virtual environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from aiimprove import process
from aiimprove.config import inherited
from aiimprove.errors import MachineFailed, Refused, ReleaseFailed
from aiimprove.exchange import exchange

_NAME = "aiimprove"
_PIP_SECONDS = 900.0
_ENV = ("PATH", "HOME", "LANG", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
        "PIP_NO_INDEX", "PIP_CERT", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy",
        "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Installation:
    """`prefix` is the virtual environment; `source` what pip installed (a folder, an address, or the name); `editable`:
    the code is a working tree, and is as new as that."""

    prefix: Path
    source: str
    editable: bool

    @property
    def before(self) -> Path:
        """Where the version before is kept."""
        return self.prefix.with_name(f"{self.prefix.name}.before")

    def keep(self) -> None:
        """Keep what is there now, for the way back: by hard links, since pip writes new files and changes none."""
        shutil.rmtree(self.before, ignore_errors=True)
        try:
            shutil.copytree(self.prefix, self.before, symlinks=True, copy_function=_link)
        except (OSError, shutil.Error) as error:
            shutil.rmtree(self.before, ignore_errors=True)
            raise Refused(f"the version before could not be kept: {error}") from None

    def install(self, what: str) -> None:
        """Raises ReleaseFailed with what pip says."""
        done = process.run([sys.executable, "-m", "pip", "install", "--upgrade", "--quiet", "--no-input",
                            "--disable-pip-version-check", what], cwd=Path("/"), env=inherited(*_ENV),
                           deadline=_PIP_SECONDS, die_with_parent=True)
        if done.exit_code:
            raise ReleaseFailed(f"pip could not install {what}: {(done.errors or done.output).strip()[-600:]}")

    def exchange(self) -> None:
        """The version before and the present one change places, in one step where the system can."""
        try:
            exchange(self.prefix, self.before)
        except MachineFailed:
            aside = self.prefix.with_name(f"{self.prefix.name}.aside")
            self.prefix.rename(aside)
            self.before.rename(self.prefix)
            aside.rename(self.before)


def here() -> Installation:
    """How the aiimprove that runs was installed (PEP 610). Raises Refused when it shares its place with others."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        told = json.loads(distribution(_NAME).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        raise Refused("this aiimprove was not installed by pip: replace it as you installed it") from None
    if sys.prefix == sys.base_prefix:
        raise Refused(f"aiimprove shares {sys.prefix} with others: install it in a virtual environment of its own")
    url = str(told.get("url", _NAME))
    return Installation(Path(sys.prefix), url.removeprefix("file://"), bool(told.get("dir_info", {}).get("editable")))


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
