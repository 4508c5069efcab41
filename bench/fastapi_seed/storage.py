# SPDX-License-Identifier: AGPL-3.0-or-later
"""List, upload, download."""
import os
import shutil
import uuid
from pathlib import Path

from fastapi import APIRouter, Depends, HTTPException, UploadFile
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

import state
from auth import current_user
from sync import manager

PLAN_LIMITS = {"free": {"max_file_size": 1 << 40}, "pro": {"max_file_size": 1 << 40}}
router = APIRouter(prefix="/api/files")


class LocalS3:
    """A folder in place of S3."""

    def __init__(self, root: str):
        self.root = Path(root)

    def path(self, key: str) -> Path:
        return self.root / key

    async def upload(self, key: str, file: UploadFile):
        await run_in_threadpool(self._store, key, file.file)

    def _store(self, key: str, source):
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)


async def get_user_plan(user_id: str) -> str:
    plan = await state.cache.get(f"user:{user_id}:plan")
    if plan is None:
        plan = await state.pool.fetchval("SELECT plan FROM users WHERE id = $1", uuid.UUID(user_id))
        await state.cache.set(f"user:{user_id}:plan", plan, ex=300)
    return plan


class FileUploader:
    def __init__(self, s3_client: LocalS3):
        self.s3 = s3_client

    async def upload_file(self, file: UploadFile, user_id: str) -> dict:
        user_plan = await get_user_plan(user_id)
        if file.size > PLAN_LIMITS[user_plan]["max_file_size"]:
            raise HTTPException(413, "File is too large")
        key = f"{user_id}/{file.filename}"
        await self.s3.upload(key, file)
        file_id, owner = uuid.uuid4(), uuid.UUID(user_id)
        async with state.pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO files (id, user_id, filename, size, s3_key) VALUES ($1, $2, $3, $4, $5)",
                                     file_id, owner, file.filename, file.size, key)
            await connection.execute("UPDATE users SET storage_used = storage_used + $2 WHERE id = $1", owner, file.size)
        return {"id": str(file_id), "filename": file.filename, "size": file.size}


uploader = FileUploader(LocalS3(os.environ["STORAGE_ROOT"]))


@router.get("")
async def list_files(user_id: str = Depends(current_user)):
    rows = await state.pool.fetch("SELECT id, filename, size, s3_key, uploaded_at FROM files WHERE user_id = $1 "
                                  "ORDER BY filename LIMIT 100", uuid.UUID(user_id))
    return [dict(row) for row in rows]


@router.post("/upload", status_code=201)
async def upload(file: UploadFile, user_id: str = Depends(current_user)):
    stored = await uploader.upload_file(file, user_id)
    await manager.notify_clients(user_id, {"type": "file_uploaded", **stored})
    return stored


@router.get("/{file_id}")
async def download(file_id: uuid.UUID, user_id: str = Depends(current_user)):
    row = await state.pool.fetchrow("SELECT filename, s3_key FROM files WHERE id = $1 AND user_id = $2",
                                    file_id, uuid.UUID(user_id))
    if row is None:
        raise HTTPException(404, "Not found")
    return FileResponse(uploader.s3.path(row["s3_key"]), filename=row["filename"])
