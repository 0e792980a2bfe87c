"""Numbers, times and intervals in words. Knows values; knows no component."""

from datetime import UTC, datetime

from backend.audit.results import Figure

NOT_MEASURED = "not measured"
DASH = "–"


def percent(value: float | None, digits: int = 0) -> str:
    return DASH if value is None else f"{value * 100:.{digits}f} %"


def number(value: float | None, digits: int = 2) -> str:
    """Fixed digits, a real minus sign, and no sign on what rounds to zero."""
    if value is None:
        return DASH
    text = f"{value:,.{digits}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.,") else "−" + text[1:]
    return text


def count(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"


def plural(n: int, one: str, many: str | None = None) -> str:
    """`1 prompt`, `3 prompts`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def figure_value(figure: Figure | None, *, share: bool = False, digits: int | None = None) -> str:
    """The estimate alone: `90 %` or `2.50`."""
    if figure is None or figure.value is None:
        return NOT_MEASURED
    return _one(figure.value, share, digits) + (" %" if share else "")


def figure_interval(figure: Figure | None, *, share: bool = False, digits: int | None = None) -> str:
    """`70 to 98 %`, or why there is none."""
    if figure is None or figure.value is None:
        return ""
    if figure.low is None or figure.high is None:
        return "no interval: too few prompt families"
    return f"{_one(figure.low, share, digits)} to {_one(figure.high, share, digits)}" + (" %" if share else "")


def figure_text(figure: Figure | None, *, share: bool = False, digits: int | None = None) -> str:
    """The whole figure on a line: `90 % (70 to 98), n 21`."""
    if figure is None or figure.value is None:
        return NOT_MEASURED
    value = figure_value(figure, share=share, digits=digits)
    if figure.low is None or figure.high is None:
        return f"{value}, n {figure.n:,}"
    return f"{value} ({_one(figure.low, share, digits)} to {_one(figure.high, share, digits)}), n {figure.n:,}"


def duration(seconds: float | None) -> str:
    """`8 s`, `4 min 20 s`, `2 h 5 min`; never more than two units."""
    if seconds is None:
        return DASH
    if 0 < seconds < 1:
        return "under 1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest and minutes < 10 else "")
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    days, hours = divmod(hours, 24)
    return f"{days} d" + (f" {hours} h" if hours else "")


def time_left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return "under 1 s left" if seconds < 1 else f"about {duration(seconds)} left"


def moment(seconds: float | None) -> str:
    """A time since 1970 as `2026-11-24 13:23 UTC`."""
    return DASH if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def ago(seconds: float, now: float) -> str:
    """`just now`, `5 min ago`."""
    passed = now - seconds
    return "just now" if passed < 5 else f"{duration(passed)} ago"


def shortened(text: str, limit: int = 80) -> str:
    """One line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _one(value: float, share: bool, digits: int | None) -> str:
    return number(value * 100 if share else value, (0 if share else 2) if digits is None else digits)
