"""Documents of collections: uploaded, listed, deleted; an upload is a job."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import ExitStack
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from pydantic import BaseModel

from retriton_pipeline.gateway.http.errors import Refused, documented
from retriton_pipeline.gateway.routes.jobs import JobAnswer
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.question_answering import CollectionName
from retriton_pipeline.gateway.services.upload_jobs import Jobs
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.store import Store, StoredDocument

_NAME_BYTES_MAX = 200
_DOCUMENT_ID = re.compile("[0-9a-f]{32}")


class CollectionList(BaseModel):
    """The names of the collections there are, and the one of requests that name none, which may not be there yet."""

    data: list[str]
    default: str


class DocumentAnswer(BaseModel):
    """A stored document."""

    id: str
    source: str
    title: str


class DocumentList(BaseModel):
    """Some of a collection's documents."""

    data: list[DocumentAnswer]


def router(settings: Settings, collections: Collections, jobs: Jobs) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["documents"])
    refused = documented(409)

    @routes.get("/v1/collections", response_model=CollectionList, responses=refused)
    async def list_collections() -> CollectionList:
        """Every collection."""
        return CollectionList(data=await collections.names(), default=settings.collection)

    @routes.post("/v1/collections/{collection}/documents", status_code=202, responses=refused)
    async def upload(
        collection: CollectionName,
        files: Annotated[list[UploadFile], File(min_length=1)],
        request: Request,
        response: Response,
    ) -> JobAnswer:
        """Add files; one of a name that is there already replaces it. The answer is a job to ask for."""
        with ExitStack() as undo:
            folder = jobs.folder()
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            await _save(files, folder)
            undo.pop_all()
        job = jobs.add(request.scope["key"], collection, folder)
        response.headers["Location"] = f"/v1/jobs/{job.id}"
        return JobAnswer.of(job)

    @routes.get("/v1/collections/{collection}/documents", response_model=DocumentList, responses=refused)
    async def list_documents(
        collection: CollectionName,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    ) -> DocumentList:
        """The documents of a collection, in the order of the store."""

        def some(store: Store) -> list[StoredDocument]:
            return list(islice(store.documents(), offset, offset + limit))

        found = await collections.with_store(collection, some)
        return DocumentList(
            data=[DocumentAnswer(id=document.id, source=document.source, title=document.title) for document in found]
        )

    @routes.delete("/v1/collections/{collection}/documents/{document_id}", status_code=204, responses=refused)
    async def delete_document(collection: CollectionName, document_id: str) -> None:
        """Remove a document."""
        if not _DOCUMENT_ID.fullmatch(document_id):
            raise _no_document(collection, document_id)

        def delete(store: Store) -> bool:
            known = bool(store.content_hashes([document_id]))
            store.delete([StoredDocument(document_id, "", "", "")])
            return known

        if not await collections.with_store(collection, delete):
            raise _no_document(collection, document_id)

    return routes


def _no_document(collection: str, document_id: str) -> Refused:
    return Refused(404, "document_not_found", f"collection {collection!r} has no document {document_id[:100]!r}")


async def _save(files: list[UploadFile], folder: Path) -> None:
    for file in files:
        target = folder / safe_name(file.filename or "")
        if target.exists():
            raise Refused(400, "invalid_request", f"two files of this upload are called {target.name!r}", "files")
        await asyncio.to_thread(_copy, file, target)


def _copy(file: UploadFile, target: Path) -> None:
    with target.open("xb") as stream:
        shutil.copyfileobj(file.file, stream)


def safe_name(given: str) -> str:
    """The last part of a file name, of characters that can be shown; never a path, never hidden.

    Raises:
        Refused: nothing is left, or it is too long.
    """
    name = PurePosixPath(given.replace("\\", "/")).name
    name = "".join(character for character in name if character.isprintable()).strip().lstrip(".")
    if not name:
        raise Refused(400, "invalid_request", "a file needs a name, whose ending tells its kind", "files")
    if (size := len(name.encode("utf-8", "replace"))) > _NAME_BYTES_MAX:
        raise Refused(400, "invalid_request", f"a file's name has {size} bytes, at most {_NAME_BYTES_MAX}", "files")
    return name
