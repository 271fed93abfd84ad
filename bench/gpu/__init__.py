"""Throughput and latency of the engine `torch` on a GPU, in process and served: `python -m bench.gpu`."""
