"""The last day on which the certificate of a host is valid, for a message."""

import contextlib
import re
import ssl
from datetime import date, datetime

#: The two times of a certificate's validity (RFC 5280, 4.1.2.5), as UTCTime or GeneralizedTime.
_TIME = rb"(?:\x17\x0d\d{12}|\x18\x0f\d{14})Z"
_VALIDITY = re.compile(rb"\x30." + _TIME + rb"(?:\x17\x0d(\d{12})|\x18\x0f(\d{14}))Z", re.DOTALL)


def expiry(host: str, port: int, seconds: float) -> date | None:
    """Return the last day of the certificate of a host; None if it cannot be read.

    A second handshake within ``seconds``, without verification: the library drops a certificate
    that it has refused. Nothing is sent.
    """
    with contextlib.suppress(OSError, ValueError):  # the message is complete without a date
        pem = ssl.get_server_certificate((host, port), timeout=seconds)
        return expiry_of(ssl.PEM_cert_to_DER_cert(pem))
    return None


def expiry_of(der: bytes) -> date:
    """Return the last day on which a certificate is valid; raises ValueError."""
    found = _VALIDITY.search(der)
    if found is None:
        raise ValueError("a certificate without a validity")
    if found[2]:
        return datetime.strptime(found[2].decode(), "%Y%m%d%H%M%S").date()  # noqa: DTZ007 - UTC
    short = found[1].decode()
    # RFC 5280: years from 50 on are of the last century.
    century = "19" if short[0] >= "5" else "20"
    return datetime.strptime(century + short, "%Y%m%d%H%M%S").date()  # noqa: DTZ007 - UTC
