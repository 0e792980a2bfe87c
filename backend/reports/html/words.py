"""Figures as text in the HTML report. Pure functions of values."""

from backend.audit.results import Figure

DASH, NOT_MEASURED, TOO_FEW = "–", "not measured", "too few for an interval"


def number(value: float | None) -> str:
    """Two decimals, none on a whole number, with a real minus sign; a dash for nothing."""
    if value is None:
        return DASH
    text = f"{abs(value):.0f}" if value == int(value) else f"{abs(value):.2f}"
    return f"−{text}" if value < 0 and text != "0.00" else text


def percent(value: float | None) -> str:
    return DASH if value is None else f"{value * 100:.0f} %"


def figure_value(figure: Figure, unit: str) -> str:
    """unit: "%" for a share, else empty."""
    if figure.value is None:
        return NOT_MEASURED
    return percent(figure.value) if unit == "%" else number(figure.value)


def figure_interval(figure: Figure, unit: str) -> str:
    if figure.value is None:
        return ""
    if figure.low is None or figure.high is None:
        return TOO_FEW
    if unit == "%":
        return f"{figure.low * 100:.0f} to {figure.high * 100:.0f} %"
    return f"{number(figure.low)} to {number(figure.high)}"
