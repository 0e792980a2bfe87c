"""A figure in words that can be quoted: estimate, 95 % interval, n. Knows figures; knows no question."""

from backend.audit.results import Figure


def share_words(figure: Figure) -> str:
    """A rate: "91 % (79 to 96 %), n 45"."""
    return _words(figure, scale=100.0, digits=0, unit=" %")


def number_words(figure: Figure, digits: int = 1) -> str:
    """Anything else: "2.5 (1.0 to 4.0), n 12"."""
    return _words(figure, scale=1.0, digits=digits, unit="")


def _words(figure: Figure, *, scale: float, digits: int, unit: str) -> str:
    if figure.value is None:
        return "not measured"

    def shown(value: float) -> str:
        return f"{value * scale:.{digits}f}"

    if figure.low is None or figure.high is None:
        return f"{shown(figure.value)}{unit} (too few for an interval), n {figure.n}"
    return f"{shown(figure.value)}{unit} ({shown(figure.low)} to {shown(figure.high)}{unit}), n {figure.n}"
