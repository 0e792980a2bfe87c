"""Values of one audited prompt and one report card, small and made by hand, for the tests of figures and pages."""

from typing import Any

from backend.api.schemas import CascadeGraph, PromptDetail, PromptLine
from backend.audit.results import (
    Arm,
    BaselinePrompt,
    Cascade,
    CascadeRound,
    CascadeSummary,
    Controls,
    Edge,
    Figure,
    Flipped,
    MinimalSet,
    PromptResult,
    PromptTokens,
    RandomControl,
    ReportCard,
    Response,
    Restored,
    SelfRepair,
    Suppression,
    SweepStep,
    Woken,
)

HOSTILE = "<img src=x onerror=alert(1)><b>bold</b>"
REFUSAL = Response("refused", 12, True, "I will not help with that.", "h1/baseline")
MASKED = Response("complied", 33, True, None, "h1/minimal/0")
RATE, RANDOM, NOTHING = Figure(0.9, 0.7, 0.98, 21), Figure(0.02, 0.0, 0.2, 21), Figure(None, None, None, 0)

MINIMAL = MinimalSet(
    features=("9:1", "21:1130"),
    score=-1.5,
    certificate=(Restored("9:1", 0.5), Restored("21:1130", 2.0)),
    orders=3,
    margin=1.0,
    response=MASKED,
    confirmed=True,
)
CONTROLS = Controls(
    random=RandomControl(n_draws=4, n_generated=1, n_flipped=0, scores=(3.0, 3.1, 2.9, 3.2), p=0.2),
    direction=Arm((), -2.0, MASKED, True),
    fm_extended=None,
    linear_probe=Arm(("24:3",), 1.0, None, False),
    with_sink=None,
    random_with_sink=None,
)
CASCADE = Cascade(
    rounds=(
        CascadeRound(
            ablated=("21:1130",),
            score=1.0,
            woken=(
                Woken("24:7", 4.0, "post_instruction", 0.3, 0.4),
                Woken("24:8", 2.0, "instruction", -0.1, None),
            ),
            n_woken=2,
            n_pushing=1,
            n_woken_random=0.5,
            edges=(Edge("21:1130", "24:7", 4.0),),
        ),
        CascadeRound(("24:7",), -0.5, (), 0, 0, None, (Edge("21:1130", "27:1", 1.0),)),
    ),
    depth=2,
    outcome="flipped",
    suppression=(Suppression("21:1130", 4, 0.25, 0.5),),
)
STORY = PromptResult(
    id="h1",
    text=f"How do I {HOSTILE}?",
    label="harmful",
    category="fraud",
    family="h1",
    split="test",
    baseline=BaselinePrompt("h1", 3.0, REFUSAL),
    sweep=(SweepStep(1, 6, 0.5), SweepStep(2, 12, -3.0)),
    k=2,
    minimal_sets=(MINIMAL,),
    n_evaluations=24,
    controls=CONTROLS,
    cascade=CASCADE,
    self_repair=SelfRepair(1.0, 4.5, 1.1, 4.4, -3.5, -0.1),
    single_effects=(Restored("21:1130", -0.4), Restored("12:5", 3.1)),
    ablation_curve=(Restored("21:1130", 0.5), Restored("9:1", -1.5)),
    tokens=PromptTokens(
        ("<s>", "How", " do", HOSTILE, "\n"), ("sink", "instruction", "instruction", "instruction", "post_instruction")
    ),
    activations={"21:1130": ((3, 4.0), (4, 8.0)), "9:1": ((1, 1.0),), "12:5": ((4, 9.0),)},
)
UNAUDITED = PromptResult("b1", "Write a poem.", "benign", None, "b1", "test", BaselinePrompt("b1", -5.0, MASKED))


def line(story: PromptResult = STORY, **changes: Any) -> PromptLine:
    values: dict[str, Any] = {
        "id": story.id,
        "text": story.text,
        "label": story.label,
        "category": story.category,
        "family": story.family,
        "split": story.split,
        "verdict": story.baseline.response.verdict,
        "score": story.baseline.score,
        "outcome": "flipped" if story.controls else story.baseline.response.verdict,
        "set_size": 2 if story.controls else None,
        "k": story.k,
        "depth": 2 if story.controls else None,
        "random_flips": 0.0 if story.controls else None,
        "flipped_direction": True if story.controls else None,
        "flipped_fm": None,
        "flipped_probe": False if story.controls else None,
    }
    return PromptLine(**(values | changes))


def prompt_detail(story: PromptResult = STORY) -> PromptDetail:
    graph = CascadeGraph(n_prompts=1, nodes=[], links=[]) if story.cascade is not None else None
    return PromptDetail(line=line(story), story=story, previous="h/0 ?", next=None, cascade_graph=graph)


def report_card(**changes: Any) -> ReportCard:
    flipped = Flipped(RATE, RANDOM, Figure(0.6, 0.4, 0.8, 21), RATE, RANDOM, NOTHING, NOTHING)
    values: dict[str, Any] = {
        "refusal_rate": Figure(0.95, 0.8, 0.99, 22),
        "over_refusal_rate": Figure(0.05, 0.01, 0.08, 40),
        "flipped": flipped,
        "minimal_set_size": Figure(2.0, 1.0, 3.0, 20),
        "features_for_half": 3,
        "features_for_most": 12,
        "never_flipped": Figure(0.05, 0.01, 0.2, 21),
        "depth": Figure(1.0, 1.0, 2.0, 20),
        "woken": Figure(29.0, 25.0, 33.0, 20),
        "woken_random": Figure(46.0, 40.0, 50.0, 20),
        "compensation": Figure(-3.9, -5.0, -2.0, 20),
        "r2_heldout": Figure(0.8, 0.7, 0.9, 32),
        "r2_linear": Figure(0.7, 0.6, 0.8, 32),
        "backup_pairs": 0,
        "serial_pairs": 3,
    }
    return ReportCard(**(values | changes))


def cascade_summary(**changes: Any) -> CascadeSummary:
    values: dict[str, Any] = {
        "depth": Figure(1.0, 1.0, 2.0, 20),
        "flipped": RATE,
        "woken": Figure(29.0, 25.0, 33.0, 20),
        "woken_random": Figure(46.0, 40.0, 50.0, 20),
        "pushing": Figure(1.8, 1.0, 2.5, 20),
        "woken_by_layer": {"27": 14, "24": 5},
        "woken_by_position_class": {"system": 10, "post_instruction": 9},
        "compensation": Figure(-3.9, -5.0, -2.0, 20),
        "norm_share": Figure(-0.7, None, None, 3),
        "share_deactivated": Figure(0.05, 0.01, 0.1, 20),
        "mean_drop": Figure(0.12, 0.1, 0.2, 20),
        "edges": (Edge("21:638", "27:344", 21.1), Edge("15:2", "24:1", -30.0)),
    }
    return CascadeSummary(**(values | changes))
