# SPDX-License-Identifier: AGPL-3.0-or-later
"""WebSockets of devices. Redis carries an event to all workers once; each worker writes to the sockets it holds."""
import asyncio
import json
from collections import defaultdict

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

import state
from auth import verify_token

router = APIRouter(prefix="/api/sync")


class SyncManager:
    def __init__(self):
        self.clients = defaultdict(set)
        self.task = None

    async def start(self):
        events = state.cache.pubsub()
        await events.subscribe("events")
        self.task = asyncio.create_task(self._forward(events))

    async def stop(self):
        self.task.cancel()

    async def notify_clients(self, user_id: str, event: dict):
        await state.cache.publish("events", json.dumps({"user_id": user_id, "event": event}))

    async def _forward(self, events):
        async for message in events.listen():
            if message["type"] != "message":
                continue
            data = json.loads(message["data"])
            for client in list(self.clients[data["user_id"]]):
                await self.send_event(client, data["event"])

    async def send_event(self, client: WebSocket, event: dict):
        try:
            await client.send_json(event)
        except (RuntimeError, WebSocketDisconnect):
            pass  # it has gone; its own handler removes it


manager = SyncManager()


@router.websocket("/ws")
async def websocket(socket: WebSocket):
    user_id = verify_token(socket.headers.get("authorization", "").removeprefix("Bearer "))["user_id"]
    await socket.accept()
    manager.clients[user_id].add(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        manager.clients[user_id].discard(socket)
