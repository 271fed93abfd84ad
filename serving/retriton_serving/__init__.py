"""What runs inside Triton's Python backend: text in, micro-batches to the encoder, vectors out.

It does not know which engine computes the vectors, and imports only what the server environment has:
NumPy, tokenizers, ONNX Runtime.
"""
