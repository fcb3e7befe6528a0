"""What `/_emulator/metrics` tells Prometheus."""

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from converse_emulator.playing.lateness import BOUNDS, Lateness

if TYPE_CHECKING:
    from converse_emulator.app import DataPlane

CONTENT_TYPE = CONTENT_TYPE_LATEST


def metrics_text(plane: "DataPlane") -> bytes:
    """The metrics as they are now, in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(_Metrics(plane))
    return generate_latest(registry)


class _Metrics(Collector):
    def __init__(self, plane: "DataPlane") -> None:
        self._plane = plane

    def collect(self) -> Iterator[Metric]:
        journal = self._plane.journal
        yield CounterMetricFamily(
            "converse_emulator_exchanges", "Requests that were meant for a model.", journal.number
        )
        yield GaugeMetricFamily(
            "converse_emulator_open_exchanges",
            "Exchanges of the journal that have not ended.",
            sum(not recording.done for recording in journal.recordings()),
        )
        yield _lateness(self._plane.clock.lateness)


def _lateness(lateness: Lateness) -> Metric:
    bounds = [*map(str, BOUNDS), "+Inf"]
    counts = map(float, accumulate(lateness.counts))
    return HistogramMetricFamily(
        "converse_emulator_write_lateness_seconds",
        "Paced writes: seconds after the moment that was planned.",
        list(zip(bounds, counts, strict=True)),
        lateness.sum,
    )
