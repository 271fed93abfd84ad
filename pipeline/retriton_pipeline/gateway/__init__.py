"""The HTTP gateway: APIs of existing clients, in front of Triton, Milvus and an LLM."""

from retriton_pipeline.gateway.http.server import Listen, listen
from retriton_pipeline.gateway.services.api_keys import new_key
from retriton_pipeline.gateway.settings import Bounds, Settings

__all__ = ["Bounds", "Listen", "Settings", "listen", "new_key"]
