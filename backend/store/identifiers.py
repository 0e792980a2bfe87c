"""Ids of rows: short, random and unguessable. Knows no table."""

from secrets import token_hex

N_BYTES = 8


def new_id(prefix: str) -> str:
    """A fresh id whose prefix says what it names, e.g. `audit_5f0c9a1b2c3d4e5f`."""
    return f"{prefix}_{token_hex(N_BYTES)}"
