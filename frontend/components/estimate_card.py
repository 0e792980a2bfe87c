"""What an audit will take, before it is started."""

from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import Estimate, Readiness
from frontend.components.messages import warning_alert
from frontend.format import duration, number, plural
from frontend.url_state import audit_path


def estimate_card(estimate: Estimate, readiness: Readiness) -> Any:
    """Time, memory, prompts, what the estimate rests on, and what stands in the way."""
    prompts = f"{plural(estimate.n_prompts, 'prompt')}, {estimate.n_harmful:,} harmful"
    parts: list[Any] = [
        _line("Time", estimated_time(estimate)),
        _line("Memory", "not known" if estimate.memory_gib is None else f"about {number(estimate.memory_gib, 1)} GiB"),
        _line("Prompts", prompts),
        dmc.Text(estimate.basis, size="xs", c="dimmed"),
    ]
    if estimate.answered_by is not None:
        known = dmc.Anchor("its report", href=audit_path(estimate.answered_by))
        parts.append(
            dmc.Alert(
                dmc.Text(["This audit has been run with the same code: here is ", known, "."], size="sm"),
                title="The answer is known",
                color="teal",
                variant="light",
            )
        )
    if not readiness.workers and not readiness.starting:
        parts.append(warning_alert("No worker is running: the audit will wait until one starts.", title="It will wait"))
    return dmc.Stack(parts, gap="xs")


def estimated_time(estimate: Estimate) -> str:
    """`4 min to 7 min`; one end where both read the same."""
    low, high = estimate.seconds_low, estimate.seconds_high
    if low is None or high is None:
        return "not known: nothing comparable has been run yet"
    if duration(low) == duration(high):
        return f"about {duration(high)}"
    return f"{duration(low)} to {duration(high)}"


def _line(name: str, value: str) -> Any:
    return dmc.Group(
        [dmc.Text(name, size="sm", c="dimmed", w=80), dmc.Text(value, size="sm", fw=600, flex=1)],
        gap="xs",
        wrap="nowrap",
        align="start",
    )
