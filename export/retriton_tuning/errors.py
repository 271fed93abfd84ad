"""Exceptions of tuning.

::

    TuningError
    ├── InvalidData         the training data is malformed, or refers to what does not exist
    └── TooLittleData       the data cannot be split into parts to train on and to test with
"""


class TuningError(RuntimeError):
    """Base class of all errors of tuning; no checkpoint was written."""


class InvalidData(TuningError):
    """The training data is malformed, or refers to what does not exist."""


class TooLittleData(TuningError):
    """The data cannot be split into parts to train on and to test with; the message has the numbers."""
