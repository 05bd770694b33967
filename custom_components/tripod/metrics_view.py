"""All cameras for Prometheus, under the guard of Home Assistant's own tokens."""

from typing import Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView

from .const import DOMAIN
from .data import TripodConfigEntry
from .engine.web.metrics import Reported, exposition
from .engine.web.reports import METRICS_TYPE

URL: Final = f"/api/{DOMAIN}/metrics"


class MetricsView(HomeAssistantView):
    """What a scrape gets."""

    url = URL
    name = f"api:{DOMAIN}:metrics"

    async def get(self, request: web.Request) -> web.Response:
        """Answer with the cameras that are set up, and with Home Assistant's own process."""
        entries: list[TripodConfigEntry] = request.app[KEY_HASS].config_entries.async_loaded_entries(DOMAIN)
        cameras = [
            Reported(entry.title, data.pipeline, data.camera, data.mqtt.status)
            for entry in entries
            for data in [entry.runtime_data]
        ]
        text = await exposition(cameras, process=True)
        return web.Response(body=text.encode(), headers={"Content-Type": METRICS_TYPE, "Cache-Control": "no-store"})
