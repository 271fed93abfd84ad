"""Defaults that the library and the command line share; importing them needs nothing else."""

DEFAULT_MILVUS = ".retriton/milvus.db"
