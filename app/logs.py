"""Logging, configured once, by whoever starts a process."""

import logging

LOUD = ("httpx", "alembic", "sae_lens")  # libraries that tell of every step


def configure_logs() -> None:
    """Times, names and messages on stderr."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
