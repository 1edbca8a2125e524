"""A commit becomes a release: dependencies installed once, services built once, nothing ever edited again.

In the state folder: `dependencies/<digest>/` by what asks for them (lock files, install words, interpreter),
`artifacts/<digest>/` by what they are made of (git trees, build words, dependencies), `releases/<id>/manifest.toml`.
"""

from aiimprove.build.artifacts import content_digest
from aiimprove.build.manifests import kept, load
from aiimprove.build.pruning import prune
from aiimprove.build.releases import build, in_use, renewed, verify
from aiimprove.build.renewal import changed
from aiimprove.build.sources import sources

__all__ = ["build", "changed", "content_digest", "in_use", "kept", "load", "prune", "renewed", "sources",
           "verify"]
