#!/usr/bin/python3
"""A real RTSP server that is sent video (RECORD): GStreamer's. Runs on the system's Python, which has its binding.

Prints one line of JSON with its port once it listens, then one for each frame that comes: its time stamp in seconds and
its size. Ends when its stdin closes.
"""

import argparse
import json
import sys
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402
    Gio,
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

PATH = "/live"
TAKE = "rtph264depay name=depay0 ! h264parse ! video/x-h264,alignment=au ! fakesink name=taken signal-handoffs=true"


def report(_sink: Any, buffer: Any, _pad: Any) -> None:
    """Tell of a frame."""
    print(json.dumps({"time": buffer.pts / Gst.SECOND, "size": buffer.get_size()}), flush=True)


def protect(server: Any, options: argparse.Namespace) -> None:
    """Ask for the password, and speak TLS, where told to."""
    auth = GstRtspServer.RTSPAuth()
    if options.certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(options.certificate))
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "publisher")
    if options.user:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
    else:
        auth.set_default_token(token)
    server.set_auth(auth)


def main() -> None:
    """Take what is published until stdin closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="0", help="0 (default): a free one")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--certificate", help="PEM file with key: speak TLS")
    options = parser.parse_args()

    Gst.init(None)
    loop = GLib.MainLoop()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    protect(server, options)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {TAKE} )")
    factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("publisher", "media.factory.access", True)  # noqa: FBT003
    permissions.add_permission_for_role("publisher", "media.factory.construct", True)  # noqa: FBT003
    factory.set_permissions(permissions)

    def prepared(_factory: Any, media: Any) -> None:
        media.get_element().get_by_name("taken").connect("handoff", report)

    factory.connect("media-configure", prepared)
    server.get_mount_points().add_factory(PATH, factory)
    if not server.attach(None):
        sys.exit(f"port {options.port} is taken")
    GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: loop.quit())
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
