"""Addresses of buckets: ``s3://bucket/prefix``, and the endpoint of an S3-compatible server."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from indexfallback.config.units import InvalidValueError

SCHEME = "s3://"

#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; older buckets may
#: have an underscore.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", re.ASCII)
#: Characters that need no encoding in a key, in every server.
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_EXAMPLE = 'write an address like "s3://bucket/prefix"'


class BucketUrl(NamedTuple):
    """The address of a bucket, and of a part of it."""

    bucket: str
    #: Without slashes at its ends; may be empty.
    prefix: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}".rstrip("/")


def parse_bucket_url(text: str) -> BucketUrl:
    """Return the bucket and the prefix in ``s3://bucket/prefix``.

    Raises:
        InvalidValueError: it is not such an address, or holds credentials.

    """
    if not text.startswith(SCHEME):
        raise InvalidValueError("is not the address of a bucket", _EXAMPLE)
    bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
    if "@" in bucket:
        raise InvalidValueError(
            "contains credentials",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
        )
    if not _BUCKET.fullmatch(bucket):
        raise InvalidValueError("has no valid name of a bucket", _EXAMPLE)
    segments = prefix.strip("/").split("/") if prefix.strip("/") else []
    if any(not _SEGMENT.fullmatch(one) or set(one) == {"."} for one in segments):
        raise InvalidValueError(
            "has a prefix with other characters than letters, digits, dot, dash and underscore",
            _EXAMPLE,
        )
    return BucketUrl(bucket, "/".join(segments))


def parse_endpoint(text: str) -> str:
    """Return the address of a server that speaks S3, without a last slash.

    Raises:
        InvalidValueError: it is not an HTTP address, or holds credentials.

    """
    example = 'write an address like "https://s3.example.com"'
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise InvalidValueError("is not an address", example) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidValueError("is not an HTTP address", example)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidValueError("contains more than scheme, host, port and path", example)
    return text.rstrip("/")
