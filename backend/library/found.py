"""A video as a page or a feed describes it, before the catalogue knows it."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class FoundVideo:
    """`url` is the page and names the video; `duration` is in seconds; all texts are plain and bounded."""

    url: str
    title: str
    description: str = ""
    media_url: str | None = None
    thumbnail_url: str | None = None
    duration: int | None = None
    published: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()

    def completed_by(self, other: "FoundVideo") -> "FoundVideo":
        """This description, its gaps filled from another description of the same video."""
        return replace(
            self,
            description=self.description or other.description,
            media_url=self.media_url or other.media_url,
            thumbnail_url=self.thumbnail_url or other.thumbnail_url,
            duration=self.duration or other.duration,
            published=self.published or other.published,
            category=self.category or other.category,
            tags=self.tags or other.tags,
        )


def told_apart(videos: list[FoundVideo]) -> tuple[FoundVideo, ...]:
    """The videos of one page, each with an address of its own."""
    seen: set[str] = set()
    result = []
    for number, video in enumerate(videos, start=1):
        own = replace(video, url=f"{video.url}#video-{number}") if video.url in seen else video
        seen.add(own.url)
        result.append(own)
    return tuple(result)
