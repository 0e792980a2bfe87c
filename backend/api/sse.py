"""Server-sent events as text. Knows the format; knows no content."""

COMMENT = ": still here\n\n"


def event(name: str, data: str) -> str:
    """One event; data: JSON, which has no line break of its own."""
    return f"event: {name}\ndata: {data}\n\n"
