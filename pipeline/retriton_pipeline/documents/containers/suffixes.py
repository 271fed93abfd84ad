"""The suffixes of files that hold other files."""

MAILBOX_SUFFIXES = (".mbox",)
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")
CONTAINER_SUFFIXES = (*MAILBOX_SUFFIXES, *ARCHIVE_SUFFIXES)
