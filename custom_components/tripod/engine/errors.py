"""One error type per cause that a user can act on.

Every failure of a source, a worker or a request ends as one of these. `cause` names the sentence that tells the user
what happened and what to do next: it is a translation key in Home Assistant and the machine-readable reason in HTTP
answers. Placeholders never hold a secret.
"""

from __future__ import annotations

from typing import ClassVar


class TripodError(Exception):
    """What went wrong, by cause; `str()` is an English sentence for logs and HTTP answers."""

    cause: ClassVar[str] = "worker_failed"
    sentence: ClassVar[str] = "The camera's worker failed: {detail}"

    def __init__(self, detail: str = "", **placeholders: str) -> None:
        """Keep `detail`, a short technical line without secrets, and what else the sentence names."""
        self.placeholders: dict[str, str] = {"detail": detail, **placeholders}
        super().__init__(self.sentence.format_map(_Blank(self.placeholders)).strip().rstrip(":"))


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


class InvalidSource(TripodError):
    """The configuration does not describe a source."""

    cause = "invalid_source"
    sentence = "This is not a valid camera configuration: {detail}"


class AddressNotAllowed(TripodError):
    """The URL, or a redirect of it, leads where a camera cannot be."""

    cause = "address_not_allowed"
    sentence = "The address leads to a place where Tripod does not look for cameras: {detail}"


class DeviceMissing(TripodError):
    """No such device node: not plugged in, or not passed to the container (ENOENT, ENODEV, ENXIO)."""

    cause = "device_missing"
    sentence = "The device is not there: {detail}"


class DeviceBusy(TripodError):
    """Another program holds the device (EBUSY)."""

    cause = "device_busy"
    sentence = "Another program is using the device: {detail}"


class DeviceHeld(DeviceBusy):
    """Another program holds the device, and it is known which."""

    cause = "device_held"
    sentence = "The device {device} is in use by {holder}"


class NoPermission(TripodError):
    """The device may not be opened by this user (EACCES, EPERM)."""

    cause = "no_permission"
    sentence = "No permission to open the device: {detail}"


class DeviceNotPermitted(NoPermission):
    """The device node is there, but belongs to a group that this user is not in."""

    cause = "device_not_permitted"
    sentence = "No permission to open {device}, which belongs to the group {group} ({gid})"


class FormatNotSupported(TripodError):
    """The device or stream does not offer the format, or nobody here can use the one it has."""

    cause = "format_not_supported"
    sentence = "The format is not supported: {detail}"


class NoVideo(TripodError):
    """The source answers, but carries no video."""

    cause = "no_video"
    sentence = "The source carries no video: {detail}"


class NotAPicture(TripodError):
    """The source answers with something else than a picture, such as a login page."""

    cause = "not_a_picture"
    sentence = "The address answers, but not with a picture: {detail}"


class HostNotFound(TripodError):
    """The name cannot be resolved."""

    cause = "host_not_found"
    sentence = "The host name is not known: {detail}"


class Unreachable(TripodError):
    """No answer from the host in time, or no route to it."""

    cause = "unreachable"
    sentence = "The host does not answer: {detail}"


class Refused(TripodError):
    """The host is there, but nothing listens on the port (ECONNREFUSED)."""

    cause = "refused"
    sentence = "The host refused the connection: {detail}"


class Unauthorized(TripodError):
    """The source wants a user name and password, or another one (HTTP and RTSP 401, 403)."""

    cause = "unauthorized"
    sentence = "The source refused the user name or password: {detail}"


class TlsFailed(TripodError):
    """The encrypted connection failed: unknown certificate, wrong name, or no TLS at the other end."""

    cause = "tls"
    sentence = "The encrypted connection failed: {detail}"


class NotFound(TripodError):
    """The host answers, but has nothing under this path (404)."""

    cause = "not_found"
    sentence = "The host has nothing under this path: {detail}"


class SourceFailed(TripodError):
    """The source answers with an error of its own (HTTP 5xx, RTSP 4xx and 5xx)."""

    cause = "source_failed"
    sentence = "The source answered with an error: {detail}"


class Stalled(TripodError):
    """The source is connected, but pictures stopped coming."""

    cause = "stalled"
    sentence = "No picture came for {seconds} seconds"


class StreamEnded(TripodError):
    """The source closed the stream (a live stream has no end, so this is a failure)."""

    cause = "stream_ended"
    sentence = "The source ended the stream: {detail}"


class EncoderFailed(TripodError):
    """The encoder could not be opened, or failed while running."""

    cause = "encoder_failed"
    sentence = "The video encoder failed: {detail}"


class NoPicamera2(TripodError):
    """Neither Picamera2 nor rpicam-apps is installed here, so no CSI camera can be used on this machine."""

    cause = "no_picamera2"
    sentence = "There is no camera software for CSI cameras on this system: {detail}"


class Picamera2Broken(TripodError):
    """Picamera2 is installed, but too old, or cannot be imported."""

    cause = "picamera2_broken"
    sentence = "Picamera2 cannot be used: {detail}"


class InvalidControl(TripodError):
    """The camera has no such control, or the control no such value."""

    cause = "invalid_control"
    sentence = "The control {control} cannot be set: {detail}"


class ControlInactive(TripodError):
    """Another control keeps this one from being set, as autofocus does with the focus."""

    cause = "control_inactive"
    sentence = "{control} cannot be set now: set {governor} to {setting} first"


class ControlLocked(TripodError):
    """The camera keeps this control from being set, and does not say why."""

    cause = "control_locked"
    sentence = "The camera does not let {control} be set now"


class FfmpegMissing(TripodError):
    """There is no ffmpeg program, or it cannot be run."""

    cause = "ffmpeg_missing"
    sentence = "The program ffmpeg was not found: {detail}"


class DiskFull(TripodError):
    """No space left where a file was to be written (ENOSPC, EDQUOT)."""

    cause = "disk_full"
    sentence = "The disk is full: {detail}"


class LowSpace(DiskFull):
    """The disk has less free space than the floor that is kept, so nothing more is written to it."""

    cause = "low_space"
    sentence = "Less than {floor} is free at {path}"


class ArchiveMissing(TripodError):
    """The folder of the archive, which was there before, is not: its disk is not plugged in or not mounted."""

    cause = "archive_missing"
    sentence = "The folder of the archive is not there: {path}"


class NotWritable(TripodError):
    """The file system does not let us write (EROFS, EACCES, EIO)."""

    cause = "not_writable"
    sentence = "Cannot write to {path}: {detail}"


class WorkerFailed(TripodError):
    """A worker ended for a reason that no other type names; `detail` holds its last words."""


class Stopped(TripodError):
    """The camera was stopped by the user and starts only when asked to."""

    cause = "stopped"
    sentence = "The camera is stopped"


class NoFreshPicture(TripodError):
    """No picture was new enough in the time given."""

    cause = "no_fresh_picture"
    sentence = "No picture is new enough: {detail}"


class TooManyViewers(TripodError):
    """The camera or the link serves as many viewers as it may."""

    cause = "too_many_viewers"
    sentence = "The limit of {limit} viewers is reached"


class InvalidRequest(TripodError):
    """A query value that means nothing."""

    cause = "invalid_request"
    sentence = "The request is not valid: {detail}"


class OutOfScope(TripodError):
    """The link is not for this: one that may take snapshots is asked for a stream, or the other way."""

    cause = "out_of_scope"
    sentence = "This link is not allowed to do that: it needs the scope {scope}"


class HlsNeedsH264(TripodError):
    """The source's video is one that not every browser plays, such as H.265, and it is not transcoded."""

    cause = "hls_needs_h264"
    sentence = "HLS needs H.264, and this camera sends {codec}: use the MJPEG stream, or switch the camera to H.264"


class InvalidName(TripodError):
    """A file name or template that leads out of the archive, or cannot be a file name."""

    cause = "invalid_name"
    sentence = "The name cannot be used: {detail}"


class InvalidRange(TripodError):
    """A range of time that ends before it begins."""

    cause = "invalid_range"
    sentence = "The range ends before it begins: {detail}"


class NothingFound(TripodError):
    """No frames, or nothing of the kind, in what was asked for."""

    cause = "nothing_found"
    sentence = "There is nothing of that: {detail}"


class NoSuchItem(TripodError):
    """The archive has no such file, or no longer."""

    cause = "no_such_item"
    sentence = "The archive has no {item}"


class InvalidJob(TripodError):
    """A timelapse job that cannot be: no interval, no day, a bad name."""

    cause = "invalid_job"
    sentence = "This timelapse cannot be: {detail}"


class JobExists(TripodError):
    """A timelapse job of this name is running already."""

    cause = "job_exists"
    sentence = "The timelapse {job} is running already"


class NoSuchJob(TripodError):
    """The camera has no such timelapse, or it is not running."""

    cause = "no_such_job"
    sentence = "There is no timelapse {job}"


class NotRecording(TripodError):
    """The camera is not recording, or has no recording of this id."""

    cause = "not_recording"
    sentence = "There is no such recording under way"


class NothingRecorded(TripodError):
    """A recording ended before the camera delivered anything."""

    cause = "nothing_recorded"
    sentence = "The recording ended without a picture: {detail}"


class TooManyJobs(TripodError):
    """The queue of renders, or the number of recordings at once, is at its limit."""

    cause = "too_many_jobs"
    sentence = "No more than {limit} at once"


class NoSuchRender(TripodError):
    """No render of this id waits or runs."""

    cause = "no_such_render"
    sentence = "No such render waits or runs"


class Cancelled(TripodError):
    """The user cancelled the render."""

    cause = "cancelled"
    sentence = "It was cancelled"


class InvalidConfiguration(TripodError):
    """A node's configuration, from its file, its flags or the environment, cannot be used."""

    cause = "invalid_configuration"
    sentence = "The configuration cannot be used, {where}: {detail}"


class NotANode(TripodError):
    """Something answers under the address, but not as a Tripod node does."""

    cause = "not_a_node"
    sentence = "This is not a Tripod node: {detail}"


class NodeVersion(TripodError):
    """The node and this Tripod do not understand each other: one of them is too old."""

    cause = "node_version"
    sentence = "The node speaks version {theirs} of the protocol, and version {ours} is needed"


class WrongCode(TripodError):
    """The pairing code is not the one that the node shows: wrong, used already, or too old."""

    cause = "wrong_code"
    sentence = "The pairing code is not valid"


class PairingPaused(TripodError):
    """Too many wrong pairing codes came; the node listens to none for a while."""

    cause = "pairing_paused"
    sentence = "The node takes no pairing code for another {seconds} seconds"


class Unpaired(Unauthorized):
    """The node does not know our token: it was revoked, or the node was set up anew."""

    cause = "unpaired"
    sentence = "The node does not know this token: {detail}"


class ClientCertificate(TlsFailed):
    """The other end asks for a client certificate, or does not accept ours."""

    cause = "client_certificate"
    sentence = "A client certificate is needed, or another one: {detail}"


class NoSuchCamera(TripodError):
    """The node has no camera of this name any more."""

    cause = "no_such_camera"
    sentence = "The node has no camera {camera}"


class MockPicture(TripodError):
    """The node sends a drawn test picture because its own camera is missing."""

    cause = "mock_picture"
    sentence = "The node has no camera and sends a drawn picture in its place: {detail}"


class InvalidCommand(TripodError):
    """A command, by MQTT or the node's HTTP interface, that means nothing."""

    cause = "invalid_command"
    sentence = "The command is not valid: {detail}"


class CannotPublish(TripodError):
    """The video cannot be sent to a server as it is: the protocol does not carry its codec, or the address is none."""

    cause = "cannot_publish"
    sentence = "The video cannot be published: {detail}"


class NotUnderstood(TripodError):
    """What was given to be brought over is not in the form it should be."""

    cause = "not_understood"
    sentence = "This cannot be read as {what}: {detail}"
