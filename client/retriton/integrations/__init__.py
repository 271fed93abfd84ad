"""Retrievers for LangChain, LlamaIndex and Haystack, which send questions to a gateway over HTTP.

Each framework has a module, ``langchain``, ``llama_index`` and ``haystack``, with a class `RetritonRetriever`, and an
extra that installs it. A program that uses one needs the gateway's address, and neither Milvus nor Triton.
"""
