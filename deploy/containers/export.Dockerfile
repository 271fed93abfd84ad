# syntax=docker/dockerfile:1.7
# `retriton export` with PyTorch and TensorRT, to build engines on the GPU that serves them.
#
#   docker build -f deploy/containers/export.Dockerfile -t retriton-export:0.1.0 .
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
FROM ${PYTHON_IMAGE}
# The version of TensorRT in the server's image (10.13.3 in Triton 25.10), which refuses plans of other versions.
ARG TENSORRT_VERSION=10.13.3.9
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY client client
COPY export export
COPY pipeline pipeline
COPY serving serving
COPY model_repository model_repository
COPY docs/samples docs/samples
RUN pip install --no-cache-dir -c constraints.txt '.[export,minilm]' "tensorrt-cu13==$TENSORRT_VERSION"
COPY deploy/containers/install_engine.py /src/install_engine.py

# With these variables, the container toolkit mounts the driver's libraries.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /tmp
USER 1000:1000
ENTRYPOINT ["python", "/src/install_engine.py"]
CMD ["--help"]
