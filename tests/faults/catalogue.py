"""The catalogue of faults that the shim must survive, and what happened to others.

A test shows a row by ``@pytest.mark.fault(number)``, an incident by its name after "incident: ".
"""

from typing import NamedTuple


class Row(NamedTuple):
    """One fault."""

    number: int
    fault: str
    #: What the shim does, in one line.
    expected: str


class Incident(NamedTuple):
    """What happened to others, and what it teaches."""

    #: As in a marker, which puts "incident: " before it.
    name: str
    what: str
    lesson: str


#: What holds in every row, besides its own words.
EVERYWHERE = (
    "an answer begins within ten seconds; what was kept stays right; no partial file is ever "
    "seen; one line of the log names index, cause and remedy"
)

SECTIONS: dict[str, tuple[Row, ...]] = {
    "Network": (
        Row(1, "connection refused", "the next index is asked within 50 ms"),
        Row(2, "packets to the index are dropped", "3 s at most once, then skipped at once"),
        Row(3, "no such host name", "the next index is asked"),
        Row(4, "the name server hangs", "the deadline holds; the thread is left to itself"),
        Row(5, "expired certificate", "not used, said loudly, not retried"),
        Row(6, "certificate of another host", "not used, said loudly, not retried"),
        Row(7, "self-signed certificate", "not used, said loudly, not retried"),
        Row(8, "no TLS where TLS is expected", "not used, and never asked without TLS"),
        Row(9, "accepts, then silence", "the limit of the first byte holds"),
        Row(10, "headers drip", "the limit holds over all headers, not per byte"),
        Row(11, "body drips", "the deadline holds over the whole, not per read"),
        Row(12, "reset in the body", "continued where it broke"),
        Row(13, "body shorter than announced", "continued, or decided by the hash"),
        Row(14, "body longer than announced", "never kept with the surplus"),
        Row(15, "chunked body breaks off", "continued where it broke"),
        Row(16, "body without length breaks off",
            "the hash decides; the client's connection is cut, never ended cleanly"),
        Row(17, "storm of 5xx", "retries stay within their budget"),
        Row(18, "up and down every two seconds", "changes of state no faster than every 5 s"),
        Row(19, "one of two addresses is dead", "the other one answers"),
        Row(20, "kept connection is dead", "one silent reconnect"),
        Row(21, "proxy of the system is set", "loopback goes past it"),
    ),
    "Content": (
        Row(22, "captive portal answers 200", "not an index: the next one is asked, nothing kept"),
        Row(23, "redirect to a portal on another host", "not an index, as before"),
        Row(24, "right type, garbage inside", "not an index, as before"),
        Row(25, "JSON cut short", "not an index, as before"),
        Row(26, "NaN, duplicate keys, 100,000 levels",
            "refused at once; of duplicate keys the last counts"),
        Row(27, "API version 2", "refused, naming the version and what is known"),
        Row(28, "page above limits.page_size", "not read to its end, refused"),
        Row(29, "compressed bomb, also on a redirect (CVE-2026-21441)",
            "bounded after decompression"),
        Row(30, "bad charset, byte order mark, base address", "read all the same"),
        Row(31, "wrong hash", "never served whole nor kept; another source is taken, else 409"),
        Row(32, "no hash", "pinned by the first whole download; other bytes are then a 409"),
        Row(33, "same name, other hash at mirror and PyPI", "PyPI's is right, with a notice"),
        Row(34, "yanked, core-metadata, provenance", "reach the client in both forms"),
        Row(35, "web page in place of a wheel",
            "refused, not kept; in place of its metadata: read from the wheel"),
        Row(36, "hash of an unknown kind; malformed digest of a known one",
            "as if it had none; the file is withheld"),
    ),
    "Hostile input": (
        Row(37, "file names that leave their place", "dropped; the rest of the page is served"),
        Row(38, "paths encoded twice", "decoded once, then checked; a 404"),
        Row(39, "javascript:, file: and data: links", "dropped"),
        Row(40, "line breaks in names, headers, reasons", "in no header, redirect or log line"),
        Row(41, "markup in names", "escaped"),
        Row(42, "redirects in circles", "five are followed"),
        Row(43, "redirect to another host", "takes no credentials and no cookies along"),
        Row(44, "redirect from https to http", "refused"),
        Row(45, "public page leads to a local address, by a name that resolves to it, too",
            "dropped, unless the index itself is at one; a redirect likewise"),
        Row(46, "credentials", "in no page, log, status or key of the cache"),
        Row(47, "HTML made to be slow", "read in linear time"),
        Row(48, "Range of 10,000 parts (CVE-2025-62727)", "answered with the whole"),
    ),
    "Cache and disk": (
        Row(49, "kill -9 at every step of a write", "opens, verifies clean, lost nothing recorded"),
        Row(50, "power loss", "file synced, renamed, directory synced, and only then recorded"),
        Row(51, "disk full at byte n", "served without being kept"),
        Row(52, "a read fails", "fetched again"),
        Row(53, "read-only directory", "works in memory and a temporary directory"),
        Row(54, "directory vanished", "goes on"),
        Row(55, "flipped bit in a file", "found, set aside, fetched again (pip #3792)"),
        Row(56, "records empty or garbage", "made again from the files"),
        Row(57, "newer schema", "left alone; a directory of our own beside it"),
        Row(58, "two processes, one cache", "both work, nothing is lost"),
        Row(59, "lock of a dead process", "locks nothing"),
        Row(60, "lock file is a symbolic link (filelock CVE-2025-68146)", "refused"),
        Row(61, "clock jumps by a year", "health does not notice; ages are clamped"),
        Row(62, "eviction during a download", "a file in use stays"),
        Row(63, "cache that all can write to", "refused"),
    ),
    "Server": (
        Row(64, "port in use", "by us: reused; by another: a clear error"),
        Row(65, "foreign Host (MCP CVE-2025-66414)", "421"),
        Row(66, "POST of a foreign origin or form", "refused"),
        Row(67, "headers that never end", "ten seconds at most"),
        Row(68, "1,000 clients, one wheel", "one transfer from the index"),
        Row(69, "first of them leaves", "the others are still served"),
        Row(70, "client vanishes in the stream", "the file is still kept"),
        Row(71, "two lengths, or one that is none", "400; beside Transfer-Encoding it is ignored"),
        Row(72, "HEAD, If-None-Match, Range, If-Range", "as RFC 9110 says; pip resumes with them"),
        Row(73, "SIGTERM in a download", "ends at once, leaves no wrong file"),
        Row(74, "cross-origin request", "no CORS header"),
    ),
    "Private indexes and uploads": (
        Row(75, "pipe in a directory, symbolic link or link of a page out of it",
            "skipped, with a reason in status or why"),
        Row(76, "bomb, 50 MB of metadata, ambiguous archive (CVE-2025-54368)", "bounded, refused"),
        Row(77, "upload of a file there is", "same hash 200, other hash 400; the first one stays"),
        Row(78, "upload cut short", "nothing of it is kept"),
        Row(79, "upload whose name is not its metadata's", "refused"),
        Row(80, "private index down, its name at PyPI too", "never PyPI's file"),
    ),
}  # fmt: skip

#: Number to why there is no test yet, or which part has none.
REASONS: dict[int, str] = {}

INCIDENTS: tuple[Incident, ...] = (
    Incident("devpi #549", "a refused index was survived, a silent one not",
             "test each kind of outage"),
    Incident("devpi #1102", "stream cut at 64 KiB", "big files through every hop"),
    Incident("devpi #1107", "a broken download was not tried again", "resume where it broke"),
    Incident("PyPI 2018-04-16", "files redirected in circles, then 503 and 404",
             "a file's failure is not its page's"),
    Incident("PyPI 2022-06-02", "new files answered 403", "a file's failure is not its page's"),
    Incident("pypiserver CVE-2019-6802", "line break in an address", "encode all that is emitted"),
    Incident("pypiserver /RPC2", "XML entity bomb", "no XML"),
    Incident("pip CVE-2018-20225", "extra index takes a private name", "order is policy"),
    Incident("uv #12362", "fell through to the next index on 401 and 403",
             "denied is not absent"),
    Incident("pip CVE-2019-20916", "Content-Disposition with ../",
             "no path comes from an index"),
    Incident("setuptools CVE-2025-47273", "file name leaves its directory",
             "no path comes from an index"),
    Incident("setuptools CVE-2022-40897", "HTML that a pattern takes minutes for",
             "no patterns on HTML"),
    Incident("Nexus CVE-2024-4956", "encoded traversal", "decode once, then check"),
    Incident("Nexus CVE-2022-27907", "asked internal addresses for an attacker",
             "a public page leads to no local address"),
    Incident("NEXUS-31354", "HEAD kept the page of a directory", "only what GET gave is kept"),
    Incident("Starlette CVE-2023-29159", "traversal in static files", "own look-up of files"),
    Incident("aiohttp CVE-2024-23334", "traversal in static files", "own look-up of files"),
    Incident("requests CVE-2018-18074", "credentials followed a redirect", "own redirects"),
    Incident("requests CVE-2023-32681", "proxy credentials followed a redirect", "own redirects"),
    Incident("urllib3 CVE-2018-20060", "credentials followed a redirect", "own redirects"),
    Incident("urllib3 CVE-2023-43804", "cookies followed a redirect", "own redirects"),
    Incident("python-tuf CVE-2020-15163", "trusted a stored file unseen",
             "verify before it is kept"),
    Incident("python-tuf CVE-2021-41131", "path in a name of metadata",
             "no path comes from an index"),
    Incident("artifact-keeper #1912", "a wheel cut short was cached", "length and hash, then kept"),
    Incident("cachecontrol #325", "race of writers", "one writer a file, one file an entry"),
    Incident("pip #12361", "race of writers", "one writer a file, one file an entry"),
)  # fmt: skip


def rows() -> tuple[Row, ...]:
    """Return all rows in order."""
    return tuple(row for section in SECTIONS.values() for row in section)
