"""Passages to a prompt, and a prompt to an answer of any OpenAI-compatible LLM."""

from retriton_pipeline.generation.llm import LLM, AnswerDelta
from retriton_pipeline.generation.prompt import DEFAULT_TEMPLATE, Prompt, PromptBuilder

__all__ = ["DEFAULT_TEMPLATE", "LLM", "AnswerDelta", "Prompt", "PromptBuilder"]
