"""What a build or a start that failed probably lacks, read from the end of what it said."""

from __future__ import annotations

import re
from collections.abc import Iterator

_VARIABLE = ("the variable {0} is missing: give it a value in [services.NAME.env], or, when it is a secret, in the "
             "files of [env_file]")
_MODULE = "{0} is imported, and no file that init read asks for it: add it to the packages, and commit that"
_LIBRARY = "the system library {0} is missing on this machine: install it from the distribution"
_SERVER = "the database or another server at {0} does not answer: start it, and name it in the files of [env_file]"
_WRITES = ("it writes {0} beside its code, where a release cannot be written: let a variable say where, and give that "
           "\"{{data}}/...\" in [services.NAME.env]")

_CAUSES = (
    (r"KeyError: '([A-Z][A-Z0-9_]{2,})'", _VARIABLE),
    (r"UndefinedValueError: (\w+) not found", _VARIABLE),
    (r"ImproperlyConfigured: Set the (\w+) environment variable", _VARIABLE),
    (r"validation errors? for \w*[Ss]ettings\w*\s+(\w+)\s+Field required", _VARIABLE),
    (r"(?:Missing|Please set|must set|is required:?|not set:?)[^\n]{0,40}?\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)", _VARIABLE),
    (r"ModuleNotFoundError: No module named '([\w.]+)'", _MODULE),
    (r"Cannot find (?:module|package) '([^'./][^']*)'", _MODULE),
    (r"ImportError: (lib[\w.+-]+): cannot open shared object", _LIBRARY),
    (r"fatal error: (?!longintrepr)([\w/.-]+\.h): No such file", _LIBRARY),
    (r"(?:Could not build wheels for|Failed to build installable wheels for[^(]*\() ?([\w., -]+?)(?:,? which|\))",
     "{0} had to be compiled and could not be: the versions that the app's files ask for may be older than this Python "
     "(name an earlier one as 'interpreter', or bring the files up to date), or a compiler is missing"),
    (r"(pg_config) executable not found", _LIBRARY),
    (r"(pkg-config)(?: could not be found|: not found|: command not found)", _LIBRARY),
    (r"No package '([\w.+-]+)' found", _LIBRARY),
    (r"error: command '([\w-]*(?:gcc|cc|g\+\+))' failed", "{0} could not build a package: install a compiler and the "
                                                           "package's system libraries"),
    (r"No matching distribution found for (\S+)",
     "pip finds no {0} for this Python ('interpreter' chooses another), or the package index does not have it"),
    (r"[Rr]equires(?: a different Python|-Python)[^\n]*?(>=?\s*3\.\d+)",
     "a package wants Python {0}: 'interpreter' chooses another one"),
    (r"(python3\.\d+) is not installed",
     "install {0}, which the app's files ask for, or name another one as 'interpreter'"),
    (r"npm (?:ERR!|error)[^\n]*(`npm ci` can only install|EUSAGE)",
     "package.json and its lock file do not agree ({0}): run 'npm install' and commit the lock file"),
    (r"no such table: (\w+)", "the table {0} is not there: nothing made the tables; name what does in 'migrate'"),
    (r"(?:connection to server at|could not connect to server)[^\n]*?\"?([\w.-]+)\"?", _SERVER),
    (r"(?:ECONNREFUSED|Connect call failed|[Cc]onnection refused)[^\n]*?((?:\d+\.){3}\d+[^\w\n]{1,4}\d+|:\d+)",
     _SERVER),
    (r"could not translate host name \"([\w.-]+)\"", _SERVER),
    (r"(?:Read-only file system|Permission denied|EROFS|EACCES)[^\n]*?['\"]([^'\"\n]+)['\"]", _WRITES),
    (r"(unable to open database file|attempt to write a readonly database)",
     "its SQLite file cannot be opened or written ({0}), probably since it stands beside the code: let a variable say "
     "where, and give that \"{{data}}/...\" in [services.NAME.env]"),
    (r"(?:[Aa]ddress already in use|EADDRINUSE)[^\n]*?(?::|port )(\d{2,5})",
     "it wants port {0}, which somebody else has: the port is fixed in the code, let it come from PORT"),
    (r"([Aa]ddress already in use|EADDRINUSE)", "it wants a port that somebody else has ({0}): let it come from PORT"),
    (r"(DisallowedHost|Invalid HTTP_HOST header)", "ALLOWED_HOSTS lacks 127.0.0.1, at which health is asked ({0})"),
    (r"Failed to fetch `?([\w ]+)`? from Google Fonts",
     "a build has no network, and this one fetches the font {0}: put the font into the repository (next/font/local)"),
    (r"(getaddrinfo (?:ENOTFOUND|EAI_AGAIN) \S+)",
     "it wants to reach another machine while it is built, without a network ({0})"),
    (r"Directory '?([\w/.-]+)'? does not exist", "the folder {0} is not in the commit: git keeps no empty folders"),
    (r"answered (30[1278])", "the path that was asked redirects ({0}): name another one as 'health'"),
)


UNKNOWN = "its last failure was"
"""How a cause begins that only repeats what the app said."""
_FAILURE = r"(?m)^\s*((?:[\w.]+\.)?\w*(?:Error|Exception): [^\n]{3,160})$"


def likely(said: str) -> list[str]:
    """The likely causes, one sentence each, the last that was said first; empty when nothing is known."""
    hits = sorted(((match.start(), words.format(*match.groups())) for pattern, words in _CAUSES
                   if (match := _last(pattern, said))), reverse=True)
    failure = _last(_FAILURE, said)
    return list(dict.fromkeys(sentence for _, sentence in hits))[:3] or (
        [f"{UNKNOWN} {failure[1]}; an older version of a package may be meant"] if failure else [])


def _last(pattern: str, said: str) -> re.Match[str] | None:
    found: Iterator[re.Match[str]] = re.finditer(pattern, said)
    return next(iter(reversed(list(found))), None)
