"""Machines on a network of their own: network namespaces of this one, each on a cable to a switch."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
import os
from pathlib import Path
import shutil
import subprocess

_INTERFACE = "eth0"
_NAMESPACE = ("/usr/bin/unshare", "--net")
_PREFIX = 24


class UnavailableError(Exception):
    """There can be no such network here; says why."""


class _Namespace:
    """A network namespace, which lives as long as this process and what runs in it."""

    def __init__(self, stack: ExitStack) -> None:
        """Make one that `stack` ends."""
        # It ends with its standard input: nothing is left behind, however this process ends.
        holder = subprocess.Popen([*_NAMESPACE, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stack.enter_context(holder)
        assert holder.stdin
        assert holder.stdout
        stack.callback(holder.stdin.close)
        holder.stdin.write(b"\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"\n", "unshare --net failed"
        self.pid = holder.pid
        self.path = f"/proc/{holder.pid}/ns/net"
        self.ip("link", "set", "lo", "up")

    def command(self, *program: str) -> list[str]:
        """Return the command that runs `program` in here."""
        return ["nsenter", f"--net={self.path}", "--", *program]

    def ip(self, *arguments: str) -> None:
        """Configure the network in here."""
        subprocess.run(self.command("ip", *arguments), check=True)


class Host(_Namespace):
    """A machine."""

    def __init__(self, stack: ExitStack, switch: _Namespace, address: str) -> None:
        """Put one with this address on a cable to the switch."""
        super().__init__(stack)
        self.address = address
        self._switch = switch
        self._port = f"port{self.pid}"
        ends = ("peer", "name", self._port, "netns", str(switch.pid))
        self.ip("link", "add", _INTERFACE, "type", "veth", *ends)
        switch.ip("link", "set", self._port, "master", "switch", "up")
        self.ip("link", "set", _INTERFACE, "up")
        self._take(address)

    def _take(self, address: str) -> None:
        self.ip("address", "add", f"{address}/{_PREFIX}", "dev", _INTERFACE)
        self.ip("route", "add", "default", "dev", _INTERFACE)  # as behind a router: it says where multicast goes
        self.address = address

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this thread, and what it starts, be on this machine."""
        with Path("/proc/thread-self/ns/net").open() as here, Path(self.path).open() as there:
            os.setns(there.fileno(), os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(here.fileno(), os.CLONE_NEWNET)

    def unplug(self) -> None:
        """Pull the cable."""
        self._switch.ip("link", "set", self._port, "down")

    def plug(self) -> None:
        """Plug the cable in again."""
        self._switch.ip("link", "set", self._port, "up")

    def move(self, address: str) -> None:
        """Take another address, as from a router that gives out others after a restart."""
        self.ip("address", "flush", "dev", _INTERFACE)
        self._take(address)


@contextmanager
def of(*addresses: str) -> Iterator[list[Host]]:
    """Run a network with a machine for each address; raises `UnavailableError` where that cannot be."""
    _check()
    with ExitStack() as stack:
        switch = _Namespace(stack)
        # A switch for homes: it floods multicast, and forwards from the first moment on.
        switch.ip("link", "add", "switch", "type", "bridge", "mcast_snooping", "0", "forward_delay", "0")
        switch.ip("link", "set", "switch", "up")
        yield [Host(stack, switch, address) for address in addresses]


def _check() -> None:
    if not shutil.which("ip"):
        raise UnavailableError("network namespaces need ip, of Debian's package iproute2")
    bridge = [*_NAMESPACE, "ip", "link", "add", "switch", "type", "bridge"]
    if (tried := subprocess.run(bridge, capture_output=True, text=True, check=False)).returncode:
        raise UnavailableError(f"this machine allows no network namespaces: {tried.stderr.strip()}")
