"""The models that run inside Triton's Python backend: the only code that imports ``triton_python_backend_utils``."""
