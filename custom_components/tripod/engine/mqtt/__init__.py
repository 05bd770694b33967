"""Control of a camera by MQTT: what topics and payloads mean. Whoever has the connection brings and takes messages."""

from .actions import Host
from .control import MqttControl
from .outbox import Outbox, Unsent
from .status import MqttStatus
from .topics import Topics, check_prefix, default_prefix

__all__ = ["Host", "MqttControl", "MqttStatus", "Outbox", "Topics", "Unsent", "check_prefix", "default_prefix"]
