"""Work on demand: starts with the first holder, outlives the last by its linger, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar, copy_context
import gc
import weakref

import pytest

from custom_components.tripod.engine.demand import OnDemand


class Work:
    """Work that says when it began and ended."""

    def __init__(self) -> None:
        self.begun = 0
        self.running = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        self.running.set()
        self.ended.clear()
        try:
            await asyncio.Event().wait()
        finally:
            self.running.clear()
            self.ended.set()


@asynccontextmanager
async def on_demand(linger: float = 0.02, *, keep: bool = False) -> AsyncIterator[tuple[OnDemand, Work]]:
    work = Work()
    demand = OnDemand(work, linger, keep=keep)
    demand.allow()
    yield demand, work
    await demand.block()
    assert not demand.running


async def test_work_and_linger_let_go_of_the_request_that_began_them() -> None:
    current: ContextVar[Work] = ContextVar("current")  # as Home Assistant keeps the request in one

    def request(demand: OnDemand) -> weakref.ref[Work]:
        held = Work()
        current.set(held)
        with demand.hold():
            return weakref.ref(held)

    async with on_demand(linger=10) as (demand, work), asyncio.timeout(5):
        held = copy_context().run(request, demand)
        await work.running.wait()
        gc.collect()
        assert demand.running
        assert held() is None


async def test_runs_while_held_and_lingers() -> None:
    async with on_demand() as (demand, work), asyncio.timeout(5):
        assert not demand.running
        with demand.hold():
            await work.running.wait()
            with demand.hold():
                pass
            await asyncio.sleep(0.05)
            assert work.running.is_set()
        assert work.running.is_set()
        await work.ended.wait()
    assert work.begun == 1


async def test_new_holder_within_the_linger_keeps_the_same_run() -> None:
    async with on_demand(linger=0.05) as (demand, work), asyncio.timeout(5):
        for _ in range(5):
            with demand.hold():
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.02)
        assert work.begun == 1


async def test_blocked_work_never_runs() -> None:
    async with on_demand() as (demand, work), asyncio.timeout(5):
        with demand.hold():
            await work.running.wait()
            await demand.block()
            assert work.ended.is_set()
            with demand.hold():
                await asyncio.sleep(0.01)
                assert work.begun == 1
            demand.allow()
            await work.running.wait()
    assert work.begun == 2


async def test_kept_work_runs_without_holders() -> None:
    async with on_demand(keep=True) as (demand, work), asyncio.timeout(5):
        await work.running.wait()
        with demand.hold():
            pass
        await asyncio.sleep(0.05)
        assert work.begun == 1
        assert demand.wanted


async def test_cancelled_work_that_is_wanted_starts_again() -> None:
    async with on_demand() as (demand, work), asyncio.timeout(5):
        with demand.hold():
            await work.running.wait()
            await demand.cancel()
            await work.running.wait()
        assert work.begun == 2


async def test_run_once_lingers() -> None:
    async with on_demand() as (demand, work), asyncio.timeout(5):
        demand.run_once()
        await work.running.wait()
        await work.ended.wait()


async def test_failed_work_is_reported_and_not_repeated_in_a_loop() -> None:
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    async def broken() -> None:
        raise ValueError("broken")

    demand = OnDemand(broken, 0)
    demand.allow()
    with demand.hold():
        await asyncio.sleep(0.01)
    await demand.block()
    assert [str(context["exception"]) for context in reported] == ["broken"]


@pytest.mark.parametrize("times", [1, 20])
async def test_blocking_again_is_harmless(times: int) -> None:
    async with on_demand() as (demand, _):
        for _ in range(times):
            await demand.block()


async def test_work_that_ends_already_is_not_broken_off() -> None:
    begun, proceed, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            begun.set()
            await proceed.wait()
            ended.set()

    demand = OnDemand(work, linger=0)
    demand.allow()
    async with asyncio.timeout(5):
        with demand.hold():
            await asyncio.sleep(0)
        await begun.wait()
        block = asyncio.create_task(demand.block())
        await asyncio.sleep(0)
        proceed.set()
        await block
    assert ended.is_set()
