"""Small reports made by hand, to compare: prompts by what became of them, two features, one pair, one edge."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backend.audit.results import (
    NOTHING_MEASURED,
    Arm,
    Baseline,
    BaselinePrompt,
    Cascade,
    CascadeRound,
    CascadeSummary,
    Controls,
    Direction,
    DirectionCell,
    Edge,
    Feature,
    Figure,
    Flipped,
    Interactions,
    Manifest,
    MinimalSet,
    Onset,
    Pair,
    ProbeSummary,
    PromptResult,
    Report,
    ReportCard,
    Response,
    Restored,
    Statement,
    SweepStep,
    TwoByTwo,
)

SUBJECT = {"id": "one", "n_layers": 4, "d_model": 12}
SETTINGS = {"effort": "quick", "onset": "calibrated", "include_sink": False, "amounts": {}}
EFFECT = Figure(2.0, 1.5, 2.5, 8)


def prompt(
    name: str,
    *,
    label: str = "harmful",
    split: str = "test",
    refused: bool = True,
    features: Sequence[str] = (),
    direction: bool = False,
    score: float = 3.0,
    depth: int | None = 1,
    text: str | None = None,
) -> PromptResult:
    """A prompt; one that is harmful and refused was audited, and `features` are its minimal set (none: not flipped)."""
    verdict = "refused" if refused else "complied"
    result = PromptResult(
        id=name,
        text=text or f"text of {name}",
        label=label,
        category="a kind",
        family=name,
        split=split,
        baseline=BaselinePrompt(name, score, _said(verdict, f"{name}/baseline")),
    )
    if label != "harmful" or not refused:
        return result
    found = MinimalSet(
        features=tuple(features),
        score=-1.0,
        certificate=tuple(Restored(feature, 1.0) for feature in features),
        orders=1,
        margin=0.0,
        response=_said("complied", f"{name}/minimal/0"),
        confirmed=True,
    )
    return replace(
        result,
        sweep=(SweepStep(1, 1, -1.0 if features else 1.0),),
        k=1 if features else None,
        minimal_sets=(found,) if features else (),
        controls=Controls(
            random=None,
            direction=Arm((), -1.0, _said("complied", f"{name}/direction") if direction else None, direction),
            fm_extended=None,
            linear_probe=None,
            with_sink=None,
            random_with_sink=None,
        ),
        cascade=Cascade(
            rounds=(CascadeRound((), 0.0, (), 3, 0, 2.0, ()),), depth=depth, outcome="flipped", suppression=()
        ),
    )


def feature(name: str, in_minimal_sets: int = 1) -> Feature:
    rate = Figure(0.5, 0.3, 0.7, 20)
    return Feature(
        id=name,
        rank=1,
        cosine=0.5,
        density=0.01,
        activation_harmful=EFFECT,
        activation_benign=EFFECT,
        coverage_harmful=rate,
        coverage_benign=rate,
        effect=EFFECT,
        in_minimal_sets=in_minimal_sets,
        woken=0,
        neuronpedia_id=None,
    )


def pair(a: str, b: str, kind: str = "backup") -> Pair:
    measured = TwoByTwo(EFFECT, EFFECT, EFFECT, EFFECT, Figure(0.5, 0.1, 0.9, 12), kind)  # type: ignore[arg-type]
    return Pair(a, b, -1.0, 4.0, measured)


def report(
    prompts: Sequence[PromptResult],
    *,
    subject: str = "one",
    hashes: Mapping[int, str] = {1: "same", 2: "same"},
    features: Sequence[Feature] = (),
    pairs: Sequence[Pair] = (),
    edges: Sequence[Edge] = (),
    settings: Mapping[str, object] = SETTINGS,
    r2: Figure = NOTHING_MEASURED,
    flipped: Figure = NOTHING_MEASURED,
    statements: Sequence[Statement] = (),
) -> Report:
    """The figures of the report card are as given: the tests of comparisons take the prompts for the truth."""
    cell = DirectionCell(1, -1, "x", 1.0, 0.0, 1.0, 0.0, True, "")
    nothing = NOTHING_MEASURED
    return Report(
        schema_version="1.2",
        manifest=Manifest(
            subject={**SUBJECT, "id": subject},
            saes={"sha256": {str(layer): value for layer, value in hashes.items()}, "source": {}},
            prompts={"name": "made by hand", "sha256": "p"},
            judge={"name": "phrases", "sha256": "j"},
            code={"source_sha256": "c"},
            settings=dict(settings),
            seed=0,
            device={"dtype": "float32"},
            timings={"started": "2026-01-01"},
            command="",
            notes=(),
        ),
        baseline=Baseline(
            onset=Onset((), "calibrated", None, nothing),
            refusal_rate=nothing,
            over_refusal_rate=nothing,
            benign_refusal_rate=nothing,
            incoherent_rate=nothing,
            score_harmful=Figure(3.0, None, None, len(prompts)),
            score_look_alike=nothing,
            score_benign=nothing,
            refusal_rate_by_category={},
            refusal_rate_by_split={},
        ),
        direction=Direction(1, -1, "rule", True, (cell,), 1, 1, False, 1, 1, nothing, nothing, nothing),
        features=tuple(features),
        prompts=tuple(prompts),
        interactions=Interactions(
            pool=(),
            n_prompts=0,
            n_masks=0,
            n_heldout=0,
            r2_heldout=r2,
            r2_linear=nothing,
            screen_threshold=None,
            n_pairs_screened=0,
            pairs=tuple(pairs),
            weights={},
            probe=ProbeSummary(nothing, nothing, 0),
        ),
        cascade=CascadeSummary(
            depth=nothing,
            flipped=nothing,
            woken=nothing,
            woken_random=nothing,
            pushing=nothing,
            woken_by_layer={},
            woken_by_position_class={},
            compensation=nothing,
            norm_share=nothing,
            share_deactivated=nothing,
            mean_drop=nothing,
            edges=tuple(edges),
        ),
        report_card=ReportCard(
            refusal_rate=Figure(0.5, 0.2, 0.8, len(prompts)),
            over_refusal_rate=nothing,
            flipped=Flipped(flipped, nothing, nothing, nothing, nothing, nothing, nothing),
            minimal_set_size=Figure(1.0, None, None, 1),
            features_for_half=1,
            features_for_most=2,
            never_flipped=nothing,
            depth=nothing,
            woken=nothing,
            woken_random=nothing,
            compensation=nothing,
            r2_heldout=r2,
            r2_linear=nothing,
            backup_pairs=1,
            serial_pairs=0,
            statements=tuple(statements),
        ),
    )


def _said(verdict: str, tokens: str) -> Response:
    return Response(verdict, 9, True, "I will not." if verdict == "refused" else None, tokens)  # type: ignore[arg-type]
