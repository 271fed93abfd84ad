"""Admission, the length-sorted queue, micro-batches and the cache of one lane. Knows no Triton, and no engine."""
