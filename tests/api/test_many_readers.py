"""More readers at once than the database has connections: each is answered, none waits for another for good."""

import asyncio

import httpx

from tests.api.conftest import Audited
from tests.api.listening import listening

READERS = 150


def test_all_are_answered(audited: Audited) -> None:
    async def read(address: str) -> list[int]:
        limits = httpx.Limits(max_connections=READERS)
        async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as client:
            paths = [f"{audited.path}/prompts?limit=500", f"{audited.path}/features", "/api/audits"]
            answers = await asyncio.gather(*(client.get(paths[i % len(paths)]) for i in range(READERS)))
            return [answer.status_code for answer in answers]

    with listening(audited.site) as address:
        assert asyncio.run(read(address)) == [200] * READERS
