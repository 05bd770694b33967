"""A node that publishes by its configuration, and tells Prometheus of all its cameras."""

from __future__ import annotations

from dataclasses import replace

from custom_components.tripod.engine.publisher import Publication
from tests.servers.prometheus import complaints
from tests.servers.receiver import listener

from .site import DOOR, YARD, Serve


async def test_a_camera_is_published_and_counted(serve: Serve) -> None:
    async with listener("rtmp") as server:
        wall = Publication(url=f"rtmp://127.0.0.1:{server.port}/live/hush")
        site = await serve(cameras=(replace(DOOR, publications=(wall,)), YARD))
        await server.until(5)
        publisher = site.node.cameras["door"].camera.publications.publishers["127.0.0.1"]
        await site.until(lambda: publisher.status.frames > 0)
        text = (await site.ask("GET", "/metrics")).body.decode()
        assert complaints(text) == ""
        assert 'tripod_publication_state{camera="Front <door>",publication="127.0.0.1",state="publishing"} 1' in text
        assert 'tripod_workers{camera="Front <door>",worker="publisher"} 1' in text
        assert f'tripod_viewers{{camera="{YARD.title or YARD.id}"}} 0' in text
        assert "process_resident_memory_bytes" in text
        assert "hush" not in text
        await site.node.close()
        await server.ended()


async def test_a_links_metrics_tell_of_its_camera_only(serve: Serve) -> None:
    site = await serve(cameras=(DOOR, YARD))
    key = site.link("door")
    text = (await site.ask("GET", f"/links/{key}/metrics")).body.decode()
    assert 'camera="Front <door>"' in text
    assert YARD.title not in text
    assert "process_" not in text
    assert "archive" not in text
