"""Exceptions of the export.

::

    ExportError
    ├── UnsupportedCheckpoint   the checkpoint cannot be exported; the message names the reason
    ├── UnsupportedRecipe       the engine or its precision does not exist
    ├── NotAccepted             the checkpoint was tuned, and not shown to be better
    └── ParityError             the artefact differs from the checkpoint; it was not installed
"""


class ExportError(RuntimeError):
    """Base class of all errors of the export; no artefact was installed."""


class UnsupportedCheckpoint(ExportError):
    """The checkpoint is not an encoder or cross-encoder that the export supports."""


class UnsupportedRecipe(ExportError):
    """The engine does not exist, or does not support the precision."""


class NotAccepted(ExportError):
    """The checkpoint was tuned, and not shown to be better than its original."""


class ParityError(ExportError):
    """The results of the artefact differ from those of the checkpoint by more than the thresholds allow."""
