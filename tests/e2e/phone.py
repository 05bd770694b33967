"""A phone with the app, as Home Assistant sees one: a registration, and an address that takes notifications."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from queue import Queue
from threading import Thread
from typing import Any, override

from home_assistant import Client

_PATIENCE = 30


class Phone:
    """One phone."""

    def __init__(self, client: Client, name: str, push_url: str) -> None:
        """Register with Home Assistant, as the app does when its user signs in."""
        self.notifications: Queue[dict[str, Any]] = Queue()
        app = {"app_id": "tests", "app_name": "Tests", "app_version": "1", "supports_encryption": False}
        model = {"device_id": name, "device_name": name, "manufacturer": "Tripod", "model": "A", "os_name": "Android"}
        push = {"push_token": "token", "push_url": push_url}
        client.request("POST", "/api/mobile_app/registrations", {**app, **model, "os_version": "1", "app_data": push})
        template = f"{{{{ device_id('{name}') | to_json }}}}"
        self.device_id: str = client.request("POST", "/api/template", {"template": template})

    def notified(self) -> dict[str, Any]:
        """Wait for the next notification and return it."""
        return self.notifications.get(timeout=_PATIENCE)


@contextmanager
def registered(client: Client, name: str = "Hall phone") -> Iterator[Phone]:
    """Register a phone, whose notifications come to this process."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            phone.notifications.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        phone = Phone(client, name, f"http://127.0.0.1:{server.server_port}/push")
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield phone
        finally:
            server.shutdown()
