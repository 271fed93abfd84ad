"""The text that was read from a file of a vector store, as its chunks have it."""

from __future__ import annotations

from itertools import groupby

from retriton_pipeline.errors import NoSuchCollection
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.services.attachments import folder_of
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.storage.attachments import Attachment
from retriton_pipeline.store import Store, StoredChunk


class ParsedFiles:
    """Reads the texts of files.

    Args:
        collections: has their chunks.
        bytes_max: of the texts of one file.
    """

    def __init__(self, collections: Collections, bytes_max: int) -> None:
        self._collections = collections
        self._bytes_max = bytes_max

    async def texts(self, record: Attachment) -> list[str]:
        """The text of each document of a file; none before it is ingested.

        Raises:
            ApiError: the file has more text than a response may have.
            StoreError: see `Collections.with_store`.
        """
        try:
            return await self._collections.with_store(record.vector_store, lambda store: self._read(store, record.id))
        except NoSuchCollection:
            return []

    def _read(self, store: Store, file_id: str) -> list[str]:
        chunks, size = list[StoredChunk](), 0
        for chunk in store.folder_chunks(folder_of(file_id)):
            size += len(chunk.text)
            if size > self._bytes_max:
                message = f"{file_id} has more than {self._bytes_max} characters of text"
                raise ApiError(413, "too_large", f"{message}: fetch /v1/files/{file_id}/content")
            chunks.append(chunk)
        chunks.sort(key=lambda chunk: chunk.key)
        return [_joined(list(group)) for _, group in groupby(chunks, lambda chunk: chunk.key[:2])]


def _joined(chunks: list[StoredChunk]) -> str:
    first, *others = chunks
    return first.text + "".join(chunk.separator + chunk.text[chunk.overlap :] for chunk in others)
