"""The HTTP door: APIs that existing clients speak, in front of Triton, Milvus and an LLM."""

from retriton_pipeline.gateway.app import create_app
from retriton_pipeline.gateway.http.server import Listen, listen
from retriton_pipeline.gateway.services.api_keys import new_key
from retriton_pipeline.gateway.settings import Bounds, Settings

__all__ = ["Bounds", "Listen", "Settings", "create_app", "listen", "new_key"]
