"""The node's own page: a picture of each camera, and the way to its player. It needs nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cameras import NodeCamera
    from .node import Node

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"
    ),
}

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ margin: 0 auto; max-width: 80rem; padding: 1rem; }}
main {{ display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); }}
article {{ border: 1px solid #8886; border-radius: 8px; overflow: hidden; }}
article > a {{ display: block; aspect-ratio: 16 / 9; background: #1118; }}
img {{ display: block; width: 100%; height: 100%; object-fit: contain; }}
article > div {{ padding: .5rem 1rem; }}
h2 {{ font-size: 1.1rem; margin: 0; }}
p {{ margin: 0; }}
</style>
<h1>{name}</h1>
<main>
{cameras}
</main>
<script>
const renew = 10_000;
for (const image of document.images) {{
  const address = image.getAttribute("src");
  const note = image.closest("article").querySelector("[role=status]");
  const again = () => setTimeout(() => {{ image.src = address + "&again=" + Date.now(); }}, renew);
  image.onload = () => {{ note.textContent = ""; again(); }};
  image.onerror = async () => {{
    try {{
      const answer = await fetch(address);
      note.textContent = answer.ok ? "" : (await answer.json()).message;
    }} catch {{
      note.textContent = "The node does not answer";
    }}
    again();
  }};
}}
</script>
"""

_CAMERA = """<article>
<a href="cameras/{id}/"><img src="cameras/{id}/snapshot.jpg?width=640" alt="{title}"></a>
<div>
<h2><a href="cameras/{id}/">{title}</a></h2>
<p role="status"></p>
<p><a href="cameras/{id}/stream.mjpg">MJPEG</a> · <a href="cameras/{id}/stream.m3u8">HLS</a> ·
<a href="cameras/{id}/snapshot.jpg">Snapshot</a> · <a href="cameras/{id}/status">Status</a></p>
</div>
</article>"""

_NONE = "<p>No camera is configured. The command <code>init</code> of the node finds those that are there.</p>"


def index(node: Node) -> str:
    """Return the page."""
    cameras = "\n".join(map(_camera, node.cameras.values())) or _NONE
    return _PAGE.format(name=escape(node.config.name), cameras=cameras)


def _camera(camera: NodeCamera) -> str:
    return _CAMERA.format(id=escape(camera.id), title=escape(camera.title))
