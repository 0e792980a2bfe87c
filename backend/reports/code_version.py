"""Which code an audit's numbers come from, as a hash. Knows files; imports none of what it reads."""

import hashlib
from functools import cache
from pathlib import Path

SCIENCE = ("audit", "engine", "prompts", "subjects")  # what numbers depend on: neither store nor pages nor reports


@cache
def source_sha256() -> str:
    """SHA-256 over the paths and contents of every Python file that an audit's numbers depend on."""
    backend = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for file in sorted(file for folder in SCIENCE for file in (backend / folder).rglob("*.py")):
        digest.update(str(file.relative_to(backend)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
