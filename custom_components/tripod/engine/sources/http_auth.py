"""User and password as HTTP asks for them: Basic (RFC 7617) and Digest (RFC 7616), on every aiohttp."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
import hashlib
import re
import secrets

_HASHES = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
"""`hashlib`'s names; the better first."""
_SESSION = "-sess"

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # RFC 9110's word for it
_PART = re.compile(rf'({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))|({_TOKEN})')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in that a server offers."""

    scheme: str
    """In small letters."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """By name in small letters."""


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Read `WWW-Authenticate` headers; each may hold several challenges, and what is none is left out."""
    found: list[Challenge] = []
    for header in headers:
        parameters: dict[str, str] | None = None
        for name, quoted, plain, scheme in _PART.findall(header):
            if scheme:
                parameters = {}
                found.append(Challenge(scheme.lower(), parameters))
            elif parameters is not None:
                parameters[name.lower()] = plain or _ESCAPED.sub(r"\1", quoted)
    return found


class Login:
    """A user and a password for one server, and what it asked for so far."""

    def __init__(
        self, username: str, password: str, *, nonce: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        """Send nothing before it is asked for; `nonce` makes the client's nonces."""
        self._username = username
        self._password = password
        self._nonce = nonce
        self._basic = False
        self._digest: _Digest | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._username or self._password)

    def challenged(self, headers: Iterable[str]) -> bool:
        """Hear what a server asks for with a 401; return whether another try has an answer that it has not seen."""
        if not self:
            return False
        offers = challenges(headers)
        if digest := _choose(offers):
            known, self._digest, self._basic = self._digest, digest, False
            return known is None or known.nonce != digest.nonce
        if any(offer.scheme == "basic" for offer in offers) and not self._basic:
            self._basic, self._digest = True, None
            return True
        return False

    def header(self, method: str, target: str) -> dict[str, str]:
        """Return the header for a request of `target`, the path and query as they are sent."""
        if self._digest:
            return {"Authorization": self._digest.answer(self._username, self._password, method, target, self._nonce())}
        if self._basic:
            token = base64.b64encode(f"{self._username}:{self._password}".encode()).decode()
            return {"Authorization": f"Basic {token}"}
        return {}


class _Digest:
    """One nonce of a server, and how often it was used."""

    def __init__(self, parameters: Mapping[str, str], algorithm: str) -> None:
        self.nonce = parameters["nonce"]
        self._parameters = parameters
        self._algorithm = algorithm
        self._name = algorithm.removesuffix(_SESSION)
        self._qop = "auth" if "auth" in re.split(r"\s*,\s*", parameters.get("qop", "").strip().lower()) else ""
        self._count = 0

    def _hash(self, *parts: str) -> str:
        digest = hashlib.new(_HASHES[self._name], usedforsecurity=False)
        digest.update(":".join(parts).encode())
        return digest.hexdigest()

    def answer(self, username: str, password: str, method: str, target: str, cnonce: str) -> str:
        realm, opaque = self._parameters.get("realm", ""), self._parameters.get("opaque")
        self._count += 1
        count = f"{self._count:08x}"
        first = self._hash(username, realm, password)
        if self._algorithm.endswith(_SESSION):
            first = self._hash(first, self.nonce, cnonce)
        second = self._hash(method, target)
        middle = (self.nonce, count, cnonce, self._qop) if self._qop else (self.nonce,)
        hidden = self._parameters.get("userhash", "").lower() == "true"
        quoted = {
            "username": self._hash(username, realm) if hidden else username,
            "realm": realm,
            "nonce": self.nonce,
            "uri": target,
            "response": self._hash(first, *middle, second),
        }
        if opaque is not None:
            quoted["opaque"] = opaque
        plain = {"algorithm": self._algorithm} if "algorithm" in self._parameters else {}
        if self._qop:
            plain |= {"qop": self._qop, "nc": count}
        if self._qop or self._algorithm.endswith(_SESSION):
            quoted["cnonce"] = cnonce
        if hidden:
            plain["userhash"] = "true"
        fields = [f'{name}="{_quote(value)}"' for name, value in quoted.items()]
        return "Digest " + ", ".join([*fields, *(f"{name}={value}" for name, value in plain.items())])


def _choose(offers: Iterable[Challenge]) -> _Digest | None:
    """Return the best digest that is understood."""
    known: dict[str, _Digest] = {}
    for offer in offers:
        algorithm = offer.parameters.get("algorithm", "MD5")
        name = next((name for name in _HASHES if algorithm.upper().removesuffix(_SESSION.upper()) == name), None)
        if offer.scheme == "digest" and name and "nonce" in offer.parameters:
            session = _SESSION if algorithm.lower().endswith(_SESSION) else ""
            known.setdefault(name, _Digest(offer.parameters, name + session))
    return next((known[name] for name in _HASHES if name in known), None)


def _quote(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)
