"""From a number of passages and a rate of queries to machines."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from bench.scale.assumptions import Assumptions
from bench.scale.indexes import Index

_MILLION = 1e6
_REFERENCE_DIMENSION = 768
_GIB = 2**30


@dataclass(frozen=True)
class Embedding:
    """Embedding all passages once.

    Attributes:
        gpu_hours, core_hours: in all. The cores read, chunk, and feed the GPUs.
        cores_per_gpu: that feed one GPU, without reading.
        hours: with ``gpus``.
        gigabits_per_s: from the GPUs to Milvus, vectors and texts, meanwhile.
        dollars: of GPUs and cores.
    """

    gpus: int
    gpu_hours: float
    core_hours: float
    cores_per_gpu: float
    hours: float
    gigabits_per_s: float
    dollars: float


def embedding(a: Assumptions, passages: float, gpus: int) -> Embedding:
    """For ``gpus`` that compute all the time."""
    seconds = passages * a.tokens_per_passage / a.gpu_passage_tokens_per_s
    core_s = passages * (a.front_ms_per_passage + a.reading_ms_per_passage) / 1e3
    hours = seconds / gpus / 3600
    size = passages * (a.dimension * 4 + a.text_bytes)
    return Embedding(
        gpus=gpus,
        gpu_hours=seconds / 3600,
        core_hours=core_s / 3600,
        cores_per_gpu=a.gpu_passage_tokens_per_s / a.tokens_per_passage * a.front_ms_per_passage / 1e3,
        hours=hours,
        gigabits_per_s=size * 8 / 1e9 / (hours * 3600),
        dollars=seconds / 3600 * a.price_gpu_hour + core_s / 3600 * a.price_core_hour,
    )


@dataclass(frozen=True)
class Storage:
    """One replica of an index.

    Attributes:
        nodes: query nodes, or GPUs if they search.
        memory_gib, disk_gib: in all.
        rows: in each node.
    """

    nodes: int
    memory_gib: float
    disk_gib: float
    rows: float


def storage(a: Assumptions, index: Index, passages: float) -> Storage:
    """The fewest nodes that hold the index."""
    memory, disk, gpu = (passages * size(a) for size in (index.memory, index.disk, index.gpu))
    nodes = max(
        memory / (a.node_memory_bytes * a.usable),
        disk / (a.node_disk_bytes * a.usable),
        gpu / (a.gpu_memory_bytes * a.usable),
    )
    count = max(1, ceil(nodes))
    return Storage(count, (memory + gpu) / _GIB, disk / _GIB, passages / count)


@dataclass(frozen=True)
class Searching:
    """Replicas of an index, and what is in front of them.

    Attributes:
        replicas: of the index.
        nodes: of all replicas.
        encoder_gpus: that embed the queries.
        gateway_cores, front_cores: CPU cores of gateways, and of servers without their engine.
        dollars_per_hour: of all of it.
        dollars_per_million: queries, at that rate.
    """

    replicas: int
    nodes: int
    encoder_gpus: int
    gateway_cores: int
    front_cores: int
    dollars_per_hour: float
    dollars_per_million: float


def searching(a: Assumptions, index: Index, passages: float, queries_per_s: float) -> Searching:
    """A query is searched in every node of one replica."""
    stored = storage(a, index, passages)
    replicas = max(1, ceil(queries_per_s * _busy(a, index, stored.rows) / a.usable))
    nodes = replicas * stored.nodes
    encoders = max(1, ceil(queries_per_s / (a.gpu_queries_per_s * a.usable)))
    gateways, front = (
        ceil(queries_per_s * ms / 1e3 / a.usable) for ms in (a.gateway_ms_per_query, a.front_ms_per_query)
    )
    node_price = (
        a.price_gpu_hour
        if index.search_factor is None
        else a.node_cores * a.price_core_hour + a.node_memory_bytes / _GIB * a.price_gib_hour
    )
    per_hour = nodes * node_price + encoders * a.price_gpu_hour + (gateways + front) * a.price_core_hour
    return Searching(replicas, nodes, encoders, gateways, front, per_hour, per_hour / (queries_per_s * 3600) * _MILLION)


def _busy(a: Assumptions, index: Index, rows: float) -> float:
    """The seconds for which a query occupies a node."""
    scale = a.dimension / _REFERENCE_DIMENSION
    if index.search_factor is None:
        growth = (rows / (10 * _MILLION)) ** a.search_growth
        return float(growth * scale / a.gpu_searches_per_s)
    core_ms = a.search_core_ms * (rows / _MILLION) ** a.search_growth * scale * index.search_factor(a)
    return float(core_ms / 1e3 / a.node_cores)
