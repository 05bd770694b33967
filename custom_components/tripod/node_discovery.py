"""What a node says of itself before anybody knows it: by zeroconf, or in an announcement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import re
from typing import Any, Self

from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import probatio

from .engine.sources.node import PORT
from .nodes import reachable, url

_ID = re.compile(r"[0-9a-f]{32}")

LONGEST_NAME = 100
"""Characters of a name that is shown."""

MOST_ADDRESSES = 8
"""Addresses of one node that are tried."""

ANNOUNCEMENT = probatio.Schema(
    {
        probatio.Required("id"): probatio.All(str, probatio.Match(r"^[0-9a-f]{32}\Z")),
        probatio.Required("name"): probatio.All(str, probatio.Length(max=1000)),
        probatio.Required("port"): probatio.All(int, probatio.Range(min=1, max=65535)),
        probatio.Optional("tls", default=False): bool,
        probatio.Optional("addresses", default=list): probatio.All(
            [probatio.All(str, probatio.Length(max=64))], probatio.Length(max=MOST_ADDRESSES)
        ),
    },
    extra=probatio.ALLOW_EXTRA,
)
"""What a node posts; a newer one may say more."""


@dataclass(frozen=True, slots=True)
class Announced:
    """A node that says where it is; nothing of it is proven."""

    id: str
    name: str
    urls: tuple[str, ...]
    """Where it may be reached, the likeliest first."""

    @classmethod
    async def of(cls, said: Mapping[str, Any], addresses: Iterable[str]) -> Self:
        """Return what `said` says of a node at the usable ones of `addresses`."""
        hosts = (await reachable(addresses))[:MOST_ADDRESSES]
        name = "".join(letter for letter in said["name"] if letter.isprintable()).strip()[:LONGEST_NAME]
        urls = tuple(url(host, said["port"], tls=said["tls"]) for host in hosts)
        return cls(said["id"], name or next(iter(hosts), ""), urls)

    @classmethod
    async def of_zeroconf(cls, info: ZeroconfServiceInfo) -> Self | None:
        """Return what a zeroconf record says; None where it is none of a node, or of one that cannot be reached."""
        key, name = (str(info.properties.get(field) or "") for field in ("id", "name"))
        if not _ID.fullmatch(key):
            return None
        said = {"id": key, "name": name, "port": info.port or PORT, "tls": info.properties.get("tls") == "1"}
        found = await cls.of(said, [info.host, *info.addresses])
        return found if found.urls else None

    def as_dict(self) -> dict[str, Any]:
        """Return this as a dialog is given it."""
        return {"id": self.id, "name": self.name, "urls": list(self.urls)}
