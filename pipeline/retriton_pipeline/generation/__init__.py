"""Passages to a prompt, and a prompt to an answer by any OpenAI-compatible LLM."""
