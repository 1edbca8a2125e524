"""A commit becomes a release: dependencies installed once, services built once, nothing ever edited again.

In the state folder: `dependencies/<digest>/` by what asks for them (lock files, install words, interpreter),
`artifacts/<digest>/` by what they are made of (git trees, build words, dependencies), `releases/<id>/manifest.toml`.
"""

from aiimprove.build.artifacts import content_digest
from aiimprove.build.releases import build, load, prune, verify
from aiimprove.build.sources import sources
from aiimprove.build.step import last_lines

__all__ = ["build", "content_digest", "last_lines", "load", "prune", "sources", "verify"]
