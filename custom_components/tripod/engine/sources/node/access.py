"""How a node is reached: its address, our token for it, and how each side shows who it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
import re

from ...errors import InvalidSource
from ..address import split

PORT = 8089
"""Of a node, unless it is configured otherwise."""

MAX_TOKEN = 512
"""Characters of a token; ours have 43."""

_TOKEN = re.compile(r"[\x21-\x7e]*")
_NODE_ID = re.compile(r"[0-9a-f]{32}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAccess:
    """A node's address and what is needed to talk to it.

    An `https` address is trusted in one of three ways: by `fingerprint`, if there is one, and then by nothing else, so
    that a certificate that the node signed itself will do; else by `verify_tls`, against the certificates of `ca` or,
    without it, of the system; else, with `verify_tls` off, not at all.
    """

    url: str
    """`http` or `https`, host and port, and the path where a reverse proxy gives the node one."""
    token: str = field(default="", repr=False)
    """What pairing brought; empty before, and for a node on this machine that trusts it."""
    node: str = ""
    """The node's id. Where it is known, a host must prove that it is this node before it is sent the token."""
    verify_tls: bool = True
    fingerprint: str = ""
    """SHA-256 of the certificate that the node must show, in hex, colons allowed."""
    ca: str = ""
    """Path of a file with certificates (PEM) that are trusted in place of the system's."""
    client_certificate: str = ""
    """Path of our certificate (PEM), where the node wants one."""
    client_key: str = ""
    """Path of its key; empty where it stands in the same file."""

    def __post_init__(self) -> None:
        """Tidy what is written in several ways; raises `InvalidSource` for what cannot be."""
        parts = split(self.url)
        if parts.scheme not in ("http", "https") or parts.username is not None or parts.query or parts.fragment:
            raise InvalidSource("a node's address is http://host:port or https://host:port")
        object.__setattr__(self, "url", parts._replace(path=parts.path.rstrip("/")).geturl())
        object.__setattr__(self, "fingerprint", self.fingerprint.replace(":", "").strip().lower())
        if self.fingerprint and not _FINGERPRINT.fullmatch(self.fingerprint):
            raise InvalidSource("a fingerprint has 64 hexadecimal digits")
        if self.node and not _NODE_ID.fullmatch(self.node):
            raise InvalidSource("a node's id has 32 hexadecimal digits")
        if len(self.token) > MAX_TOKEN or not _TOKEN.fullmatch(self.token):
            raise InvalidSource("the token cannot be one")
        if self.client_key and not self.client_certificate:
            raise InvalidSource("there is a key, but no certificate")

    @property
    def client(self) -> str:
        """By what the node knows our token without being told it."""
        return sha256(self.token.encode()).hexdigest()[:16]
