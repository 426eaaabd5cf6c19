"""Tiny real distributions and real HTTP indexes that fail in every way on demand."""

from tests.fakes.directories import DirectoryTree, flat_directory
from tests.fakes.faults import Rule
from tests.fakes.forward_proxy import ForwardProxy
from tests.fakes.index import FakeIndex
from tests.fakes.osv import FakeOsv
from tests.fakes.proxy import FaultProxy
from tests.fakes.wheels import Dist, sdist, tree, wheel
from tests.fakes.wire import Request

__all__ = [
    "DirectoryTree",
    "Dist",
    "FakeIndex",
    "FakeOsv",
    "FaultProxy",
    "ForwardProxy",
    "Request",
    "Rule",
    "flat_directory",
    "sdist",
    "tree",
    "wheel",
]
