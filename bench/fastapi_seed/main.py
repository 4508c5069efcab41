# SPDX-License-Identifier: AGPL-3.0-or-later
"""The server CloudDocs is compared with: FastAPI, asyncpg and Redis, in the plain form most teams would write.

No rate limits, no hashing of contents, and a local folder without fsync in place of S3: all in its favour.
"""
from fastapi import FastAPI

import auth
import state
import storage
import sync

app = FastAPI()
app.include_router(auth.router)
app.include_router(storage.router)
app.include_router(sync.router)


@app.on_event("startup")
async def startup():
    await state.open_all()
    await sync.manager.start()


@app.on_event("shutdown")
async def shutdown():
    await sync.manager.stop()
    await state.close_all()


@app.get("/healthz")
async def healthz():
    return {"status": "ok"}
