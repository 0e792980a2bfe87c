"""Cascades of refused prompts as values, for tests of what is made of them."""

from dataclasses import replace

from backend.audit.results import (
    Arm,
    BaselinePrompt,
    Cascade,
    CascadeRound,
    Controls,
    PromptResult,
    Response,
    Woken,
)

RESPONSE = Response("refused", 3, True, "No.", "p/baseline")


def woken(feature: str, confirmed: bool | None = None) -> Woken:
    return Woken(feature, 1.0, "instruction", 0.5, 0.5, confirmed)


def first_round(woke: tuple[str, ...], in_draws: dict[str, int], draws: int = 4, **changes: object) -> CascadeRound:
    counts = {name: in_draws.get(name, 0) for name in sorted({*woke, *in_draws})}
    plain = CascadeRound(
        ablated=("1:0",),
        score=1.0,
        woken=tuple(woken(name) for name in woke),
        n_woken=len(woke),
        n_pushing=0,
        n_woken_random=sum(counts.values()) / draws,
        edges=(),
        random_draws=draws,
        woken_random=counts,
        woke=woke,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def prompt(name: str, *rounds: CascadeRound, family: str = "", split: str = "test", **changes: object) -> PromptResult:
    suppression = changes.pop("suppression", ())
    cascade = Cascade(rounds, None, "exhausted", suppression)  # type: ignore[arg-type]
    arm = Arm((), 1.0, None, False)
    plain = PromptResult(
        id=name,
        text="",
        label="harmful",
        category=None,
        family=family or name,
        split=split,
        baseline=BaselinePrompt(name, 3.0, RESPONSE),
        controls=Controls(None, arm, None, None, None, None),
        cascade=cascade,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]
