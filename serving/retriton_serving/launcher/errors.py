"""The exception of the launcher."""


class LaunchError(RuntimeError):
    """A process or what it needs cannot be started; the message says why and what to do."""
