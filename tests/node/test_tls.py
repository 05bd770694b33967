"""HTTPS, client certificates, and certificates that are renewed."""

from __future__ import annotations

import asyncio
from pathlib import Path
import ssl

from aiohttp import ClientError, ClientSession
import pytest

from custom_components.tripod.engine.errors import InvalidConfiguration
from custom_components.tripod.node import server
from custom_components.tripod.node.tls import Tls
from tests.servers.certificate import Certificates, Chain, Pair

from .site import Serve, Site


async def status(site: Site, authority: Path | None, own: Pair | None = None, path: str = "/node") -> int:
    """Ask over HTTPS; return the status."""
    context = ssl.create_default_context(cafile=authority)
    if own:
        context.load_cert_chain(own.certificate, own.key)
    async with (
        ClientSession() as session,
        session.get(f"https://localhost:{site.node.port}{path}", ssl=context) as answer,
    ):
        return answer.status


async def test_https(serve: Serve, chain: Chain) -> None:
    site = await serve(certificate=chain.server.certificate, key=chain.server.key)
    assert await status(site, chain.root) == 200
    with pytest.raises(ClientError):
        await status(site, None)
    with pytest.raises(ClientError):
        await site.ask("GET", "/node")
    assert [await speaks(site, version) for version in ("tls1_3", "tls1_2", "tls1_1")] == [True, True, False]


async def speaks(site: Site, version: str) -> bool:
    """Whether the node speaks a version of TLS, by OpenSSL, which is told to know them all."""
    options = ("-connect", f"127.0.0.1:{site.node.port}", f"-{version}", "-cipher", "ALL:@SECLEVEL=0")
    quiet = asyncio.subprocess.DEVNULL
    client = await asyncio.create_subprocess_exec(
        "openssl", "s_client", *options, stdin=quiet, stdout=quiet, stderr=quiet
    )
    return await client.wait() == 0


async def test_clients_without_a_certificate_of_our_authority_get_nothing(serve: Serve, chain: Chain) -> None:
    own_pair = chain.server
    site = await serve(
        certificate=own_pair.certificate, key=own_pair.key, client_ca=chain.authorities, trust_loopback=False
    )
    assert await status(site, chain.root, chain.home) == 200
    for own in (None, chain.stranger, chain.expired, own_pair):
        with pytest.raises((ClientError, OSError)):
            await status(site, chain.root, own)
    # a certificate is no token
    assert await status(site, chain.root, chain.home, "/clients") == 401


async def test_a_renewed_certificate_is_taken_over(
    serve: Serve, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "RENEW", 0.1)
    certificate, key = tmp_path / "chain.pem", tmp_path / "key.pem"

    def put(pair: Pair) -> None:
        certificate.write_bytes(pair.certificate.read_bytes())
        key.write_bytes(pair.key.read_bytes())

    put(chain.server)
    site = await serve(certificate=certificate, key=key)
    for half in (chain.elsewhere.certificate.read_bytes(), b"half of it"):  # while the other half is on its way
        certificate.write_bytes(half)
        await asyncio.sleep(0.3)
        assert await status(site, chain.root) == 200
    for pair, known in ((chain.elsewhere, False), (chain.server, True)):
        put(pair)
        async with asyncio.timeout(20):
            while await is_known(site, chain.root) is not known:  # noqa: ASYNC110 - a look at a file tells nobody
                await asyncio.sleep(0.1)


async def is_known(site: Site, authority: Path) -> bool:
    """Whether the node's certificate is one for its address."""
    try:
        return await status(site, authority) == 200
    except ClientError:
        return False


def test_what_cannot_be_used_is_told(certificates: Certificates, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("-----BEGIN CERTIFICATE-----\n")
    pair = certificates.server
    for chain, key, authority in (
        (tmp_path / "missing.pem", pair, None),
        (nonsense, pair, None),
        (pair, certificates.other, None),
        (pair, pair, tmp_path / "missing.pem"),
        (pair, pair, nonsense),
    ):
        with pytest.raises(InvalidConfiguration, match=r"\[tls\]"):
            Tls(chain, key, authority)
