"""Pairing by a code, and the proof that a node is the one that was paired."""

from __future__ import annotations

import hashlib
import hmac
import logging
from pathlib import Path
import stat

import pytest

from custom_components.tripod.engine.errors import PairingPaused, TripodError, WrongCode
from custom_components.tripod.node.credentials import Credentials
from custom_components.tripod.node.pairing import ALPHABET, LIFETIME, LONGEST_PAUSE, TRIES, Pairing

from .site import Serve, Site


class Clock:
    """Tells the time that the test says."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pairing(tmp_path: Path, clock: Clock) -> Pairing:
    return Pairing(tmp_path, Credentials(tmp_path), clock=clock)


def fail(pairing: Pairing, times: int = 1) -> type[TripodError]:
    """Tell wrong codes; return what the last one met."""
    for _ in range(times):
        with pytest.raises((WrongCode, PairingPaused)) as raised:
            pairing.redeem("AAAA-AAAA", "x")
    return raised.type


def test_a_code_is_used_once(pairing: Pairing) -> None:
    code = pairing.show()
    assert len(code.text) == 9
    assert set(code.text.replace("-", "")) <= set(ALPHABET)
    assert code.text not in repr(code)
    token = pairing.redeem(f" {code.text.lower().replace('-', ' ')}", "Home")
    assert pairing._credentials.token(token) == pairing._credentials.tokens[0]
    with pytest.raises(WrongCode):
        pairing.redeem(code.text, "Replay")
    assert [token.name for token in pairing._credentials.tokens] == ["Home"]


def test_a_code_is_good_for_ten_minutes_from_when_it_was_shown_last(pairing: Pairing, clock: Clock) -> None:
    code = pairing.show()
    clock.now += LIFETIME - 1
    assert pairing.show().text == code.text
    clock.now += LIFETIME
    with pytest.raises(WrongCode):
        pairing.redeem(code.text, "Late")
    assert pairing.show().text != code.text


def test_without_a_code_there_is_nothing_to_be_guessed(pairing: Pairing) -> None:
    for told in ("", "AAAA-AAAA", "\ud800", "é" * 8):
        with pytest.raises(WrongCode):
            pairing.redeem(told, "x")
    assert fail(pairing, 2 * TRIES) is WrongCode


def test_guessing_ends_the_code_and_pauses_longer_each_time(pairing: Pairing, clock: Clock, tmp_path: Path) -> None:
    pauses = []
    for _ in range(9):
        code = pairing.show()
        assert fail(pairing, TRIES) is WrongCode
        with pytest.raises(PairingPaused) as paused:
            pairing.redeem(code.text, "Right, but too late")
        # a restart gives nobody another try
        with pytest.raises(PairingPaused):
            Pairing(tmp_path, pairing._credentials, clock=clock).redeem(pairing.show().text, "x")
        pauses.append(float(paused.value.placeholders["seconds"]))
        clock.now += pauses[-1]
        assert pairing.show().text != code.text
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert pairing.redeem(pairing.show().text, "At last")
    pairing.show()
    fail(pairing, TRIES)
    with pytest.raises(PairingPaused, match="another 30 seconds"):
        pairing.redeem("x", "x")


def test_a_code_that_is_shown_during_a_pause_outlives_it(pairing: Pairing, clock: Clock) -> None:
    pairing.show()
    fail(pairing, TRIES)
    code = pairing.show()
    clock.now += 30 + LIFETIME - 1
    assert pairing.redeem(code.text, "x")


def test_a_clock_that_is_set_back_makes_nothing_last(pairing: Pairing, clock: Clock) -> None:
    code = pairing.show()
    clock.now -= 10 * LONGEST_PAUSE
    with pytest.raises(WrongCode):
        pairing.redeem(code.text, "x")
    pairing.show()
    fail(pairing, TRIES)
    clock.now -= 10 * LONGEST_PAUSE
    with pytest.raises(PairingPaused, match="another 30 seconds"):
        pairing.redeem("x", "x")


async def test_a_client_pairs_and_then_may_all(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    code = site.node.pairing.show().text
    answer = await site.ask("POST", "/pair", {"code": code, "name": "Home Assistant"})
    assert answer.status == 200
    token, node = answer.data["token"], answer.data["node"]
    assert [camera["id"] for camera in node["cameras"]] == ["door"]
    assert (await site.ask("GET", "/node", token=token)).data == node
    again = await site.ask("POST", "/pair", {"code": code, "name": "Somebody"})
    assert (again.status, again.cause) == (403, "wrong_code")
    assert token not in caplog.text
    kept = "".join(path.read_text() for path in (site.folder / "state").iterdir())
    assert token not in kept
    for path in (site.folder / "state").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((site.folder / "state").stat().st_mode) == 0o700


async def test_the_code_is_in_the_log_while_nobody_is_paired(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    site = await serve()
    shown = site.node.pairing.show().text
    assert shown in caplog.text
    for _ in range(TRIES):
        assert (await site.ask("POST", "/pair", {"code": "AAAA-AAAA", "name": "x"})).status == 403
    paused = await site.ask("POST", "/pair", {"code": shown, "name": "x"})
    assert (paused.status, paused.cause) == (429, "pairing_paused")
    assert 25 <= int(paused.headers["Retry-After"]) <= 30
    assert site.node.pairing.show().text in caplog.text
    site.token()
    await site.node.close()
    caplog.clear()
    again = await serve()
    assert "pairing code" not in caplog.text
    assert again.node.id == site.node.id


NONSENSE = [
    b"",
    b"[]",
    b"{",
    b"\xff\xfe",
    b"[" * 60000,
    b'{"code": "x"}',
    b'{"code": 1, "name": "x"}',
    b'{"code": "x", "name": "x", "more": 1}',
    b'{"code": "x", "name": "a\\nb"}',
    b'{"code": "' + b"9" * 5000 + b'", "name": "x"}',
]


async def test_nonsense_is_told_apart_from_a_wrong_code(site: Site) -> None:
    for body in NONSENSE:
        answer = await site.ask("POST", "/pair", body)
        assert (answer.status, answer.cause) == (400, "invalid_command"), body[:40]


async def test_a_node_proves_that_it_is_itself(site: Site) -> None:
    token, nonce = site.token(), "0123456789abcdef" * 2
    digest = hashlib.sha256(token.encode())
    answer = await site.ask("POST", "/proof", {"nonce": nonce, "client": digest.hexdigest()[:16]})
    message = b"tripod-node " + site.node.id.encode() + b" " + nonce.encode()
    assert answer.data == {
        "id": site.node.id,
        "proof": hmac.new(digest.digest(), message, hashlib.sha256).hexdigest(),
    }
    unknown = await site.ask("POST", "/proof", {"nonce": nonce, "client": "0" * 16})
    assert (unknown.status, unknown.cause) == (401, "unpaired")
    for wrong in ("", "0" * 31, "0" * 129, "X" * 32, "A" * 32):
        assert (await site.ask("POST", "/proof", {"nonce": wrong, "client": "0" * 16})).status == 400
