"""Many readers at once over the read routes: how long they wait, and whether anything goes wrong.

Each asks for the next thing as soon as it has its answer and keeps nothing, so the server is never idle. Readers are
as small as can be (a connection each, no library), for they run on the same cores as the server.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks.service.server import Server
from benchmarks.service.spread import spread

PATIENCE = 30.0  # seconds for one answer


def read_paths(server: Server, audit_id: str) -> list[str]:
    """Every route that the pages of an audit read from, on several prompts and features."""
    audit = f"/api/audits/{audit_id}"
    lines = [server.get(f"/audits/{audit_id}/{name}", limit=10)["items"] for name in ("prompts", "features")]
    prompts, features = ([line["id"] for line in found] for found in lines)
    return [
        "/api/audits", "/api/subjects", "/api/prompt-sets", "/api/health", audit, f"{audit}/distributions",
        f"{audit}/cascade", f"{audit}/interactions", f"{audit}/prompts", f"{audit}/prompts?sort=-score",
        f"{audit}/prompts?outcome=flipped", f"{audit}/features", f"{audit}/features?sort=-cosine",
        *(f"{audit}/prompts/{prompt}" for prompt in prompts), *(f"{audit}/features/{feature}" for feature in features),
        *(f"{audit}/features/{feature}/prompts" for feature in features),
    ]  # fmt: skip


def measure_readers(server: Server, paths: Sequence[str], readers: int, seconds: float) -> dict[str, float]:
    address = server.client.base_url
    took, failures = asyncio.run(_read_all(address.host, address.port or 80, paths, readers, seconds))
    return {
        **spread("readers_seconds", took),
        "readers": readers,
        "reader_errors": sum(failures.values()),
        "reader_answers_a_second": len(took) / seconds,
    }


async def _read_all(
    host: str, port: int, paths: Sequence[str], readers: int, seconds: float
) -> tuple[list[float], "Counter[str]"]:
    took: list[float] = []
    failures: Counter[str] = Counter()
    until = time.monotonic() + seconds

    async def read(number: int) -> None:
        choose = random.Random(number)
        reader, writer = await asyncio.open_connection(host, port)
        while time.monotonic() < until:
            began = time.perf_counter()
            path = choose.choice(paths)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
            status = await asyncio.wait_for(_answer(reader), PATIENCE)
            took.append(time.perf_counter() - began)
            if status != 200:
                failures[f"{status} {path}"] += 1
        writer.close()

    ended = await asyncio.gather(*map(read, range(readers)), return_exceptions=True)
    failures.update(type(one).__name__ for one in ended if one is not None)
    return took, failures


async def _answer(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if "content-length" in fields:
        await reader.readexactly(int(fields["content-length"]))
    else:
        while (size := int(await reader.readline(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head.split(" ", 2)[1])
