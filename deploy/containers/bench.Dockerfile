# syntax=docker/dockerfile:1.7
# The load tests, against a remote server.
#
#   docker build -f deploy/containers/bench.Dockerfile -t retriton-bench:0.1.0 .
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
FROM ${PYTHON_IMAGE}
WORKDIR /bench
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY client client
COPY export export
COPY pipeline pipeline
COPY serving serving
COPY model_repository model_repository
COPY docs/samples docs/samples
RUN pip install --no-cache-dir -c constraints.txt '.[rag]' 'matplotlib==3.11.2' 'psutil==7.2.2'
# NVIDIA's perf_analyzer, and the wheel with the libb64 and libcudart that it links to; see the Makefile.
RUN python -m venv .venv-bench && .venv-bench/bin/pip install --no-cache-dir --no-deps tritonclient==2.50.0 \
    && python -m venv .venv-server \
    && .venv-server/bin/pip install --no-cache-dir --no-deps -c constraints.txt nvidia-pytriton \
    && rm -r .venv-server/lib/python3.11/site-packages/pytriton
COPY bench bench
# Output folder; a volume in the cluster.
RUN mkdir .retriton && chown 1000:1000 .retriton

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp MPLCONFIGDIR=/tmp
USER 1000:1000
ENTRYPOINT ["python", "-m", "bench.cluster"]
CMD ["--help"]
