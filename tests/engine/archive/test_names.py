"""Names that sort, parse back, and stay where they are put."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, strategies as st
import pytest

from custom_components.tripod.engine.archive import confined, file_name, folder_name, parse
from custom_components.tripod.engine.archive.names import FORBIDDEN
from custom_components.tripod.engine.errors import InvalidName

OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=OFFSETS)  # noqa: DTZ001


@given(TIMES)
def test_a_time_comes_back_to_the_millisecond(at: datetime) -> None:
    name = file_name(at, ".jpg")
    assert parse(name) == at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert not FORBIDDEN.intersection(name)
    assert folder_name(name) == name


def test_an_offset_with_seconds_comes_back() -> None:
    at = datetime(1970, 1, 1, tzinfo=timezone(-timedelta(minutes=44, seconds=30)))  # Monrovia, to a clock not yet set
    assert parse(file_name(at, ".jpg")) == at


@given(TIMES, TIMES)
def test_names_of_one_offset_sort_as_times_do(one: datetime, other: datetime) -> None:
    one, other = one.astimezone(UTC), other.astimezone(UTC)
    names = file_name(one, ""), file_name(other, "")
    assert names[0] == names[1] or (names[0] < names[1]) == (one < other)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "2026-11-21",
        "2026-11-21_14-05-09.123+0100",
        "2026-11-21_14-05-09.123.jpg",
        "2026-02-30_14-05-09.123+0100.jpg",
        "2026-11-21_24-05-09.123+0100.jpg",
        "2026-11-21_14-05-09.123+9900.jpg",
        "x2026-11-21_14-05-09.123+0100.jpg",
        "٢٠٢٦-11-21_14-05-09.123+0100.jpg",
    ],
)
def test_other_names_have_no_time(name: str) -> None:
    assert parse(name) is None


@given(st.text())
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    try:
        path = confined(f"{name}.jpg", [".jpg"])
    except InvalidName:
        return
    assert not path.is_absolute()
    assert str(path) == f"{name}.jpg"
    assert all(part not in (".", "..") and not part.startswith(".") for part in path.parts)
    assert not FORBIDDEN.intersection(str(path).replace("/", ""))


@pytest.mark.parametrize(
    "name",
    [
        "../x.jpg",
        "a/../x.jpg",
        "/x.jpg",
        "a//x.jpg",
        "x.jpg/",
        ".x.jpg",
        "a\\x.jpg",
        "12:05.jpg",
        "con.jpg",
        "Aux/x.jpg",
        "lpt9.jpg",
        "x /y.jpg",
        " x.jpg",
        "x./y.jpg",
        "x\0.jpg",
        "x\n.jpg",
        "x.html",
        "x",
        "x" * 197 + ".jpg",
        "ä" * 100 + ".jpg",
        "\udcff.jpg",
        "a/b/c/d/x.jpg",
    ],
)
def test_what_not_every_disk_can_store_is_refused(name: str) -> None:
    with pytest.raises(InvalidName) as caught:
        confined(name, [".jpg", ".jpeg"])
    assert caught.value.placeholders["detail"]


@pytest.mark.parametrize("name", ["x.jpg", "Gartentür.JPG", "door/2026-11-21 14-05.jpeg", "conference.jpg", "-x.jpg"])
def test_what_every_disk_can_store_stays_as_it_is(name: str) -> None:
    assert str(confined(name, [".jpg", ".jpeg"])) == name
