# syntax=docker/dockerfile:1.7
# The HTTP gateway, and the commands that need the same packages: `ingest`, `search`, `ask`, `key`.
#
#   docker build -f deploy/containers/gateway.Dockerfile -t retriton-gateway:0.1.0 .
#   docker run --read-only --tmpfs /tmp -p 8080:8080 -e RETRITON_URL=triton.example:8001 retriton-gateway:0.1.0
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY client client
COPY export export
COPY pipeline pipeline
COPY serving serving
COPY model_repository model_repository
COPY docs/samples docs/samples
# With `ray`, for deploy/kubernetes/ingest-ray.
ARG EXTRAS=gateway,otel
RUN python -m venv /opt/retriton \
    && /opt/retriton/bin/pip install --no-cache-dir -c constraints.txt ".[${EXTRAS}]"

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/retriton /opt/retriton
ENV PATH=/opt/retriton/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /tmp
USER 1000:1000
EXPOSE 8080
# Checks liveness, not readiness: an unavailable Milvus does not make this container unhealthy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/v1/health/live', timeout=4)"]
ENTRYPOINT ["retriton"]
CMD ["gateway", "--host", "0.0.0.0", "--port", "8080"]
