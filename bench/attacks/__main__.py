"""`python -m bench.attacks`: a caller's latency without and during each attack, as a table and one JSON line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from bench.attacks.callers import callers, upload_document
from bench.attacks.runner import find_attacks, measure, row
from bench.served import Served, json_line, serving

_HEAD = "| attack | HTTP embeddings, p50 / p99 | gRPC embed_query | HTTP retrieve | MiB before / peak / after | alive |"


@contextmanager
def _service(url: str, grpc: str) -> Iterator[Served]:
    if url and grpc:
        yield Served(url.rstrip("/"), grpc)
        return
    with serving(RETRITON_QUERY_CACHE_MB="0") as served:
        yield served


def main() -> None:
    """Runs the attacks that are named, or all."""
    attacks = find_attacks()
    parser = argparse.ArgumentParser(prog="bench.attacks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="ATTACK", help=f"default: all of {', '.join(attacks)}")
    parser.add_argument("--url", default="", help="of a running gateway, with --grpc; default: starts a service")
    parser.add_argument("--grpc", default="", help="host:port of the running Triton")
    parser.add_argument("--key", default="none", help="an API key of the running gateway")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each attack")
    options = parser.parse_args()
    if bool(options.url) != bool(options.grpc):
        parser.error("--url and --grpc belong together")
    if unknown := set(options.names) - set(attacks):
        parser.error(f"there are no attacks {', '.join(sorted(unknown))}, only {', '.join(attacks)}")
    with _service(options.url, options.grpc) as served:
        upload_document(served, options.key)
        requests, results = callers(served, options.key), {}
        measure(served, None, requests, 3)  # the first requests are slower
        print(f"{_HEAD}\n|{' --- |' * 6}")
        for name in ["none", *(options.names or attacks)]:
            results[name] = measure(served, attacks.get(name), requests, options.seconds)
            print(row(name, results[name]), flush=True)
    print(json_line(results))


if __name__ == "__main__":
    main()
