"""HTTPS, and client certificates where they are asked for; renewed files are taken over without a restart.

Everything here blocks.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
import ssl

from ..engine.errors import InvalidConfiguration
from .config import NodeConfig


class Tls:
    """The node's end of encrypted connections."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        """Read the files; raises `InvalidConfiguration` for those that cannot be used."""
        self._chain = certificate, key
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load()
        if client_ca:
            self._require(client_ca)
        self._stamps = self._stamp()

    @classmethod
    def of(cls, config: NodeConfig) -> Tls | None:
        """Return what `config` asks for; None for connections in the clear."""
        if config.certificate is None or config.key is None:
            return None
        return cls(config.certificate, config.key, config.client_ca)

    def renew(self) -> bool:
        """Take over the certificate for new connections if its files changed; raises `InvalidConfiguration`."""
        if (stamps := self._stamp()) == self._stamps:
            return False
        self._stamps = stamps
        self._load()
        return True

    def _load(self) -> None:
        certificate, key = self._chain
        try:
            # first elsewhere: a context that is given a wrong pair has lost its old one
            for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self.context):
                # never asks for a passphrase on the terminal of a service
                context.load_cert_chain(certificate, key, password=str)
        except (OSError, ValueError) as error:
            raise InvalidConfiguration(f"certificate and key cannot be used: {_words(error)}", where="[tls]") from error

    def _require(self, authority: Path) -> None:
        try:
            self.context.load_verify_locations(authority)
        except OSError as error:
            raise InvalidConfiguration(f"client_ca cannot be used: {_words(error)}", where="[tls]") from error
        self.context.verify_mode = ssl.CERT_REQUIRED

    def _stamp(self) -> list[int]:
        stamps = []
        for path in self._chain:
            with suppress(OSError):
                stamps.append(path.stat().st_mtime_ns)
        return stamps


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
