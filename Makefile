# Two commands are enough on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
SERVER_VENV := .venv-server
PIP_INSTALL := pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup export demo serve test check format bench bench-peers clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.ready $(SERVER_VENV)/.ready  ## Create both environments: the project's, and the server's own

# The project's environment: NumPy 2, PyTorch, Milvus Lite.
$(VENV)/.ready: pyproject.toml constraints.txt | python-found
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/$(PIP_INSTALL) -e '.[pipeline,milvus-lite,otel,export,minilm,dev]'
	@touch $@

# The server's environment: Triton's Python backend does not work with NumPy 2.
# --no-deps: of nvidia-pytriton only the server binary is used, not its Python package.
$(SERVER_VENV)/.ready: pyproject.toml constraints.txt | python-found libpython-found
	$(PYTHON) -m venv $(SERVER_VENV)
	$(SERVER_VENV)/bin/$(PIP_INSTALL) -e '.[serving]'
	$(SERVER_VENV)/bin/$(PIP_INSTALL) --no-deps nvidia-pytriton
	@touch $@

.PHONY: python-found libpython-found
python-found:
	@command -v $(PYTHON) >/dev/null || { echo "Retriton needs $(PYTHON): install it, or name another with make PYTHON=..."; exit 1; }

# Triton's Python backend loads the shared libpython of the interpreter's version.
libpython-found: | python-found
	@$(PYTHON) deploy/local/ensure_libpython.py

export: setup  ## Export the default encoder into model_repository/, unless one is installed there
	$(VENV)/bin/retriton export --if-missing

demo: export  ## Serve the default encoder, ingest sample documents, ask a question
	$(VENV)/bin/retriton demo

serve: export  ## Serve model_repository/ on 127.0.0.1 until Ctrl-C
	$(VENV)/bin/retriton serve

test: setup .venv-milvus/.ready .venv-clients/.ready | kubectl-found chromium-found  ## Run all tests, against a real Triton, Milvus Lite, and a Milvus server
	$(VENV)/bin/pytest

# The tests render deploy/kubernetes.
.PHONY: kubectl-found chromium-found
kubectl-found:
	@command -v kubectl >/dev/null || $(call install-package,kubernetes-client,kubectl 1.14 or later)

# The tests open the gateway's page.
chromium-found:
	@command -v chromium >/dev/null || $(call install-package,chromium,Chromium)

# $(call install-package,PACKAGE,WHAT)
define install-package
{ if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null; \
  else echo "The tests need $(2). On Debian: sudo apt-get install $(1)"; exit 1; fi; }
endef

# The clients that the tests prove the gateway with: they want other versions of what we use.
.venv-clients/.ready: tests/gateway/clients.txt | python-found
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# A Milvus server in a wheel, for the tests: of version 2.3, the last there is.
.venv-milvus/.ready: Makefile | python-found
	$(PYTHON) -m venv .venv-milvus
	.venv-milvus/bin/pip install --quiet --disable-pip-version-check --no-deps milvus==2.3.5
	@touch $@

check: setup  ## Lint and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: setup  ## Format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: export .venv-bench/.ready  ## Load tests: a table, and one JSON line (under 10 minutes)
	$(VENV)/bin/python -m bench

# NVIDIA's perf_analyzer is in this version of tritonclient, and in no later one.
.venv-bench/.ready: Makefile | python-found
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --no-deps tritonclient==2.50.0
	@touch $@

bench-peers: export .venv-bench/.ready .venv-peers-infinity/.ready .venv-peers-sentence-transformers/.ready  ## The same texts through Infinity and sentence-transformers
	$(VENV)/bin/python -m bench.peers

.venv-peers-%/.ready: bench/peers/%.txt | python-found
	$(PYTHON) -m venv .venv-peers-$*
	.venv-peers-$*/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clean:  ## Remove environments, build output and demo data
	rm -rf $(VENV) $(SERVER_VENV) .venv-bench .venv-milvus .venv-clients .venv-peers-* .retriton build
	git clean -fdXq model_repository
