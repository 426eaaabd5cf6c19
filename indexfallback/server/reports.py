"""Answers with JSON about the present state, which no cache may keep."""

from typing import Any

import falcon
import msgspec


def send_report(resp: falcon.Response, report: Any) -> None:
    """Answer with a report as JSON."""
    resp.content_type = falcon.MEDIA_JSON
    resp.set_header("Cache-Control", "no-store")
    resp.data = msgspec.json.encode(report)
