"""The exceptions of the pipeline; those of the server are in `retriton_client`.

::

    PipelineError
    ├── UnreadableDocument      a file that is skipped, with the reason
    ├── StoreError              Milvus cannot be reached or refuses
    │   ├── NoSuchCollection    nothing was ingested under that name
    │   ├── NoBm25Index         the collection has no BM25 index
    │   ├── CollectionFrozen    a write came while the collection was switched to another version
    │   └── StoreInterrupted    Milvus ended or did not respond during a call, which may be the cause
    ├── InvalidFilter           a filter expression is malformed, or Milvus does not accept it
    ├── InvalidOption           an option does not exist, or its value is out of range
    ├── EncoderMismatch         the collection was made with another encoder than the one that is served
    ├── LLMError                the chat endpoint failed
    └── DatasetError            an evaluation folder is incomplete or malformed
"""


class PipelineError(Exception):
    """Anything that stops a command; the message says what was wrong and the way out."""


class UnreadableDocument(PipelineError):
    """A file without usable text; ingestion names it, and goes on."""


class StoreError(PipelineError):
    """Milvus cannot be reached, or refuses what it was asked."""


class CollectionOutdated(StoreError):
    """The collection was written by a version of Retriton that stored chunks in another way."""


class NoSuchCollection(StoreError):
    """The collection does not exist."""


class NoBm25Index(StoreError):
    """The collection can only be searched by vectors."""


class CollectionFrozen(StoreError):
    """The collection is being switched to another version: the write must be done again, on that version."""


class StoreInterrupted(StoreError):
    """Milvus ended, or did not respond, during a call. The call may be the cause: it must not be repeated."""


class InvalidFilter(PipelineError):
    """The filter expression of a search is malformed, or Milvus does not accept it."""


class InvalidOption(PipelineError):
    """An option does not exist, or its value is out of range."""


class EncoderMismatch(PipelineError):
    """Vectors of the collection and of the server cannot be compared."""


class LLMError(PipelineError):
    """The chat endpoint failed."""


class DatasetError(PipelineError):
    """An evaluation folder is incomplete or malformed."""
