"""What the page about the HTTP interface says is so: each address is there, and each command runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
import re

from custom_components.tripod.node.routes import ROUTES, Who

from .site import Site

PAGE = (Path(__file__).parents[2] / "docs/node-http.md").read_text()


def test_the_page_lists_every_address() -> None:
    below_others = ("/links/{key}", "/stream", "/snapshot", "/latest", "/webcam")
    rows = {f"{row.method} {row.path}" for row in ROUTES if row.documented and not row.path.startswith(below_others)}
    assert set(re.findall(r"^\| `([A-Z]+ /[^`]*)`", PAGE, re.MULTILINE)) == rows - {"GET /cameras/{camera}"}
    assert {row.path for row in ROUTES if row.who is Who.KEY and row.documented} - {"/links/{key}"} == {
        row.path.replace("/cameras/{camera}", "/links/{key}")
        for row in ROUTES
        if row.path.startswith("/cameras/{camera}/") and row.who is Who.VIEWER and row.documented
    }


async def test_its_commands_run(trusting: Site) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        script = block.replace("http://localhost:8089", trusting.url)
        shell = await asyncio.create_subprocess_exec(
            *("bash", "-exuo", "pipefail", "-c", script),
            cwd=trusting.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await shell.communicate()
        assert shell.returncode == 0, said.decode()
    assert (trusting.folder / "door.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert "gate/visitor.jpg" in (await trusting.ask("GET", "/cameras/door/items?kind=snapshots")).body.decode()
