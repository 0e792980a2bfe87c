"""Tokens as one sees them: white space gets a sign. Knows no component."""

SIGNS = {"\n": "↵", "\t": "⇥", "\r": "␍"}


def visible_token(text: str) -> str:
    """A token as a label: every line break and tab shown, a lone space too; an empty one is named."""
    if not text:
        return "∅"
    if not text.strip(" "):
        return "␣" * len(text)
    return "".join(SIGNS.get(character, character) for character in text)
