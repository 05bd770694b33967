"""Links as the user meets them."""

import pytest

from .pages import Frontend
from .server import HomeAssistant
from .viewers import watching
from .waiting import until


def test_revoking_a_link_cuts_its_viewer_and_no_other(frontend: Frontend, home_assistant: HomeAssistant) -> None:
    camera = home_assistant.add_test_camera("Gate", "Guest", "Gate TV", format="mjpeg")
    guest, other = camera.link("Guest", "stream.mjpg"), camera.link("Gate TV", "stream.mjpg")
    with watching(guest) as revoked, watching(other) as kept:
        until(lambda: revoked.frames > 5 and kept.frames > 5, "pictures for both")
        frontend.integration().delete("Guest")

        assert revoked.ended.wait(10), "the revoked link's viewer still watches"
        before = kept.frames
        until(lambda: kept.frames > before + 15, "pictures for the other link's viewer")
        assert not kept.ended.is_set()
    with pytest.raises(OSError, match="404"):
        watching(guest).__enter__()
