"""Retriton: Triton-served retrieval inference for RAG."""
