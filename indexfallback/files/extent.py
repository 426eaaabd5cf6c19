"""Limits the bytes of a file, on the wire and decoded, to the size that its page states. Pure.

An index that sends more, or a small body that decodes to a large one, would fill the disk. Metadata
has no stated size.
"""

from indexfallback.names import METADATA_ENDING
from indexfallback.outcome import Kind, Outcome
from indexfallback.page import File
from indexfallback.upstream.answers import TransferError

#: A content coding may add to a file that does not compress: a header, and 0.03 %. Sizes that are
#: rounded on the page are within 2 %.
_SLACK, _SLACK_SHARE = 1024, 0.02
#: The largest metadata file, bytes: PyPI's largest has 0.6 MB.
_MOST_METADATA = 64 << 20


class ExtentError(TransferError):
    """More bytes came than the page states. All of them are useless; another try brings the same.

    The outcome is of the kind WRONG.
    """


class Extent:
    """The most bytes of one file."""

    def __init__(self, file: File, unstated: int, setting: str = "") -> None:
        """Take ``unstated`` bytes if the page states no size; ``setting`` is where that is set."""
        self._stated = file.size
        if file.size is not None:
            self.most = int(file.size * (1 + _SLACK_SHARE)) + _SLACK
        elif file.filename.endswith(METADATA_ENDING):
            self.most, setting = _MOST_METADATA, ""
        else:
            self.most = unstated
        self._setting = setting

    def check(self, size: int) -> None:
        """Raise `ExtentError` for a file of ``size`` bytes, or one of which so many have come."""
        if size > self.most:
            raise ExtentError(Outcome(Kind.WRONG, self._problem(size)))

    def _problem(self, size: int) -> str:
        if self._stated is not None:
            return f"wrong bytes: {size} or more, where its page states {self._stated}"
        remedy = f"; raise {self._setting} to take it" if self._setting else ""
        return f"more than {self.most} bytes, and its page states no size{remedy}"
