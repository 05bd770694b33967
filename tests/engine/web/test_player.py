"""The player page's files; that it plays is seen in a browser."""

from __future__ import annotations

import re

from custom_components.tripod.engine.web.player import FILES
from tests.engine.web.conftest import Serve
from tests.engine.web.hand import Hand


async def test_the_page_is_complete_and_leads_nowhere_else(serve: Serve) -> None:
    site = await serve(source := Hand())
    async with site.session.get(site.url("")) as answer:
        page = await answer.text()
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<title>Test &lt;camera&gt;</title>" in page
    assert "{{" not in page
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    for path in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert not path.startswith("/")
        if not path.startswith("data:"):
            async with site.session.get(site.url(path)) as answer:
                assert answer.status == 200
                assert answer.content_type == "text/javascript"
                assert "max-age" in answer.headers["Cache-Control"]
    assert source.lead.captures == 0


def test_hls_js_is_the_version_that_is_named() -> None:
    from custom_components.tripod.engine.web import player  # noqa: PLC0415

    assert player.__doc__
    version = re.search(r"hls\.js (\d+\.\d+\.\d+)", player.__doc__)
    assert version
    assert f'"{version[1]}"' in (FILES / "hls.light.min.js").read_text()
    assert "Apache License" in (FILES / "hls.js-LICENSE.txt").read_text()
