"""The queue of renders: order, limit, cancel, restart. A renderer that waits for the test stands in for ffmpeg here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from custom_components.tripod.engine.archive import Archive, Item, Kind
from custom_components.tripod.engine.errors import (
    Cancelled,
    EncoderFailed,
    NoSuchRender,
    NotWritable,
    TooManyJobs,
    TripodError,
    WorkerFailed,
)
from custom_components.tripod.engine.events import Event, Failed, TimelapseReady
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.timelapse import RenderQueue, RenderRequest, RenderState

DAY = date(2026, 11, 21)


def request(job: str) -> RenderRequest:
    return RenderRequest(job=job, start=DAY, end=DAY)


class Hand:
    """A renderer that is told by the test when to end, and how."""

    def __init__(self) -> None:
        self.at_work: list[str] = []
        self.most = 0
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.outcome: dict[str, asyncio.Future[Exception | None]] = {}
        self.progress: Callable[[float], None] = lambda _: None

    async def __call__(
        self,
        request: RenderRequest,
        archive: Archive,
        ffmpeg: Ffmpeg,  # noqa: ARG002
        progress: Callable[[float], None],
    ) -> Item:
        self.at_work.append(request.job)
        self.most = max(self.most, len(self.at_work))
        self.progress = progress
        outcome = self.outcome[request.job] = asyncio.get_running_loop().create_future()
        self.begun.put_nowait(request.job)
        try:
            if error := await outcome:
                raise error
            return await asyncio.to_thread(
                archive.publish,
                Kind.VIDEO,
                datetime.now(UTC),
                b"video",
                suffix=".mp4",
                job=request.job,
                name=f"{request.job}_{request.id}.mp4",
                details={"frames": 7},
            )
        finally:
            self.at_work.remove(request.job)

    async def begins(self) -> str:
        async with asyncio.timeout(10):
            return await self.begun.get()

    def end(self, job: str, error: Exception | None = None) -> None:
        self.outcome[job].set_result(error)


class Set:
    def __init__(self, queue: RenderQueue, hand: Hand, archive: Archive, events: list[Event]) -> None:
        self.queue = queue
        self.hand = hand
        self.archive = archive
        self.events = events


@asynccontextmanager
async def a_queue(folder: Path, *, limit: int = 100, attached: bool = True) -> AsyncIterator[Set]:
    hand, events = Hand(), list[Event]()
    archive = Archive(folder / "garden", "garden", zone=UTC, floor=0)
    archive.open()
    queue = RenderQueue(folder / "renders" / "queue.json", Ffmpeg(), hand, limit=limit)
    await queue.open()
    if attached:
        await queue.attach(archive, events.append)
    try:
        yield Set(queue, hand, archive, events)
    finally:
        await queue.close()


async def test_one_at_a_time_in_the_order_in_which_they_were_asked_for(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        renders = [await on.queue.add("garden", request(job)) for job in "abc"]
        for job in "abc":
            assert await on.hand.begins() == job
            on.hand.end(job)
        items = [await render.done() for render in renders]
        assert on.hand.most == 1
        assert [event.item for event in on.events if isinstance(event, TimelapseReady)] == items
        assert all(isinstance(event, TimelapseReady) and event.details == {"frames": 7} for event in on.events)
        assert on.queue.renders == ()


async def test_progress_is_told_by_the_hundredth(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        render = await on.queue.add("garden", request("a"))
        await on.hand.begins()
        assert render.state is RenderState.RUNNING
        told: list[float] = []
        on.queue.listen(lambda: told.append(render.progress))
        for step in range(10001):
            on.hand.progress(step / 10000)
        assert len(told) == 100
        assert told[-1] == 1.0


async def test_ten_thousand_are_too_many(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        results = await asyncio.gather(
            *(on.queue.add("garden", request("a")) for _ in range(10000)), return_exceptions=True
        )
        assert sum(isinstance(result, TooManyJobs) for result in results) == 9900
        assert len(on.queue.renders) == 100


async def test_what_waits_can_be_cancelled(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        first = await on.queue.add("garden", request("a"))
        second = await on.queue.add("garden", request("b"))
        await on.hand.begins()
        await on.queue.cancel(second.id)
        with pytest.raises(Cancelled):
            await second.done()
        on.hand.end("a")
        await first.done()
        with pytest.raises(NoSuchRender):
            await on.queue.cancel(second.id)
        assert on.hand.begun.empty()


async def test_what_runs_can_be_cancelled_and_the_next_one_runs(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        first = await on.queue.add("garden", request("a"))
        second = await on.queue.add("garden", request("b"))
        await on.hand.begins()
        cancelled = await on.queue.cancel(first.id)
        assert cancelled.state is RenderState.CANCELLED
        assert await on.hand.begins() == "b"
        assert on.hand.at_work == ["b"]
        on.hand.end("b")
        await second.done()
        assert [type(event) for event in on.events] == [TimelapseReady]


@pytest.mark.parametrize(("error", "told"), [(EncoderFailed("x"), EncoderFailed), (RuntimeError("x"), WorkerFailed)])
async def test_what_fails_is_told_and_the_next_one_runs(
    tmp_path: Path, error: Exception, told: type[TripodError]
) -> None:
    async with a_queue(tmp_path) as on:
        first = await on.queue.add("garden", request("a"))
        await on.queue.add("garden", request("b"))
        on.hand.end(await on.hand.begins(), error)
        with pytest.raises(told):
            await first.done()
        assert first.state is RenderState.FAILED
        (event,) = on.events
        assert isinstance(event, Failed)
        assert (event.what, event.name, type(event.error)) == ("timelapse", "a", told)
        assert await on.hand.begins() == "b"


async def test_a_restart_begins_again_where_it_was(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        renders = [await on.queue.add("garden", request(job)) for job in "ab"]
        await on.hand.begins()
    async with a_queue(tmp_path, attached=False) as on:
        assert [render.id for render in on.queue.renders] == [render.id for render in renders]
        assert on.hand.begun.empty()  # its camera is not there yet
        await on.queue.attach(on.archive, on.events.append)
        assert await on.hand.begins() == "a"
        on.hand.end("a")
        assert await on.hand.begins() == "b"
        on.hand.end("b")
        await on.queue.renders[0].done()
    async with a_queue(tmp_path) as on:
        assert on.queue.renders == ()


async def test_what_was_done_when_the_machine_failed_is_not_done_again(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        render = await on.queue.add("garden", request("a"))
        left = (tmp_path / "renders" / "queue.json").read_bytes()
        on.hand.end(await on.hand.begins())
        video = await render.done()
    (tmp_path / "renders" / "queue.json").write_bytes(left)
    async with a_queue(tmp_path) as on:
        again = on.queue.renders[0]
        assert await again.done() == video
        assert on.hand.begun.empty()
        assert [type(event) for event in on.events] == [TimelapseReady]


async def test_a_camera_that_goes_lets_the_others_go_on(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        other = Archive(tmp_path / "fence", "fence", zone=UTC, floor=0)
        other.open()
        await on.queue.attach(other, on.events.append)
        gone = await on.queue.add("garden", request("a"))
        await on.queue.add("fence", request("b"))
        assert await on.hand.begins() == "a"
        await on.queue.detach("garden")
        assert on.hand.at_work != ["a"]
        assert gone.state is RenderState.WAITING
        assert await on.hand.begins() == "b"
        on.hand.end("b")
        await on.queue.attach(on.archive, on.events.append)
        assert await on.hand.begins() == "a"
        await on.queue.forget("garden")
        with pytest.raises(Cancelled):
            await gone.done()


async def test_days_are_encoded_while_nothing_is_rendered(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        async with on.queue.spare_turn():
            render = await on.queue.add("garden", request("a"))
            await asyncio.sleep(0)
            assert render.state is RenderState.WAITING
        assert await on.hand.begins() == "a"
        taken = asyncio.Event()

        async def encode() -> None:
            async with on.queue.spare_turn():
                taken.set()

        day = asyncio.create_task(encode())
        await on.queue.add("garden", request("b"))
        on.hand.end("a")
        assert await on.hand.begins() == "b"  # though the day asked first
        assert not taken.is_set()
        on.hand.end("b")
        await day
        assert taken.is_set()


async def test_a_day_that_is_given_up_gives_its_turn_back(tmp_path: Path) -> None:
    async with a_queue(tmp_path) as on:
        render = await on.queue.add("garden", request("a"))
        await on.hand.begins()

        async def encode() -> None:
            async with on.queue.spare_turn():
                raise AssertionError

        day = asyncio.create_task(encode())
        await asyncio.sleep(0)
        day.cancel()
        await asyncio.wait([day])
        on.hand.end("a")
        await render.done()
        async with asyncio.timeout(10), on.queue.spare_turn():
            pass


@pytest.mark.parametrize("text", ["", "{", "5", '{"renders": 5}', '{"renders": [{"id": "x"}]}'])
async def test_a_file_that_cannot_be_read_stops_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "renders").mkdir()
    (tmp_path / "renders" / "queue.json").write_text(text)
    async with a_queue(tmp_path) as on:
        await on.queue.add("garden", request("a"))
        on.hand.end(await on.hand.begins())


async def test_what_cannot_be_remembered_is_not_accepted(tmp_path: Path) -> None:
    (tmp_path / "renders").write_text("a file where the folder should be")
    async with a_queue(tmp_path) as on:
        with pytest.raises(NotWritable):
            await on.queue.add("garden", request("a"))
        assert on.queue.renders == ()
