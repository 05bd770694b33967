"""The test servers as fixtures: a plugin for every part of the tests."""

from collections.abc import Iterator

import pytest

from . import start
from .certificate import Certificates, Chain, write_certificates, write_chain
from .mosquitto import Mosquitto
from .start import Server


@pytest.fixture(scope="session")
def rtsp_server() -> Iterator[Server]:
    """Offer an RTSP camera without password."""
    with start.rtsp_server() as server:
        yield server


@pytest.fixture(scope="session")
def rtsp_server_with_password() -> Iterator[Server]:
    """Offer an RTSP camera that knows user `user` with password `p@ss word`."""
    with start.rtsp_server("--user", "user", "--password", "p@ss word") as server:
        yield server


@pytest.fixture
def http_camera(shared_http_camera: Server) -> Iterator[Server]:
    """Offer an HTTP camera; below /basic and /digest it knows user `user` with password `p@ss:wörd`."""
    yield shared_http_camera
    shared_http_camera.control(stall=0)


@pytest.fixture(scope="session")
def shared_http_camera() -> Iterator[Server]:
    """Offer the HTTP camera that all tests share."""
    with start.http_camera() as server:
        yield server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Write certificates of an authority of our own."""
    return write_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Write certificates of a household: of an authority, one below it, servers and clients."""
    return write_chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture
def mosquitto(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Offer an MQTT broker that asks everybody for a certificate."""
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"), chain)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def open_http_camera() -> Iterator[Server]:
    """Offer an HTTP camera on every address of this machine."""
    with start.http_camera("--host", "0.0.0.0") as server:  # noqa: S104
        yield server


@pytest.fixture(scope="session")
def tls_http_camera(certificates: Certificates) -> Iterator[Server]:
    """Offer an HTTP camera that speaks TLS."""
    with start.http_camera("--certificate", str(certificates.server)) as server:
        yield server


@pytest.fixture(scope="session")
def tls_rtsp_server(certificates: Certificates) -> Iterator[Server]:
    """Offer an RTSP camera that speaks TLS."""
    with start.rtsp_server("--certificate", str(certificates.server)) as server:
        yield server
