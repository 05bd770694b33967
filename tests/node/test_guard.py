"""Who gets in, and who does not: every row of the table, and all that is in none."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
import logging

import pytest

from custom_components.tripod.engine.web import Scope
from custom_components.tripod.node.routes import ROUTES, Route, Who

from .site import DOOR, YARD, Serve, Site

PARTS = {"camera": "door", "id": "0123456789abcdef", "item": "snapshots/a/b.jpg", "key": "A" * 43, "name": "day"}


def path(route: Route, **parts: str) -> str:
    """Return an address that a row of the table matches."""
    return route.path.format_map(PARTS | {"path": "hls/x/1.ts"} | parts)


def basic(password: str, user: str = "anyone") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def test_every_route_refuses_a_stranger(site: Site) -> None:
    guarded = [route for route in ROUTES if route.who in (Who.CONTROLLER, Who.VIEWER)]
    for route in guarded:
        answer = await site.ask(route.method, path(route))
        assert (answer.status, answer.cause) == (401, "unauthorized"), route
        # two lines, for Chromium
        assert answer.headers.getall("WWW-Authenticate") == ['Basic realm="Tripod", charset="UTF-8"', "Bearer"]
    for route in guarded:
        for method in ("HEAD", "OPTIONS"):
            assert (await site.ask(method, path(route))).status == 401, (method, route)


async def test_every_route_refuses_a_wrong_token(site: Site) -> None:
    for route in ROUTES:
        if route.who is not Who.KEY:
            answer = await site.ask(route.method, path(route), token="wrong")
            assert (answer.status, answer.cause) == (401, "unpaired"), route


async def test_what_is_open_holds_no_facts(site: Site) -> None:
    opened = {(route.method, route.path) for route in ROUTES if route.who is Who.ANYONE}
    asked = {("POST", "/pair"), ("POST", "/proof"), ("GET", "/health"), ("GET", "/ready"), ("GET", "/node")}
    assert opened == asked
    assert (await site.ask("GET", "/health")).data == {"status": "ok"}
    assert (await site.ask("GET", "/ready")).data == {"ready": True}
    assert (await site.ask("GET", "/node")).data.keys() == {"protocol", "id", "name", "version"}


async def test_the_document_says_who_may_what(site: Site) -> None:
    token = site.token()
    document = (await site.ask("GET", "/openapi.json", token=token)).data
    for address, operations in document["paths"].items():
        for method, operation in operations.items():
            answer = await site.ask(method.upper(), address.format_map(PARTS))
            opened = operation["security"] == [{}]
            assert (answer.status == 401) is not opened, (method, address)


async def test_what_is_in_no_row_is_refused_as_well(site: Site) -> None:
    token = site.token()
    for method, address in (
        ("GET", "/nothing/here"),
        ("PUT", "/node"),
        ("DELETE", "/"),
        ("POST", "/cameras/door/nothing"),
        ("TRACE", "/pot"),
    ):
        assert (await site.ask(method, address)).status == 401
        answer = await site.ask(method, address, token=token)
        assert answer.status in (404, 405)
        assert answer.cause == "invalid_request"


async def test_a_token_opens_everything_also_as_a_password(site: Site) -> None:
    token = site.token()
    assert (await site.ask("GET", "/clients", token=token)).status == 200
    answer = await site.ask("GET", "/clients", Authorization=basic(token))
    assert [client["name"] for client in answer.data["clients"]] == ["Test"]
    assert answer.data["clients"][0]["used_at"]
    assert (await site.ask("GET", "/snapshot.jpg", Authorization=basic(token, "octoprint"))).body[:3] == b"\xff\xd8\xff"


async def test_who_shows_something_wrong_is_not_let_in_for_where_he_is(trusting: Site) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic", "Basic !", "Basic /w==", "Digest x", "x" * 9000):
        assert (await trusting.ask("GET", "/clients", Authorization=header)).status in (400, 401), header


async def test_this_machine_is_trusted_unless_somebody_else_stands_behind_it(trusting: Site) -> None:
    assert (await trusting.ask("GET", "/clients")).status == 200
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "X-Forwarded-Proto"):
        assert (await trusting.ask("GET", "/clients", **{header: "127.0.0.1"})).status == 401, header


async def test_a_proxy_that_does_not_say_for_whom_it_asks(trusting: Site) -> None:
    """Such as nginx with nothing but `proxy_pass`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", trusting.node.port)
    writer.write(b"GET /clients HTTP/1.0\r\nHost: 127.0.0.1:8089\r\nConnection: close\r\n\r\n")
    assert b" 401 " in await reader.readline()
    writer.close()


async def test_this_machine_is_called_by_its_own_names(trusting: Site) -> None:
    """A page whose name was made to lead to this machine (DNS rebinding) is of the same origin, but calls it so."""
    for host in ("localhost", "127.0.0.1:8089", "[::1]:1"):
        assert (await trusting.ask("GET", "/clients", Host=host)).status == 200, host
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "[::2]", "[", "10.0.0.1", ""):
        assert (await trusting.ask("GET", "/clients", Host=host)).status == 401, host


async def test_a_page_of_another_site_gets_nothing_by_the_trust_in_this_machine(serve: Serve) -> None:
    site = await serve(cors=("*",))  # which is for pages that have a credential
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": "http://localhost:5000"},
    ):
        assert (await site.ask("POST", "/cameras/door/stop", **headers)).status == 401, headers
        assert (await site.ask("GET", "/clients", **headers)).status == 401, headers
    assert site.node.cameras["door"].pipeline.state != "stopped"


async def test_our_own_page_and_a_link_to_it_get_in(trusting: Site) -> None:
    own = trusting.url
    assert (await trusting.ask("POST", "/cameras/door/stop", Origin=own)).status == 200
    assert (await trusting.ask("POST", "/cameras/door/start", Sec_Fetch_Site="same-origin", Origin=own)).status == 200
    followed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert (await trusting.ask("GET", "/", **followed)).status == 200
    assert (await trusting.ask("POST", "/cameras/door/stop", **followed)).status == 401
    framed = followed | {"Sec_Fetch_Dest": "iframe"}
    assert (await trusting.ask("GET", "/", **framed)).status == 401


async def test_a_password_that_a_browser_remembers_is_of_no_use_to_other_sites(site: Site) -> None:
    password = basic(site.token())
    foreign = {"Authorization": password, "Origin": "http://evil.example"}
    assert (await site.ask("POST", "/cameras/door/stop", **foreign)).status == 403
    proxied = {"Authorization": password, "Origin": "https://cam.example", "X_Forwarded_Host": "cam.example"}
    assert (await site.ask("POST", "/cameras/door/stop", **proxied)).status == 200


async def test_a_link_shows_its_camera_and_nothing_else(serve: Serve) -> None:
    site = await serve(trust_loopback=False, cameras=(DOOR, YARD))
    key = site.link("yard")
    for address in (f"/links/{key}/snapshot.jpg", f"/links/{key}/webcam/?action=snapshot", f"/links/{key}/"):
        assert (await site.ask("GET", address)).status == 200, address
    bare = await site.ask("GET", f"/links/{key}?x=1")
    assert (bare.status, bare.headers["Location"]) == (302, f"{key}/?x=1")
    # by its header, too
    assert (await site.ask("GET", "/cameras/yard/snapshot.jpg", token=key)).status == 200
    for address in ("/cameras/door/snapshot.jpg", "/snapshot.jpg", "/cameras/nix/snapshot.jpg"):
        answer = await site.ask("GET", address, token=key)
        assert answer.status in (403, 404), address
    for route in ROUTES:
        if route.who is Who.CONTROLLER:
            answer = await site.ask(route.method, path(route, camera="yard"), token=key)
            assert (answer.status, answer.cause) == (403, "out_of_scope"), route
    assert "cameras" not in (await site.ask("GET", "/node", token=key)).data
    assert "cameras" not in (await site.ask("GET", "/ready", token=key)).data


async def test_a_link_has_scopes_an_end_and_a_limit(site: Site) -> None:
    pictures = site.link(scopes={Scope.SNAPSHOT})
    assert (await site.ask("GET", f"/links/{pictures}/snapshot.jpg")).status == 200
    for name in ("stream.mjpg", "stream.m3u8", "stream.ts", ""):
        answer = await site.ask("GET", f"/links/{pictures}/{name}")
        assert (answer.status, answer.cause) == (403, "out_of_scope"), name
    over = site.link(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert (await site.ask("GET", f"/links/{over}/snapshot.jpg")).status == 403
    assert (await site.ask("GET", "/snapshot.jpg", token=over)).status == 401
    single = site.link(viewers=1)
    async with site.open("GET", f"/links/{single}/stream.mjpg") as stream:
        await stream.content.readexactly(100)
        answer = await site.ask("GET", f"/links/{single}/stream.mjpg")
        assert (answer.status, answer.cause) == (503, "too_many_viewers")


async def test_a_wrong_key_finds_nothing(site: Site) -> None:
    key = site.link()
    for wrong in (key[:-1] + ("A" if key[-1] != "A" else "B"), "A" * 43):
        assert (await site.ask("GET", f"/links/{wrong}/snapshot.jpg")).status == 404
    gone = site.link("no-more")
    assert (await site.ask("GET", f"/links/{gone}/snapshot.jpg")).cause == "no_such_camera"


async def test_pages_elsewhere_see_what_the_configuration_lets_them(serve: Serve) -> None:
    site = await serve(trust_loopback=False, cors=("https://good.example",))
    token, good = site.token(), "https://good.example"
    shown = await site.ask("GET", "/snapshot.jpg", token=token, Origin=good)
    assert shown.headers["Access-Control-Allow-Origin"] == good
    assert "X-Age" in shown.headers["Access-Control-Expose-Headers"]
    assert shown.headers["Vary"] == "Origin"
    for address, origin in (("/snapshot.jpg", "https://evil.example"), ("/clients", good), ("/node", good)):
        answer = await site.ask("GET", address, token=token, Origin=origin)
        assert "Access-Control-Allow-Origin" not in answer.headers, address
    before = {"Origin": good, "Access_Control_Request_Method": "GET"}
    answer = await site.ask("OPTIONS", "/snapshot.jpg", **before)
    assert (answer.status, answer.headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
    assert (await site.ask("OPTIONS", "/snapshot.jpg", **before | {"Origin": "https://evil.example"})).status == 401
    # who has the key in the address may see what it shows, wherever the page is from
    answer = await site.ask("GET", f"/links/{site.link()}/stream.m3u8", Origin="https://octoprint.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_nothing_secret_reaches_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    key, token = site.link(), site.token()
    for address in (f"/links/{key}/snapshot.jpg", f"/links/{key}/nothing", "/clients"):
        await site.ask("GET", address, token=token)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.node.port)
    writer.write(f"GET /links/{key}/ NONSENSE {token}\r\n\r\n".encode())
    assert b"400" in await reader.readline()
    writer.close()
    assert "GET /links/{key}/snapshot.jpg: 200 after" in caplog.text
    assert key not in caplog.text
    assert token not in caplog.text


async def test_a_request_is_called_in_the_log_as_its_sender_calls_it(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await site.ask("GET", "/health", X_Request_ID="proxy-17")
    assert answer.headers["X-Request-ID"] == "proxy-17"
    assert "request proxy-17" in caplog.text
    own = (await site.ask("GET", "/health", X_Request_ID="two words")).headers["X-Request-ID"]
    assert own not in ("", "two words")
    assert f"request {own}" in caplog.text
