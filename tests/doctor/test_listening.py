"""Which program listens on a port, from the tables of Linux."""

import os
import socket
import sys

import pytest

from indexfallback.cli.port_holder import port_holder
from indexfallback.doctor.listening import Holder, list_listeners, listeners

_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"


def table(address: str, state: str = "0A", uid: int = 33) -> str:
    """Return a table of the kernel with one socket."""
    rest = f"00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {uid:5} 0 777 1 0 100"
    return f"{_HEAD}   0: {address} {rest}\n"


pytestmark = pytest.mark.skipif(sys.byteorder != "little", reason="the addresses here are little")


@pytest.mark.parametrize(
    "address",
    [
        "0100007F:157F",
        "00000000:157F",
        "00000000000000000000000000000000:157F",
        "0000000000000000FFFF00000100007F:157F",
    ],
    ids=["its address", "any", "any of IPv6", "mapped"],
)
def test_a_socket_at_the_address_is_found(address: str) -> None:
    ((uid, inode),) = listeners(table(address), "127.0.0.1", 5503)
    assert (uid, inode) == (33, 777)


@pytest.mark.parametrize(
    "text",
    [
        table("0100007F:1580"),
        table("0100007F:157F", "01"),
        table("0201A8C0:157F"),
        "",
        "a head\nnot a line\n",
    ],
    ids=["port", "state", "address", "empty", "garbage"],
)
def test_another_socket_is_not(text: str) -> None:
    assert list(listeners(text, "127.0.0.1", 5503)) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the tables")
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_program_of_ones_own_is_named_with_its_process(host: str) -> None:
    with socket.create_server((host, 0)) as server:
        holder = port_holder("127.0.0.1", server.getsockname()[1])
    assert holder is not None
    assert holder.pid == os.getpid()
    assert holder.words == f"{holder.name} (process {os.getpid()})"


def test_nothing_holds_a_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert port_holder("127.0.0.1", port) is None


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        (Holder("nginx", 812, "www"), "nginx of www (process 812)"),
        (Holder("", None, "bob"), "a program of bob"),
        (Holder("", 812), "a program (process 812)"),
    ],
)
def test_what_is_known_of_it_is_told(holder: Holder, words: str) -> None:
    assert holder.words == words


@pytest.mark.parametrize(
    ("platform", "command"), [("linux", "ss -ltnp"), ("darwin", "lsof"), ("win32", "netstat")]
)
def test_each_system_has_a_command_that_names_it(platform: str, command: str) -> None:
    assert command in list_listeners(platform, 5503)
    assert "5503" in list_listeners(platform, 5503)
