# SPDX-License-Identifier: AGPL-3.0-or-later
"""The connections that every worker holds: PostgreSQL and Redis. Addresses come from the environment."""
import os

import asyncpg
import redis.asyncio

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id UUID PRIMARY KEY,
    email VARCHAR(255) UNIQUE NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    plan VARCHAR(50) DEFAULT 'free',
    storage_used BIGINT DEFAULT 0,
    created_at TIMESTAMP DEFAULT NOW()
);
CREATE TABLE IF NOT EXISTS files (
    id UUID PRIMARY KEY,
    user_id UUID REFERENCES users(id),
    filename VARCHAR(255) NOT NULL,
    size BIGINT NOT NULL,
    s3_key VARCHAR(500) NOT NULL,
    uploaded_at TIMESTAMP DEFAULT NOW()
);
CREATE INDEX IF NOT EXISTS idx_user_id ON files (user_id);
"""

pool = None
cache = None


async def open_all():
    global pool, cache
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10)
    cache = redis.asyncio.from_url(os.environ["REDIS_URL"], decode_responses=True)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(1)")  # the workers start at once
        await connection.execute(SCHEMA)


async def close_all():
    await pool.close()
    await cache.close()
