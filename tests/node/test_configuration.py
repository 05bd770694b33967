"""What a node is told by its file, the environment and flags; and each thing that is wrong is named with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from hypothesis import given, settings as effort, strategies as st
import pytest

from custom_components.tripod.engine.archive import Kind
from custom_components.tripod.engine.errors import InvalidConfiguration
from custom_components.tripod.engine.sources import TestPattern, UrlSource, V4l2
from custom_components.tripod.node.config import NodeConfig
from custom_components.tripod.node.configuration import Setting, build, find, load, settings

WHOLE = """\
name = "Hall"
listen = "[::]:9000"
state = "state"
cors = ["https://home.example"]

[storage]
floor = "2 GiB"
max_size = 5000000000

[log]
level = "debug"
file = "node.log"

[mqtt]
host = "broker"
tls = true
username = "hall"
password_file = "password"

[announce]
url = "https://home.example"
token = "t0ken"

[tools]
ffmpeg = "/opt/ffmpeg"

[[camera]]
id = "hall"
title = "The hall"
record_while_away = true
controls = { brightness = 3, auto = true }

[camera.source]
kind = "v4l2"
device = "/dev/video0"
microphone = "plughw:CARD=C920,DEV=0"

[camera.options]
start = "always"
pre_roll = 5

[camera.storage]
max_size = "10 GiB"
recordings = { max_age_days = 30 }

[[camera.timelapse]]
name = "day"
interval = 60
start_time = 06:00:00
weekdays = ["mon", "sun"]
look = { width = 640 }

[[camera.publish]]
url = "rtmp://host/live/secret"

[[camera]]
id = "door"
source = { kind = "url", url = "rtsp://user:pass@door/live", delivery = "packets" }
"""


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "password").write_text("s3cret\n")
    path = tmp_path / "tripod-node.toml"
    path.write_text(text)
    return path


def loaded(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None, **flags: str) -> NodeConfig:
    known = {setting.key: setting for setting in settings() if not setting.section}
    return load(write(tmp_path, text), environ or {}, {known[key]: value for key, value in flags.items()})


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    config = loaded(tmp_path, WHOLE)
    assert (config.name, config.host, config.port) == ("Hall", "::", 9000)
    assert (config.state, config.archive) == (tmp_path / "state", tmp_path / "state/archive")
    assert (config.floor, config.max_size) == (2 << 30, 5_000_000_000)
    assert (config.log_level, config.log_file) == ("debug", tmp_path / "node.log")
    assert config.mqtt is not None
    assert (config.mqtt.port, config.mqtt.password, config.mqtt.prefix) == (8883, "s3cret", "tripod")
    assert config.announce is not None
    assert config.announce.token == "t0ken"
    assert config.tools.ffmpeg == "/opt/ffmpeg"
    hall, door = config.cameras
    assert isinstance(hall.source, V4l2)
    assert hall.learns, "nothing says which format is wanted"
    assert not door.learns
    assert hall.controls == {"brightness": 3.0, "auto": 1.0}
    assert hall.retention.max_bytes == 10 << 30
    assert hall.retention.of(Kind.RECORDING).max_age_days == 30
    assert hall.jobs[0].weekdays == {0, 6}
    assert hall.jobs[0].look.width == 640
    assert hall.publications[0].key == "secret"
    assert isinstance(door.source, UrlSource)
    assert (door.title, door.source.password) == ("door", "pass")
    assert config.mqtt_prefix(door) == "tripod/door"


def test_no_secret_is_shown(tmp_path: Path) -> None:
    shown = repr(loaded(tmp_path, WHOLE))
    assert not [secret for secret in ("s3cret", "t0ken", "pass'", "/secret") if secret in shown]


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    environ = {"TRIPOD_NAME": "environment", "TRIPOD_LOG_LEVEL": "error", "TRIPOD_MQTT_PORT": "1", "OTHER": "x"}
    config = loaded(tmp_path, WHOLE, environ, name="flag", zeroconf="no")
    assert (config.name, config.log_level, config.zeroconf) == ("flag", "error", False)
    assert config.mqtt is not None
    assert config.mqtt.port == 1
    assert config.cors == ("https://home.example",)


def test_all_from_the_environment(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("abc")
    environ = {
        "TRIPOD_CAMERA": "url:http://camera/stream",
        "TRIPOD_LISTEN": "[::1]:1234",
        "TRIPOD_STORAGE_FLOOR": "500 MB",
        "TRIPOD_CORS": "https://a, https://b",
        "TRIPOD_ANNOUNCE_URL": "http://home:8123",
        "TRIPOD_ANNOUNCE_TOKEN_FILE": str(token),
        "STATE_DIRECTORY": "/var/lib/private/tripod-node",
    }
    config = load(None, environ, {})
    assert (config.host, config.port, config.floor) == ("::1", 1234, 500_000_000)
    assert config.cors == ("https://a", "https://b")
    assert config.announce is not None
    assert config.announce.token == "abc"
    assert config.state == Path("/var/lib/private/tripod-node")
    (camera,) = config.cameras
    assert (camera.id, camera.source.address, camera.learns) == ("camera", "http://camera/stream", True)
    assert load(None, environ, {}, "test_pattern").cameras[0].source == TestPattern()


def test_secrets_have_no_flags() -> None:
    secrets = {setting.environment for setting in settings() if setting.secret}
    assert secrets == {"TRIPOD_ANNOUNCE_TOKEN", "TRIPOD_MQTT_PASSWORD"}


def test_every_field_can_be_said_outside_of_the_file() -> None:
    """But for the cameras, each setting has a variable, also those that come one day."""
    known = {setting.key for setting in settings()}
    for field in fields(NodeConfig):
        name = field.name.removeprefix("log_")
        assert name in known | {"host", "port", "cameras", "announce", "mqtt", "tools"}


WRONG = [
    ('name = "Hall"', "nmae = 1", "tripod-node.toml: there is no nmae; is name meant?"),
    ('name = "Hall"', "name = 1", "name is to be text, and not a number"),
    ('name = "Hall"', 'name = ""', "name is empty"),
    ('name = "Hall"', "name = ", "this is not TOML: Invalid value (at line 1"),
    ("[::]:9000", "nowhere:99999", "listen is 'nowhere:99999'"),
    ('level = "debug"', 'level = "loud"', "log_level is 'loud', and none of debug, info, warning, error"),
    ("2 GiB", "2 Gigs", "[storage]: floor is to be a size"),
    ("tls = true", "tls = 1", "[mqtt]: tls is to be true or false, and not a number"),
    ("tls = true", 'certificate = "x"', "[mqtt]: certificate and key belong together"),
    ('"password"', '"nothing"', "[mqtt]: "),
    ('password_file = "password"', 'password_file = "password"\npassword = "x"', "are both given"),
    ('url = "https://home.example"', 'url = "home"', "[announce]: url is not the address"),
    ('id = "hall"', 'id = "The hall"', "camera 'The hall': an id is of small letters"),
    ('id = "hall"', "", "[[camera]] number 1: id is missing"),
    ('id = "door"', 'id = "hall"', "camera 'hall': two cameras have this id"),
    (
        'kind = "url", url = "rtsp://user:pass@door/live", delivery = "packets"',
        'kind = "v4l2", device = "/dev/video0"',
        "are one device",
    ),
    ('kind = "v4l2"', 'kind = "webcam"', "camera 'hall', source: kind is 'webcam', and none of csi"),
    ('device = "/dev/video0"', "", "camera 'hall', source: device is missing"),
    ("/dev/video0", "/etc/passwd", "camera 'hall', source: This is not a valid camera configuration"),
    ("rtsp://user:pass@door", "file://door", "camera 'door', source: "),
    ('start = "always"', 'start = "never"', "options: start is 'never', and none of on_demand, always, manual"),
    ("pre_roll = 5", "pre_rol = 5", "options: there is no pre_rol; is pre_roll meant?"),
    ("pre_roll = 5", 'pre_roll = "5"', "options: pre_roll is to be a number, and not text"),
    ("pre_roll = 5", "pre_roll = nan", "options: pre_roll is to be a number"),
    ("max_age_days", "max_age", "storage, recordings: there is no max_age; is max_age_days meant?"),
    ("interval = 60", "interval = 0.1", "timelapse number 1: This timelapse cannot be: an interval of 0.1"),
    ("06:00:00", '"noon"', "start_time is to be a time of day"),
    ('"mon"', '"monday"', "'monday' is no day of the week"),
    ("rtmp://host/live/secret", "gopher://host", "publish number 1: The video cannot be published"),
    ("[[camera.publish]]", "[camera.publish]", "publish is to be a list, and not a table"),
    ("brightness = 3", 'brightness = "high"', "brightness is to be a number"),
    ("[tools]", "[tool]", "there is no tool; is tools meant?"),
    ("[mqtt]", "mqtt = 1\n[other]", "there is no other"),
]


@pytest.mark.parametrize(("good", "wrong", "said"), WRONG, ids=[said for _, _, said in WRONG])
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, good: str, wrong: str, said: str) -> None:
    assert good in WHOLE
    with pytest.raises(InvalidConfiguration) as raised:
        loaded(tmp_path, WHOLE.replace(good, wrong, 1))
    assert said in str(raised.value)
    assert str(tmp_path / "tripod-node.toml") in str(raised.value)
    assert not [secret for secret in ("s3cret", "t0ken", "user:pass") if secret in str(raised.value)]


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"TRIPOD_NMAE": "x"}, "environment: there is no TRIPOD_NMAE; is TRIPOD_NAME meant?"),
        ({"TRIPOD_ZEROCONF": "perhaps"}, "TRIPOD_ZEROCONF: 'perhaps' is neither yes nor no"),
        ({"TRIPOD_CAMERA": "webcam"}, "TRIPOD_CAMERA: it begins with one of csi:"),
        ({"TRIPOD_CAMERA": "v4l2"}, "TRIPOD_CAMERA: v4l2: has an address after it"),
        ({"TRIPOD_CAMERA": "test_pattern:x"}, "TRIPOD_CAMERA: test_pattern: has no address after it"),
        ({"TRIPOD_MQTT_PORT": "many"}, "port is to be a whole number, and not text"),
    ],
)
def test_what_is_wrong_in_the_environment(environ: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidConfiguration) as raised:
        load(None, environ, {})
    assert said in str(raised.value)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x00" * 10, None])
def test_a_file_that_is_none(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "tripod-node.toml"
    if data:
        path.write_bytes(data)
    with pytest.raises(InvalidConfiguration):
        load(path, {}, {})


def test_the_file_is_found_where_it_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE)
    assert find({"TRIPOD_CONFIG": str(path)}) == path
    assert find({"TRIPOD_CONFIG": "/elsewhere"}, str(path)) == path


WORDS = (
    "camera id source kind url device options storage recordings timelapse name publish controls mqtt host tls announce"
    " listen floor state tools log level"
)
KEYS = st.sampled_from(WORDS.split()) | st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
SOURCES = st.fixed_dictionaries({"id": st.just("a"), "source": st.dictionaries(KEYS, JSON, max_size=4)})


@effort(max_examples=100, deadline=None)
@given(table=st.dictionaries(KEYS, JSON, max_size=5) | st.fixed_dictionaries({"camera": st.lists(SOURCES, max_size=2)}))
def test_nonsense_is_refused_and_never_falls_over(table: dict[str, object]) -> None:
    try:
        config = build(table, "file", Path("/base"), {})
    except InvalidConfiguration:
        return
    assert is_dataclass(config)


def test_a_setting_is_called_the_same_everywhere() -> None:
    setting = Setting("mqtt", "verify_tls", bool)
    assert (setting.environment, setting.flag) == ("TRIPOD_MQTT_VERIFY_TLS", "--mqtt-verify-tls")
