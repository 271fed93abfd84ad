"""What can go wrong in an export.

::

    ExportError
    ├── UnsupportedCheckpoint   it cannot be read as an encoder; the message says what is missing
    ├── UnsupportedRecipe       no such engine, or the engine has no such precision
    └── ParityError             the artefact differs from the original; it was not installed
"""


class ExportError(RuntimeError):
    """An export that did not end with an installed artefact."""


class UnsupportedCheckpoint(ExportError):
    """The checkpoint is not an encoder that this version can export."""


class UnsupportedRecipe(ExportError):
    """The engine does not exist, or has no such precision."""


class ParityError(ExportError):
    """The artefact does not compute what the checkpoint computes."""
