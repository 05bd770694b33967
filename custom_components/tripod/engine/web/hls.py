"""HLS over HTTP: the ring's playlists and segments, and who is watching them.

    stream.m3u8                   the master playlist
    hls/<session>/stream.m3u8     the media playlist
    hls/<session>/<number>.ts     a segment

A player is not connected, so its session holds the demand and a viewer's place until it has asked for nothing for a
while. The session is the random name that the master playlist gives out; one that is not known begins anew, so that a
tab that slept, or a restart of the program, does not end in an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import Context
import re
import secrets

from aiohttp import web

from ..errors import HlsNeedsH264, InvalidRequest, NoFreshPicture, TooManyViewers, TripodError
from ..hls import find_segment, master_playlist, media_playlist, playable
from ..pipeline import Pipeline
from ..sources.base import Medium
from ..viewers import Client, Viewer
from .answers import Refusal, refused, unavailable
from .timing import Timing

MASTER = "stream.m3u8"
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
SEGMENT_TYPE = "video/mp2t"

SEGMENT_MAX_AGE = 60
"""Seconds for which a player may keep a segment, which never changes; no longer than it may be in the ring."""

CORS = {"Access-Control-Allow-Origin": "*"}
PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}

_MEDIA = re.compile(r"hls/([A-Za-z0-9_-]{8,64})/stream\.m3u8")
_SEGMENT = re.compile(r"hls/([A-Za-z0-9_-]{8,64})/(\d{1,15})\.ts", re.ASCII)


class HlsEndpoints:
    """One camera's HLS; usable alone, under any URL whose last part is the path."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        describe: Callable[[TripodError], str] = str,
        timing: Timing | None = None,
        cors: bool = True,
        token: Callable[[], str] = lambda: secrets.token_urlsafe(12),
    ) -> None:
        """Serve the packets of `pipeline`; `cors` lets pages of any origin play it, as they can an image."""
        self._pipeline = pipeline
        self._describe = describe
        self._timing = timing or Timing()
        self._cors = cors
        self._token = token
        self._sessions = Sessions(pipeline, self._timing)

    @staticmethod
    def serves(path: str) -> bool:
        """Tell whether `path` is one of HLS."""
        return path == MASTER or bool(_MEDIA.fullmatch(path) or _SEGMENT.fullmatch(path))

    async def handle(self, request: web.Request, path: str, client: Client) -> web.StreamResponse:
        """Answer `request` for `path`, relative to the camera's URL."""
        try:
            response = await self._dispatch(request, path, client)
        except Refusal as refusal:
            response = refused(refusal.status, refusal.error, self._describe)
        except TripodError as error:
            response = unavailable(error, self._describe, self._pipeline)
        if self._cors:
            response.headers.update(PREFLIGHT if request.method == "OPTIONS" else CORS)
        return response

    def end(self, client_id: str) -> None:
        """End the sessions of one client."""
        self._sessions.end(client_id)

    def close(self) -> None:
        """End all sessions."""
        self._sessions.end()

    async def _dispatch(self, request: web.Request, path: str, client: Client) -> web.Response:
        if request.method == "OPTIONS":
            return web.Response(status=204)
        if path == MASTER:
            return await self._master(request, client)
        if match := _MEDIA.fullmatch(path):
            return await self._media(request, client, match[1])
        if match := _SEGMENT.fullmatch(path):
            return self._segment(client, match[1], int(match[2]))
        raise Refusal(404, InvalidRequest(f"there is nothing under {path[:80]}"))

    async def _master(self, request: web.Request, client: Client) -> web.Response:
        feed, name = self._pipeline.packet_feed, self._token()
        self._sessions.begin(client, name, request.remote or "")
        try:
            await self._wait(lambda: playable(feed))
            return _playlist(master_playlist(feed, f"hls/{name}/{MASTER}"))
        except BaseException:
            self._sessions.end(client.id, name)
            raise

    async def _media(self, request: web.Request, client: Client, session: str) -> web.Response:
        viewer = self._sessions.touch(client, session, request.remote or "")
        await self._wait(self._is_live)
        response = _playlist(media_playlist(self._pipeline.packet_feed))
        viewer.sent(response.content_length or 0, 0)
        return response

    def _segment(self, client: Client, session: str, number: int) -> web.Response:
        segment = find_segment(self._pipeline.packet_feed, number)
        if segment is None:
            raise Refusal(404, InvalidRequest(f"segment {number} is gone"))
        if viewer := self._sessions.find(client, session):
            viewer.sent(segment.size, segment.frames)
        headers = {"Content-Type": SEGMENT_TYPE, "Cache-Control": f"private, max-age={SEGMENT_MAX_AGE}, immutable"}
        return web.Response(body=segment.data, headers=headers)

    def _is_live(self) -> bool:
        """Tell whether the ring's end is new enough to be played, as it is while a worker is only restarted."""
        feed, oldest = self._pipeline.packet_feed, self._pipeline.clock() - self._pipeline.picture_age_limit
        return bool(feed.complete) and feed.last_frame_at is not None and feed.last_frame_at >= oldest

    async def _wait(self, ready: Callable[[], bool]) -> None:
        """Wait until a player can begin or go on; raises why it cannot."""
        feed = self._pipeline.packet_feed
        reader = feed.reader()
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timing.first_segment
        while True:
            if (codec := feed.parser.video_codec) not in (None, "h264"):
                raise Refusal(415, HlsNeedsH264(codec=str(codec)))
            if ready():
                return
            if failure := self._pipeline.failure(Medium.PACKETS):
                raise failure
            if (left := deadline - clock()) <= 0:
                raise NoFreshPicture(f"waited {self._timing.first_segment:g} s")
            await reader.next(left)


class Sessions:
    """The players of one camera that asked for something lately."""

    def __init__(self, pipeline: Pipeline, timing: Timing) -> None:
        """Let a player go when `timing` says so."""
        self._pipeline = pipeline
        self._timing = timing
        self._sessions: dict[tuple[str, str], _Session] = {}

    def find(self, client: Client, name: str) -> Viewer | None:
        """Return the viewer of a session that is known, and keep it alive."""
        session = self._sessions.get((client.id, name))
        return None if session is None else session.keep_alive()

    def touch(self, client: Client, name: str, remote: str) -> Viewer:
        """Return the viewer of a session, which begins where it is not known; raises `TooManyViewers`."""
        if self.find(client, name) is None:
            self.begin(client, name, remote)
        return self._sessions[client.id, name].keep_alive()

    def begin(self, client: Client, name: str, remote: str) -> None:
        """Begin a session, in the place of one that seems to have left if need be; raises `TooManyViewers`."""
        with ExitStack() as stack:
            try:
                viewer = stack.enter_context(self._pipeline.viewers.admit(client, "hls", remote))
            except TooManyViewers:
                self._make_room(client)
                viewer = stack.enter_context(self._pipeline.viewers.admit(client, "hls", remote))
            stack.enter_context(self._pipeline.demand(Medium.PACKETS))
            stack.callback(self._forget, (client.id, name))
            self._sessions[client.id, name] = _Session(viewer, stack.pop_all(), self._timing)

    def end(self, client_id: str | None = None, name: str | None = None) -> None:
        """End one session, those of one client, or all."""
        for (owner, known), session in list(self._sessions.items()):
            if client_id in (None, owner) and name in (None, known):
                session.end()

    def _make_room(self, client: Client) -> None:
        """End the session of this client that was silent longest, if it missed a poll or two: the page was reloaded."""
        silent = [
            s for (owner, _), s in self._sessions.items() if owner == client.id and s.silence >= self._timing.hls_yields
        ]
        if silent:
            max(silent, key=lambda session: session.silence).end()

    def _forget(self, key: tuple[str, str]) -> None:
        del self._sessions[key]
        if not self._sessions:
            self._pipeline.packet_feed.release_target_duration()


class _Session:
    """One player: what it holds, and until when."""

    def __init__(self, viewer: Viewer, held: ExitStack, timing: Timing) -> None:
        self.viewer = viewer
        self._held = held
        self._idle = timing.hls_idle
        self._loop = asyncio.get_running_loop()
        self._context = Context()  # the request's own would keep the whole request in memory
        self._heard = self._loop.time()
        self._timer = self._loop.call_later(timing.hls_first, self.end, context=self._context)

    @property
    def silence(self) -> float:
        return self._loop.time() - self._heard

    def keep_alive(self) -> Viewer:
        self._heard = self._loop.time()
        self._timer.cancel()
        self._timer = self._loop.call_later(self._idle, self.end, context=self._context)
        return self.viewer

    def end(self) -> None:
        self._timer.cancel()
        self._held.close()


def _playlist(text: str) -> web.Response:
    return web.Response(body=text.encode(), content_type=PLAYLIST_TYPE, headers={"Cache-Control": "no-cache"})
