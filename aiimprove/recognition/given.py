"""What the variables of an app get: an example's value, one made up for copies, or nothing, which is said."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiimprove.recognition.seen import Seen
from aiimprove.recognition.sources import Sources
from aiimprove.recognition.variables import Variable

MADE_UP = "only-for-copies-of-live-0123456789abcdef"
_EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "example.env", "env.example", ".env.test",
             ".env.development", ".env")
_SECRET = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_KEY|SALT|CREDENTIAL")
_MADE = re.compile(r"^(\w*_)?(SECRET(_KEY(_BASE)?)?|SALT|(SESSION|JWT|APP|COOKIE|AUTH|CSRF|SIGNING)_(SECRET|KEY))$")
_ELSEWHERE = re.compile(r"\$\{|^(postgres|mysql|mariadb|mongodb|redis|amqp)[\w+]*://")
"""No example: it leads to another variable, or to a server that live and copies must not share."""
_GIVEN = frozenset({"PORT", "HOME", "PATH", "LANG", "PYTHONPATH"})
"""What every service has."""
_USUAL = {"HOST": "127.0.0.1", "DEBUG": "false", "FLASK_DEBUG": "0", "FLASK_ENV": "production", "ENV": "production",
          "ENVIRONMENT": "production", "APP_ENV": "production", "LOG_LEVEL": "INFO"}


@dataclass
class Given:
    """Variables with values, by where they count. `missing` have none; of these `made` can be made at random."""

    env: dict[str, Seen] = field(default_factory=dict)
    dev_env: dict[str, Seen] = field(default_factory=dict)
    missing: dict[str, Seen] = field(default_factory=dict)


def can_be_made(name: str) -> bool:
    """Whether any long random text will do."""
    return bool(_MADE.match(name))


def give(at: Sources, known: Iterable[Variable], settled: Iterable[str]) -> Given:
    """What the variables without which the code ends get; `settled` ones have their values."""
    given, examples, done = Given(), _examples(at), {*settled, *_GIVEN}
    for each in known:
        if not each.required or each.name in done:
            continue
        done.add(each.name)
        value, where = examples.get(each.name, ("", ""))
        if _SECRET.search(each.name):
            made_up = Seen(value or MADE_UP, f"made up: live's own belongs into env_file.live ({each.where} needs it)")
            given.dev_env[each.name] = made_up
            given.missing[each.name] = Seen(value, each.where)
        elif each.name in _USUAL and not value:
            given.env[each.name] = Seen(_USUAL[each.name], f"{each.where} needs it", guess=True)
        elif value:
            given.env[each.name] = Seen(value, f"an example in {where}; {each.where} needs it")
        else:
            given.missing[each.name] = Seen("", each.where)
    return given


def _examples(at: Sources) -> dict[str, tuple[str, str]]:
    """The values in files that show what an env file may hold, those of the folder itself first."""
    found: dict[str, tuple[str, str]] = {}
    for here, path in ((here, path) for here in (at, at.top) for path in _EXAMPLES):
        for number, row in enumerate(here.text(path).splitlines(), 1):
            name, given, value = row.strip().removeprefix("export ").partition("=")
            value = value.partition(" #")[0].strip().strip("'\"")
            if given and name.strip().isidentifier() and value and not _ELSEWHERE.search(value):
                found.setdefault(name.strip(), (value, here.where(path, number)))
    return found
