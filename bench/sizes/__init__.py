"""What the number of chunks does to writing, memory and searches, in Milvus Lite or a Milvus server."""
