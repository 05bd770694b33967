"""Run the newest Home Assistant on this working tree, with a demo camera in it. See scripts/develop."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

from home_assistant import (
    PASSWORD,
    REPOSITORY,
    USER,
    Client,
    HomeAssistantError,
    add_link,
    add_test_camera,
    link_keys,
    prepare,
    start,
    write_dashboard,
)

_STOP_SECONDS = 30
"""Home Assistant gives its integrations time to stop; then it is killed."""


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="scripts/develop", description=__doc__)
    parser.add_argument("--port", type=int, default=8123, help="default: %(default)s")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; 0.0.0.0 opens it to the network")
    parser.add_argument("--config", type=Path, default=REPOSITORY / "config", help="default: %(default)s")
    parser.add_argument("--fresh", action="store_true", help="forget the configuration and begin anew")
    arguments = parser.parse_args()
    config: Path = arguments.config.resolve()
    if arguments.fresh and (config / ".storage").exists():
        shutil.rmtree(config)
    prepare(config, host=arguments.host, port=arguments.port)
    began = time.monotonic()
    process = start(config)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: process.terminate())
    address = "127.0.0.1" if arguments.host == "0.0.0.0" else arguments.host  # noqa: S104
    try:
        print(_welcome(Client(f"http://{address}:{arguments.port}"), config, process, began), flush=True)
        return process.wait()
    except HomeAssistantError as error:
        print(f"develop: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(process)


def _welcome(client: Client, config: Path, process: subprocess.Popen[bytes], began: float) -> str:
    """Wait for Home Assistant, see to the demo camera, and say where everything is."""
    client.wait_until_started(process)
    if not client.entries("tripod"):
        add_link(client, add_test_camera(client), "Demo")
    write_dashboard(config, [state["entity_id"] for state in client.states("camera")])
    lines = [
        f"Home Assistant is up after {time.monotonic() - began:.0f} s.",
        f"Dashboard: {client.url}/tripod-cameras  (user {USER}, password {PASSWORD})",
    ]
    for entry in client.entries("tripod"):
        for name, key in link_keys(config, entry["entry_id"]).items():
            base = f"{client.url}/api/tripod/{key}"
            lines.append(f"{entry['title']}, link {name}: {base}/  (the player)")
            lines += [f"  {base}/{file}" for file in ("stream.mjpg", "snapshot.jpg", "stream.m3u8", "stream.ts")]
    lines.append("Ctrl-C stops it.")
    return "\n" + "\n".join(f"  {line}" for line in lines) + "\n"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End Home Assistant, as gently as it takes."""
    with suppress(KeyboardInterrupt):
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
