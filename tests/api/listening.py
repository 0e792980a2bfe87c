"""A site's own application on a port. The test client cannot stream: it waits for the whole answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.api.site import Site
from tests.jobs.service import wait_until


@contextmanager
def listening(site: Site) -> Iterator[str]:
    """Its address; the site itself is started already."""
    server = uvicorn.Server(uvicorn.Config(site.server, port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
