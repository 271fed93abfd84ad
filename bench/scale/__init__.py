"""What a corpus of a given size needs: GPUs, Milvus nodes, replicas, network and money, by arithmetic."""
