"""Pairing: a code that the node shows, and that a client tells, becomes a token; and the proof that a node is itself.

What is known of codes and wrong tries lies in the state folder: a restart gives nobody more tries, and the command line
shows codes beside the running node. Everything here blocks, except `proof`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import hmac
import math
from pathlib import Path
import secrets
import time
from typing import Any

from ..engine.errors import PairingPaused, WrongCode
from .credentials import Credentials, Token
from .state_file import StateFile

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without 0 and O, 1, I and L, and U, which is taken for V."""

LENGTH = 8
"""Characters of a code: 39 bits, of which five tries are nothing."""

LIFETIME = 600.0
"""Seconds that a code is good for, from when it was shown."""

TRIES = 5
"""Wrong codes after which the code that was shown is good for nothing."""

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0
"""Seconds in which no code is taken after that: each pause is twice the one before."""

PROOF = b"tripod-node "
"""What the message of a proof begins with, so that it is good for nothing else."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that is good now."""

    text: str = field(repr=False)
    """As people read it: `XXXX-XXXX`."""
    expires_at: float
    """Unix time."""


class Pairing:
    """The codes of a node."""

    def __init__(self, state: Path, credentials: Credentials, *, clock: Callable[[], float] = time.time) -> None:
        """Keep them in the folder `state`; who tells a right one is let in by `credentials`."""
        self._file = StateFile(state / "pairing.json")
        self._credentials = credentials
        self._clock = clock

    def show(self) -> Code:
        """Return a code to be shown now: the one that is good, for its whole lifetime from now on, or a new one.

        Raises what keeps the state folder from being written.
        """
        now = self._clock()
        with self._file.changing() as held:
            code = _good(held, now) or "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            # while no code is taken, its time does not run
            held.update(code=code, expires_at=max(now, now + _pause(held, now)) + LIFETIME)
            return Code(f"{code[:4]}-{code[4:]}", held["expires_at"])

    def paused(self) -> bool:
        """Return whether no code is taken now, because too many wrong ones came."""
        return _pause(self._file.read(), self._clock()) > 0

    def redeem(self, told: str, name: str) -> str:
        """Return a new token for the client called `name`, who tells a code; the code is used up by that.

        Raises `WrongCode`, or `PairingPaused` where too many wrong ones came, and what keeps the state folder from
        being written.
        """
        now = self._clock()
        with self._file.changing() as held:
            if (pause := _pause(held, now)) > 0:
                raise PairingPaused(seconds=str(math.ceil(pause)))
            good = _good(held, now)
            right = _is_right(told, good)
            if right:
                held.clear()
            elif good:  # else there is nothing to be guessed
                _note_wrong(held, now)
        if not right:
            raise WrongCode
        return self._credentials.add_token(name)


def _good(held: dict[str, Any], now: float) -> str | None:
    """Return the code that is good now."""
    expires_at = held.get("expires_at", 0.0)
    # one that is good for too long was shown before the clock was set back
    return held.get("code") if now < expires_at <= now + LIFETIME + LONGEST_PAUSE else None


def _is_right(told: str, code: str | None) -> bool:
    meant = told.upper().replace("-", "").replace(" ", "").encode("utf-8", "surrogatepass")
    return hmac.compare_digest(meant, (code or "").encode()) and code is not None


def _note_wrong(held: dict[str, Any], now: float) -> None:
    held["wrong"] = held.get("wrong", 0) + 1
    if held["wrong"] >= TRIES:
        pause = min(max(FIRST_PAUSE, 2 * held.get("pause", 0.0)), LONGEST_PAUSE)
        held.clear()
        held.update(pause=pause, paused_until=now + pause)


def _pause(held: dict[str, Any], now: float) -> float:
    """Return for how many seconds no code is taken."""
    # never longer than it was meant, also where the clock was set back
    left: float = held.get("paused_until", 0.0) - now
    meant: float = held.get("pause", 0.0)
    return min(left, meant)


def proof(token: Token, node_id: str, nonce: str) -> str:
    """Return what only a node that knows `token` can say of itself; the token itself need not be sent for it."""
    message = PROOF + node_id.encode() + b" " + nonce.encode()
    return hmac.new(token.digest, message, "sha256").hexdigest()
