"""The user's git repository."""

from aiimprove.repository.repository import CANDIDATES, LIVE_BRANCH, Repository

__all__ = ["CANDIDATES", "LIVE_BRANCH", "Repository"]
