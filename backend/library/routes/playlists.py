"""Playlists."""

from fastapi import APIRouter, HTTPException

from library import catalogue, playlists
from library.models import Playlist, PlaylistItem, PlaylistName, PlaylistOrder, PlaylistSummary
from library.routes.access import Library, absent

router = APIRouter(prefix="/api/playlists", tags=["playlists"])


@router.get("")
def list_playlists(library: Library) -> list[PlaylistSummary]:
    with library.reading() as connection:
        return playlists.every(connection)


@router.post("", status_code=201)
def create_playlist(library: Library, wanted: PlaylistName) -> Playlist:
    with library.writing() as connection:
        playlist_id = playlists.create(connection, wanted.name)
        return playlists.find(connection, playlist_id) or absent("playlist")


@router.get("/{playlist_id}")
def get_playlist(library: Library, playlist_id: int) -> Playlist:
    with library.reading() as connection:
        return playlists.find(connection, playlist_id) or absent("playlist")


@router.patch("/{playlist_id}")
def rename_playlist(library: Library, playlist_id: int, wanted: PlaylistName) -> Playlist:
    with library.writing() as connection:
        playlists.rename(connection, playlist_id, wanted.name)
        return playlists.find(connection, playlist_id) or absent("playlist")


@router.delete("/{playlist_id}", status_code=204)
def delete_playlist(library: Library, playlist_id: int) -> None:
    with library.writing() as connection:
        if not playlists.delete(connection, playlist_id):
            absent("playlist")


@router.post("/{playlist_id}/items", status_code=201)
def add_item(library: Library, playlist_id: int, item: PlaylistItem) -> Playlist:
    with library.writing() as connection:
        if playlists.find(connection, playlist_id) is None:
            absent("playlist")
        if catalogue.find(connection, item.video_id) is None:
            absent("video")
        playlists.append(connection, playlist_id, item.video_id)
        return playlists.find(connection, playlist_id) or absent("playlist")


@router.delete("/{playlist_id}/items/{video_id}")
def remove_item(library: Library, playlist_id: int, video_id: int) -> Playlist:
    with library.writing() as connection:
        if not playlists.remove(connection, playlist_id, video_id):
            absent("item in this playlist")
        return playlists.find(connection, playlist_id) or absent("playlist")


@router.put("/{playlist_id}/items")
def reorder_items(library: Library, playlist_id: int, order: PlaylistOrder) -> Playlist:
    with library.writing() as connection:
        try:
            playlists.reorder(connection, playlist_id, order.video_ids)
        except playlists.UnknownVideos as error:
            raise HTTPException(409, str(error)) from error
        return playlists.find(connection, playlist_id) or absent("playlist")
