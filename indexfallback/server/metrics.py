"""``/-/metrics``: the figures of the status in Prometheus' text format, version 0.0.4."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import falcon

from indexfallback.shim import Shim
from indexfallback.why import status

_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Metric(NamedTuple):
    """One figure; ``samples`` are labels, as the format has them, and values."""

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[str, float | None]]


class MetricsResource:
    """The figures, for a program that asks again and again."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer with the figures of this moment."""
        resp.content_type = _TYPE
        resp.set_header("Cache-Control", "no-store")
        resp.text = render(status(self._shim))

    on_head = on_get


def render(report: dict[str, Any]) -> str:
    """Return a status in the text format; what is not known has no sample."""
    lines = []
    for metric in _metrics(report):
        name = f"indexfallback_{metric.name}"
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
        lines += [
            f"{name}{labels} {float(value)}"
            for labels, value in metric.samples
            if value is not None
        ]
    return "\n".join([*lines, ""])


def _metrics(report: dict[str, Any]) -> Iterator[_Metric]:
    # The name of an index has no character that would need escaping.
    indexes = {f'{{index="{index["name"]}"}}': index for index in report["indexes"]}

    def of_each(key: str) -> list[tuple[str, float | None]]:
        return [(labels, index[key]) for labels, index in indexes.items()]

    yield _Metric("offline", "gauge", "Whether no index is asked.", [("", report["offline"])])
    states = [(labels, index["state"] == "closed") for labels, index in indexes.items()]
    yield _Metric("index_up", "gauge", "Whether the index is asked as usual.", states)
    yield _Metric("index_requests_total", "counter", "Answers and failures.", of_each("requests"))
    yield _Metric("index_errors_total", "counter", "Failures among them.", of_each("errors"))
    quantiles = [
        (f'{{index="{index["name"]}",quantile="{quantile}"}}', index[key])
        for index in report["indexes"]
        for quantile, key in (("0.5", "p50"), ("0.95", "p95"))
    ]
    yield _Metric("index_first_byte_seconds", "summary", "Of the latest answers.", quantiles)
    sent = report["activity"]["bytes"]
    sources = [(f'{{source="{source}"}}', sent[key])
               for source, key in (("cache", "cached"), ("index", "fetched"))]  # fmt: skip
    yield _Metric("sent_bytes_total", "counter", "Of files, to clients.", sources)
    for key in ("bytes", "files", "pages"):
        text = f"{key.capitalize()} that are kept."
        yield _Metric(f"cache_{key}", "gauge", text, [("", report["cache"].get(key))])
