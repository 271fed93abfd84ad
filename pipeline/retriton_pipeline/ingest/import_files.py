"""The Parquet files of a bulk import, in a folder that the Milvus server reads."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pymilvus import CollectionSchema

from retriton.extras import requires
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.ingest.remote import normal_url, open_url, url_errors

with requires("bulk", "bulk import"):
    import pyarrow.parquet as pq
    from pymilvus.bulk_writer import BulkFileType, LocalBulkWriter

logging.getLogger("pymilvus.bulk_writer").setLevel(logging.WARNING)  # it prints several lines for each file

_FILE_BYTES = 24 * 1024**2  # of rows, as the writer counts them; in memory, its vectors take eight times as much
_NEVER = 1 << 62
_NAME = re.compile(r"[0-9]{8}\.parquet")

log = logging.getLogger("retriton.ingest")
Row = dict[str, Any]


class ImportFolder:
    """A folder of Parquet files at a URL.

    Args:
        url: the folder above, that the user named: a path, or a URL that `fsspec` can open.
        name: of the folder.

    Attributes:
        url: of the folder, without user and password.

    Raises:
        PipelineError: the file system is unknown, or refuses to create the folder.
    """

    def __init__(self, url: str, name: str) -> None:
        self._system, base = open_url(url)
        self._path = f"{base.rstrip('/')}/{name}"
        self.url = f"{normal_url(url).rstrip('/')}/{name}"
        with url_errors(f"{self.url} cannot be created"):
            self._system.makedirs(self._path, exist_ok=True)

    def names(self) -> list[str]:
        """Returns the names of the files, in the order in which they were put."""
        with url_errors(f"{self.url} cannot be listed"):
            self._system.invalidate_cache()
            found = self._system.ls(self._path, detail=False)
        names = (str(path).rpartition("/")[2] for path in found)
        return sorted(name for name in names if _NAME.fullmatch(name))

    def put(self, file: Path, name: str) -> None:
        """Copies a local file into the folder."""
        with url_errors(f"{self.url}/{name} cannot be written"):
            self._system.put_file(str(file), f"{self._path}/{name}")

    def remove(self) -> None:
        """Removes the folder with its files."""
        with url_errors(f"{self.url} cannot be removed"):
            self._system.rm(self._path, recursive=True)

    def remove_file(self, name: str) -> None:
        """Removes a file."""
        with url_errors(f"{self.url}/{name} cannot be removed"):
            self._system.rm_file(f"{self._path}/{name}")

    def batches(self, name: str, columns: Iterable[str] | None = None) -> Iterator[list[Row]]:
        """Yields the rows of a file, as they were written, a thousand at a time.

        Raises:
            PipelineError: the file cannot be read.
        """
        with url_errors(f"{self.url}/{name} cannot be read"), self._system.open(f"{self._path}/{name}") as opened:
            parquet = pq.ParquetFile(opened)
            for batch in parquet.iter_batches(1000, columns=list(columns) if columns else None):
                yield batch.to_pylist()

    def server_path(self, name: str) -> str:
        """Returns the path with which a Milvus server opens a file: absolute, or below the bucket that it uses."""
        if self._is_local:
            return f"{self._path}/{name}"
        return f"{self._path.partition('/')[2]}/{name}"

    @property
    def _is_local(self) -> bool:
        protocols = self._system.protocol
        return "file" in ([protocols] if isinstance(protocols, str) else protocols)


class ImportFiles:
    """Writes rows to numbered files of a folder, each of bounded size.

    Args:
        schema: of the collection.
        folder: where to put the files.
        scratch: a local folder, which holds one file at a time.
    """

    def __init__(self, schema: CollectionSchema, folder: ImportFolder, scratch: Path) -> None:
        self._writer = LocalBulkWriter(schema, str(scratch), chunk_size=_NEVER, file_type=BulkFileType.PARQUET)
        self._folder = folder
        self._next = 1 + max((int(Path(name).stem) for name in folder.names()), default=0)

    def write(self, rows: Iterable[Row]) -> None:
        """Writes rows. They are in the folder when the next file is full, or after `flush`."""
        for row in rows:
            self._writer.append_row(row)
            if self._writer.buffer_size >= _FILE_BYTES:
                self.flush()

    def flush(self) -> None:
        """Puts a file with the remaining rows into the folder.

        Raises:
            PipelineError: it cannot be written, for example because the disk is full.
        """
        rows, written = self._writer.buffer_row_count, list[str]()
        if not rows:
            return
        self._writer.commit(call_back=written.extend)  # in a thread, whose errors are logged
        if not written:
            raise PipelineError(f"a Parquet file of {rows} chunks cannot be written below {self._writer.data_path}")
        file = Path(written[0])
        self._folder.put(file, f"{self._next:08d}.parquet")
        file.unlink()
        self._next += 1


def without_damaged(folder: ImportFolder) -> list[str]:
    """Returns the names of complete files; the last one may lack its end if a run was stopped, and is removed."""
    complete = []
    for name in folder.names():
        try:
            next(folder.batches(name, ["id"]), None)
        except PipelineError as error:
            log.info("%s, and is removed", error)
            folder.remove_file(name)
        else:
            complete.append(name)
    return complete
