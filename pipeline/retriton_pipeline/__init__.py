"""Documents into Milvus, questions to ranked passages and prompts, over a Retriton server.

It does not know how vectors are computed; it asks `retriton_client`.
"""
