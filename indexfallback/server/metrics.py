"""``/-/metrics``: the figures of the status in the text format of Prometheus, version 0.0.4."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import falcon

from indexfallback.condition import Condition
from indexfallback.report.status import status
from indexfallback.shim import Shim

_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Metric(NamedTuple):
    """One figure; ``samples`` are labels, written in the format, and values."""

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[str, float | None]]


class MetricsResource:
    """``/-/metrics``."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        """Answer with the current figures."""
        resp.content_type = _TYPE
        resp.set_header("Cache-Control", "no-store")
        resp.text = render(status(self._shim))

    on_head = on_get


def render(report: dict[str, Any]) -> str:
    """Return a status in the text format; an unknown value has no sample."""
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
    # The name of an index has no characters that must be escaped.
    indexes = {f'{{index="{index["name"]}"}}': index for index in report["indexes"]}

    def of_each(key: str) -> list[tuple[str, float | None]]:
        return [(labels, index[key]) for labels, index in indexes.items()]

    yield _Metric("offline", "gauge", "Whether no index is asked.", [("", report["offline"])])
    up = [(labels, Condition(index["state"]).is_well) for labels, index in indexes.items()]
    yield _Metric("index_up", "gauge", "Whether the index is asked as usual.", up)
    states: list[tuple[str, float | None]] = [
        (f'{{index="{index["name"]}",state="{state.value}"}}', index["state"] == state.value)
        for index in report["indexes"]
        for state in Condition
    ]
    yield _Metric("index_state", "gauge", "1 for the state of the index, else 0.", states)
    yield _Metric("index_requests_total", "counter", "Requests.", of_each("requests"))
    yield _Metric("index_errors_total", "counter", "Requests that failed.", of_each("errors"))
    quantiles = [
        (f'{{index="{index["name"]}",quantile="{quantile}"}}', index[key])
        for index in report["indexes"]
        for quantile, key in (("0.5", "p50"), ("0.95", "p95"))
    ]
    text = "Seconds until the first byte of the latest answers."
    yield _Metric("index_first_byte_seconds", "summary", text, quantiles)
    sent = report["activity"]["bytes"]
    sources = [(f'{{source="{source}"}}', sent[key])
               for source, key in (("cache", "cached"), ("index", "fetched"))]  # fmt: skip
    yield _Metric("sent_bytes_total", "counter", "Bytes of files sent to clients.", sources)
    ahead = report["activity"]["ahead"]
    for name, key in (("fetched", "bytes"), ("used", "used")):
        text = f"Bytes fetched before a client asked for them: {name}."
        yield _Metric(f"ahead_{name}_bytes_total", "counter", text, [("", ahead[key])])
    if report["shared"] is not None:
        yield from _shared(report["shared"])
    for key in ("bytes", "files", "pages"):
        text = f"{key.capitalize()} in the cache."
        yield _Metric(f"cache_{key}", "gauge", text, [("", report["cache"].get(key))])


def _shared(shared: dict[str, Any]) -> Iterator[_Metric]:
    """Yield the figures of the bucket that several shims share."""
    requests = [
        (f'{{operation="{operation}",outcome="{outcome}"}}', number)
        for operation, outcomes in shared["requests"].items()
        for outcome, number in outcomes.items()
    ]
    yield _Metric("shared_requests_total", "counter", "Requests to the shared bucket.", requests)
    name = "shared_request_seconds"
    counts = [(f'_bucket{{le="{bound}"}}', number) for bound, number in shared["latency"].items()]
    counts.append(('_bucket{le="+Inf"}', shared["latency_count"]))
    counts += [("_sum", shared["latency_seconds"]), ("_count", shared["latency_count"])]
    yield _Metric(name, "histogram", "Seconds of these requests.", counts)
    for key, kind, text in (
        ("queue", "gauge", "Writes that wait or are under way."),
        ("waiting", "gauge", "Pins and owners that the shared bucket does not have yet."),
        ("dropped", "counter", "Writes that were given up."),
        ("files", "counter", "Files that came from the shared bucket."),
        ("bytes", "counter", "Bytes of files that came from the shared bucket."),
        ("pages", "counter", "Pages that came from the shared bucket."),
        ("wrong", "counter", "Objects of the shared bucket whose bytes were wrong."),
        ("conflicts", "counter", "Files served here that contradicted the pin of another shim."),
    ):
        ending = "_total" if kind == "counter" else ""
        yield _Metric(f"shared_{key}{ending}", kind, text, [("", shared[key])])
    breakers: list[tuple[str, float | None]] = [
        (f'{{way="{way}"}}', state == "open") for way, state in shared["breakers"].items()
    ]
    yield _Metric("shared_breaker_open", "gauge", "Whether it is not asked for now.", breakers)
