"""A real Prometheus that scrapes one target, and promtool's judgement of an exposition."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import subprocess
from typing import Any

from aiohttp import ClientSession
import yaml

from .start import free_port

PROGRAMS = Path(__file__).parents[2] / ".venv/prometheus/usr/bin"

SOON = 0.25
"""Seconds between two scrapes, and between two looks at what they brought."""


def complaints(exposition: str) -> str:
    """Return what promtool has to say of an exposition; nothing where it is right in form and manner."""
    run = subprocess.run(
        [PROGRAMS / "promtool", "check", "metrics"],
        input=exposition,
        text=True,
        capture_output=True,
        check=False,
        timeout=30,
    )
    return (run.stdout + run.stderr).strip() or (f"exit status {run.returncode}" if run.returncode else "")


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    session: ClientSession
    url: str

    async def query(self, expression: str) -> list[Any]:
        """Return the series that an expression has now."""
        async with self.session.get(f"{self.url}/api/v1/query", params={"query": expression}) as answer:
            found = await answer.json()
            assert found["status"] == "success", found
            return list(found["data"]["result"])

    async def until(self, expression: str) -> list[Any]:
        """Wait until an expression has series."""
        async with asyncio.timeout(20):
            while not (found := await self.query(expression)):  # noqa: ASYNC110 - nor a scrape
                await asyncio.sleep(SOON)
        return found


@asynccontextmanager
async def prometheus(folder: Path, target: str, path: str, token: str) -> AsyncIterator[Prometheus]:
    """Scrape `http://{target}{path}` with a bearer token."""
    job = {
        "job_name": "tripod",
        "metrics_path": path,
        "authorization": {"credentials": token},
        "static_configs": [{"targets": [target]}],
    }
    scraping = {"scrape_interval": f"{round(SOON * 1000)}ms", "scrape_timeout": f"{round(SOON * 1000)}ms"}
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump({"global": scraping, "scrape_configs": [job]}))
    address = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        str(PROGRAMS / "prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    )
    try:
        async with ClientSession() as session:
            server = Prometheus(session, f"http://{address}")
            async with asyncio.timeout(20):
                while not await _is_ready(server):  # noqa: ASYNC110 - it does not announce that
                    await asyncio.sleep(SOON)
            yield server
    finally:
        process.kill()
        await process.wait()


async def _is_ready(server: Prometheus) -> bool:
    try:
        async with server.session.get(f"{server.url}/-/ready") as answer:
            return answer.status == 200
    except OSError:
        return False


def queries(dashboard: Path) -> list[str]:
    """Return what a Grafana dashboard asks for, for all cameras and with a range that suits quick scrapes."""
    panels = json.loads(dashboard.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    return [expression.replace("$camera", ".*").replace("$__rate_interval", "5s") for expression in asked]
