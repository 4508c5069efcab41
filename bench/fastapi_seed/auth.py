# SPDX-License-Identifier: AGPL-3.0-or-later
"""Accounts, and a JWT with every request."""
import hashlib
import os
import secrets
import uuid
from datetime import datetime, timedelta

import jwt
from fastapi import APIRouter, Header, HTTPException
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

import state

SECRET_KEY = os.environ["SECRET_KEY"]
router = APIRouter(prefix="/api/auth")


class Credentials(BaseModel):
    email: str
    password: str


def create_access_token(user_id: str) -> str:
    payload = {"user_id": user_id, "exp": datetime.utcnow() + timedelta(minutes=15)}
    return jwt.encode(payload, SECRET_KEY, algorithm="HS256")


def verify_token(token: str) -> dict:
    try:
        return jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
    except jwt.PyJWTError as error:
        raise HTTPException(401, "Token expired or invalid") from error


async def current_user(authorization: str = Header("")) -> str:
    """The user of the request's bearer token."""
    return verify_token(authorization.removeprefix("Bearer "))["user_id"]


def hash_password(password: str, salt: bytes) -> str:
    return salt.hex() + ":" + hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1).hex()


@router.post("/register", status_code=201)
async def register(credentials: Credentials):
    user_id = uuid.uuid4()
    hashed = await run_in_threadpool(hash_password, credentials.password, secrets.token_bytes(16))
    await state.pool.execute("INSERT INTO users (id, email, password_hash) VALUES ($1, $2, $3)",
                             user_id, credentials.email, hashed)
    return {"access_token": create_access_token(str(user_id))}


@router.post("/login")
async def login(credentials: Credentials):
    row = await state.pool.fetchrow("SELECT id, password_hash FROM users WHERE email = $1", credentials.email)
    if row is None:
        raise HTTPException(401, "Wrong email or password")
    salt = bytes.fromhex(row["password_hash"].split(":")[0])
    if await run_in_threadpool(hash_password, credentials.password, salt) != row["password_hash"]:
        raise HTTPException(401, "Wrong email or password")
    return {"access_token": create_access_token(str(row["id"]))}
