"""The HTTP door: APIs that existing clients speak, in front of Triton, Milvus and an LLM."""

from retriton_pipeline.gateway.app import create_app
from retriton_pipeline.gateway.keys import new_key
from retriton_pipeline.gateway.listen import Listen, listen
from retriton_pipeline.gateway.settings import Bounds, Settings

__all__ = ["Bounds", "Listen", "Settings", "create_app", "listen", "new_key"]
