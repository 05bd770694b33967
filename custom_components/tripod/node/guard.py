"""Every request passes here: who asks, whether they may, what they say, and the answer where something is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
import math
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from ..engine import errors
from ..engine.errors import InvalidRequest, OutOfScope, TripodError
from ..engine.web.answers import SOON, Refusal, refused
from . import fields
from .access import Caller, unknown
from .call import Call
from .request_log import HEADER, RequestLog
from .routes import PATTERNS, Route, Who

if TYPE_CHECKING:
    from .node import Node

_STATUS: Mapping[type[TripodError], int] = {
    errors.InvalidCommand: 400,
    errors.InvalidControl: 400,
    errors.InvalidJob: 400,
    errors.InvalidName: 400,
    errors.InvalidRange: 400,
    errors.InvalidRequest: 400,
    errors.Unauthorized: 401,
    errors.OutOfScope: 403,
    errors.WrongCode: 403,
    errors.NoSuchCamera: 404,
    errors.NoSuchItem: 404,
    errors.NoSuchJob: 404,
    errors.NoSuchRender: 404,
    errors.NotRecording: 404,
    errors.NothingFound: 404,
    errors.ControlInactive: 409,
    errors.ControlLocked: 409,
    errors.JobExists: 409,
    errors.Stopped: 409,
    errors.PairingPaused: 429,
    errors.TooManyJobs: 429,
    errors.FormatNotSupported: 501,
    errors.DiskFull: 507,
}
"""What errors are answered with; the first of their kinds counts, and what is none of these may pass: 503."""

CHALLENGES = ('Basic realm="Tripod", charset="UTF-8"', "Bearer")
"""Each in a line of its own: Chromium asks nobody for a password where they are in one."""

HEADERS = {
    "Server": "Tripod",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # an address may hold a link's key
}

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, Range",
    "Access-Control-Max-Age": "600",
}
EXPOSED = "X-Timestamp, X-Sequence, X-Age, X-Tripod-No-Signal"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """The node's door."""

    def __init__(self, node: Node) -> None:
        """Guard `node`."""
        self._node = node
        self.heard: Callable[[web.Request], object] = bool
        """Is told of each request."""
        self.closed = False
        """Whether nobody is let in any more."""

    def application(self) -> web.Application:
        """Return what serves all routes, and nothing else."""

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._answer(request, handler)

        app = web.Application(middlewares=[answer], client_max_size=fields.MAX_BODY)
        app.on_response_prepare.append(self._complete)
        for route in self._node.routes:
            for method in (route.method, hdrs.METH_HEAD)[: 2 if route.method == hdrs.METH_GET else 1]:
                app.router.add_route(method, _pattern(route.path), self._handler(route))
        return app

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through, or say why not, in JSON."""
        self.heard(request)
        log = RequestLog(request)
        request[HEADER] = log.id
        status = None
        try:
            answer = await self._answered(request, handler)
            status = answer.status
        finally:
            log.end(status)
        return answer

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.closed:
            return _refused(503, errors.Stopped())
        try:
            if request.method == hdrs.METH_OPTIONS and self._is_preflight(request):
                return web.Response(status=HTTPStatus.NO_CONTENT, headers=PREFLIGHT)
            if request.match_info.http_exception is not None:
                self._require(self._node.access.caller(request), Who.CONTROLLER)
            return await handler(request)
        except Refusal as refusal:
            return _refused(refusal.status, refusal.error)
        except TripodError as error:
            return _refused(_status(error), error)
        except web.HTTPException as answered:
            return _refused(answered.status, InvalidRequest(answered.reason), _allowed(answered))

    def _handler(self, route: Route) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            request["open"] = route.who in (Who.VIEWER, Who.KEY)
            caller = None if route.who is Who.KEY else self._node.access.caller(request)
            self._require(caller, route.who)
            call = Call(
                node=self._node,
                request=request,
                caller=caller,
                query=fields.query(route.query, request),
                body=await self._body(route, request),
            )
            return await route.handler(call)

        return handle

    @staticmethod
    async def _body(route: Route, request: web.Request) -> dict[str, object]:
        if not route.reads:
            return {}
        given = await fields.body(request)
        if route.values:
            return {key: route.values.check(value) for key, value in given.items()}
        return fields.check(route.body, given)

    @staticmethod
    def _require(caller: Caller | None, who: Who) -> None:
        """Raise what keeps `caller` from what is for `who`."""
        if who in (Who.ANYONE, Who.KEY):
            return
        if caller is None:
            raise unknown()
        if who is Who.CONTROLLER and not caller.may_all:
            raise Refusal(403, OutOfScope(scope="of a token"))

    def _is_preflight(self, request: web.Request) -> bool:
        return hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers and self._origin(request) is not None

    def _origin(self, request: web.Request) -> str | None:
        """Return the origin whose pages may read the answer; None for none."""
        origin, origins = request.headers.get(hdrs.ORIGIN), self._node.config.cors
        if origin is None:
            return None
        # the address of a link holds its key: a page that knows it may see what it shows
        if "*" in origins or request.path.startswith("/links/"):
            return "*"
        return origin if origin in origins else None

    async def _complete(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)
        if name := request.get(HEADER):
            response.headers[HEADER] = name
        if (request.get("open") or request.method == hdrs.METH_OPTIONS) and (origin := self._origin(request)):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED
            response.headers.add(hdrs.VARY, hdrs.ORIGIN)


def _pattern(path: str) -> str:
    """Return a path as aiohttp writes it."""
    for name, pattern in PATTERNS.items():
        path = path.replace(f"{{{name}}}", f"{{{name}:{pattern}}}")
    return path


def _status(error: TripodError) -> int:
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 503)


def _refused(status: int, error: TripodError, headers: Mapping[str, str] | None = None) -> web.Response:
    more = dict(headers or {})
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        more[hdrs.RETRY_AFTER] = str(math.ceil(float(error.placeholders.get("seconds") or SOON)))
    answer = refused(status, error, str, more)
    for challenge in CHALLENGES if status == HTTPStatus.UNAUTHORIZED else ():
        answer.headers.add(hdrs.WWW_AUTHENTICATE, challenge)
    return answer


def _allowed(answered: web.HTTPException) -> Mapping[str, str]:
    allowed = answered.headers.get(hdrs.ALLOW)
    return {hdrs.ALLOW: allowed} if allowed else {}
