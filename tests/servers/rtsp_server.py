#!/usr/bin/python3
"""A real RTSP camera with a moving picture: GStreamer's server. Runs on the system's Python, which has its binding.

Prints one line of JSON with its port once it listens, and ends when its stdin closes.
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

PICTURE = (
    "videotestsrc is-live=true pattern={pattern}"
    " ! video/x-raw,format=I420,width={width},height={height},framerate={rate}/1"
)
SOUND = "audiotestsrc is-live=true volume=0.1"
H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={rate} bitrate={kbit} ! h264parse"
H265 = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max={rate} bitrate={kbit} ! h265parse"
# Parameter sets stand in the SDP only, as many cameras have it.
H264_OUT = "rtph264pay name=pay0 pt=96 config-interval=0"
AAC = "audioconvert ! audioresample ! audio/x-raw,rate=48000 ! avenc_aac ! aacparse ! rtpmp4gpay name={name} pt=97"
ALAW = "audioconvert ! audioresample ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name={name} pt=8"

MOUNTS = {
    "/h264": f"{PICTURE} ! {H264} ! {H264_OUT}",
    "/h264-aac": f"{PICTURE} ! {H264} ! {H264_OUT} {SOUND} ! " + AAC.replace("{name}", "pay1"),
    "/h264-alaw": f"{PICTURE} ! {H264} ! {H264_OUT} {SOUND} ! " + ALAW.replace("{name}", "pay1"),
    "/h265": f"{PICTURE} ! {H265} ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "/mjpeg": f"{PICTURE} ! jpegenc ! rtpjpegpay name=pay0 pt=26",
    "/audio": f"{SOUND} ! " + AAC.replace("{name}", "pay0"),
}
TRANSPORTS = {
    "any": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
}


def protect(server: Any, options: argparse.Namespace) -> None:
    """Ask for the password, and speak TLS, where told to."""
    auth = GstRtspServer.RTSPAuth()
    if options.certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(options.certificate))
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    if not options.user:
        auth.set_default_token(token)
    elif options.auth == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    server.set_auth(auth)


def mount(server: Any, options: argparse.Namespace) -> None:
    """Offer each stream under its path."""
    width, height = options.size.split("x")
    for path, pipeline in MOUNTS.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(
            pipeline.format(
                width=width,
                height=height,
                rate=options.rate,
                kbit=options.bit_rate // 1000,
                pattern=options.pattern,
            )
        )
        factory.set_shared(True)
        factory.set_protocols(TRANSPORTS[options.transport])
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)  # noqa: FBT003
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)  # noqa: FBT003
        factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)


def main() -> None:
    """Serve until stdin closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="0", help="0 (default): a free one")
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--rate", type=int, default=15, help="frames per second")
    parser.add_argument("--pattern", default="ball", help="as videotestsrc knows it; smpte has noise, which takes bits")
    parser.add_argument("--bit-rate", type=int, default=500_000, help="bits per second")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--auth", choices=("basic", "digest"), default="digest")
    parser.add_argument("--transport", choices=TRANSPORTS, default="any")
    parser.add_argument("--certificate", help="PEM file with key: speak TLS")
    options = parser.parse_args()

    Gst.init(None)
    loop = GLib.MainLoop()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    protect(server, options)
    mount(server, options)
    if not server.attach(None):
        sys.exit(f"port {options.port} is taken")
    GLib.timeout_add_seconds(2, lambda: server.get_session_pool().cleanup() >= 0)
    GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: loop.quit())
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
