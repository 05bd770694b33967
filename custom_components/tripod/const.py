"""Names that several modules share."""

from typing import Final

DOMAIN: Final = "tripod"

DASHBOARD_HLS_URL: Final = "/api/tripod/hls/{token}/{path}"
"""Where dashboards play a camera; the token dies when nobody asks any more."""

CONF_CODEC: Final = "codec"
"""What the live check found when the camera was set up, kept beside the source's own fields."""

CONF_DASHBOARD_VIDEO: Final = "dashboard_video"
CONF_DAY_NIGHT: Final = "day_night"
CONF_H264_BIT_RATE: Final = "h264_bit_rate"
CONF_H264_WIDTH: Final = "h264_width"
CONF_LINGER: Final = "linger"
CONF_MAX_VIEWERS: Final = "max_viewers"
CONF_MJPEG_QUALITY: Final = "mjpeg_quality"
CONF_MJPEG_RATE: Final = "mjpeg_rate"
CONF_NIGHT_ENTITY: Final = "night_entity"
CONF_PRE_ROLL: Final = "pre_roll"
CONF_RING: Final = "ring"
CONF_STALL_LIMIT: Final = "stall_limit"
CONF_START: Final = "start"
CONF_WARM_UP: Final = "warm_up"

CONF_NODE: Final = "node"
"""The id of the node that a camera is on."""

CONF_TAKE_OVER: Final = "take_over"
"""Whether what the node keeps of a camera comes here."""

SUBENTRY_LINK: Final = "link"
CONF_EXPIRES: Final = "expires"
CONF_KEY: Final = "key"
CONF_LIMIT: Final = "limit"
CONF_SCOPES: Final = "scopes"

CONF_MQTT: Final = "mqtt"
"""The option that lets MQTT control the camera: a mapping with the prefix of its topics; missing where it does not."""
CONF_PREFIX: Final = "prefix"

CONF_STORAGE: Final = "storage"
"""The options about what is kept, in a mapping of their own: a folder, a floor, what the camera may take, and under the
name of each kind (`engine.archive.Kind`) a mapping of its limits."""
CONF_FLOOR: Final = "floor"
CONF_FOLDER: Final = "folder"
"""In which the camera's own folder is made; where it is empty, that is `tripod` in the media directory."""
CONF_MAX_AGE: Final = "max_age"
CONF_MAX_COUNT: Final = "max_count"
CONF_MAX_SIZE: Final = "max_size"

SUBENTRY_PUBLICATION: Final = "publication"
"""A server that takes the camera's video: its data is `engine.publisher.Publication.as_dict`."""
CONF_SOUND: Final = "sound"
CONF_VERIFY_TLS: Final = "verify_tls"

SUBENTRY_TIMELAPSE: Final = "timelapse"
"""A standing timelapse: its title is the job's name, its data `engine.timelapse.Job.as_dict`."""
