"""Reports that have every section, for tests of pages and exports: made-up verification, stability and judges on a
report that lacks them. The values are chosen to be told apart, and mean nothing."""

from dataclasses import replace

from backend.audit.results import (
    Arm,
    ArmFigures,
    CascadeSummary,
    Disagreement,
    FeatureStability,
    Figure,
    Influence,
    JudgeQuality,
    Judges,
    LayerCascade,
    ModeAgreement,
    Perturbation,
    PerturbedPrompt,
    PooledStep,
    PromptResult,
    PromptVerification,
    RandomControl,
    Report,
    Response,
    SideEffects,
    Stability,
    Statement,
    Sufficiency,
    Transfer,
    TransferredSet,
    Verification,
    WokenFeature,
)

HIGH, LOW, NONE = Figure(0.9, 0.7, 0.98, 21), Figure(0.05, 0.01, 0.24, 21), Figure(None, None, None, 0)
SCORE, SCORE_RANDOM = Figure(-2.1, -2.9, -1.3, 21), Figure(3.4, 2.8, 4.1, 21)
HALF = Figure(0.5, None, None, 4)
NAMES = ("9:1", "15:2", "21:1130")
ARM_RATES = {
    "minimal": HIGH, "random": LOW, "noise": LOW, "sign_flip": Figure(0.0, 0.0, 0.15, 21), "reconstruction": LOW,
    "direction": Figure(0.43, 0.24, 0.63, 21), "mean": Figure(0.86, 0.65, 0.95, 21), "resample": HALF, "clamp": HIGH,
}  # fmt: skip

VERIFICATION = Verification(
    arms={
        name: ArmFigures(rate, LOW, SCORE if rate.value and rate.value > 0.4 else SCORE_RANDOM, HALF)
        for name, rate in ARM_RATES.items()
    },
    n_tested=20,
    n_beyond_random=19,
    smallest_p=0.0476,
    coverage=Figure(0.97, 0.92, 1.0, 20),
    agreement=ModeAgreement(
        all_modes=Figure(0.81, 0.6, 0.92, 21),
        with_zero={"mean": HIGH, "resample": HALF, "clamp": Figure(0.95, 0.77, 0.99, 21)},
    ),
    sufficiency=Sufficiency(6, 8, HALF, LOW, HIGH, LOW, Figure(1.2, 0.4, 2.0, 8), Figure(-4.0, -4.8, -3.1, 8)),
    side_effects={
        "minimal": SideEffects(NAMES, Figure(0.021, 0.012, 0.034, 12), Figure(0.03, -0.01, 0.06, 12), LOW, LOW, 16),
        "random": SideEffects(NAMES, Figure(0.004, 0.002, 0.007, 12), Figure(0.0, -0.01, 0.01, 12), LOW, LOW, 16),
        "direction": SideEffects((), Figure(0.19, 0.11, 0.3, 12), Figure(0.24, 0.1, 0.4, 12), HALF, LOW, 16),
    },
    transfer=Transfer(
        sets=(TransferredSet(NAMES[:2], "h1", HALF), TransferredSet(NAMES[2:], "h2", HIGH)),
        mean=Figure(0.7, 0.5, 0.85, 20),
        pooled=tuple(
            PooledStep(f"21:{1130 + n}", n, Figure(share, max(0.0, share - 0.15), min(1.0, share + 0.1), 21))
            for n, share in enumerate((0.3, 0.52, 0.7, 0.86, 0.95), start=1)
        ),
        half=2,
        most=5,
        confirmed_half=HALF,
        confirmed_most=HIGH,
    ),
)
PLACEBO = Perturbation(
    "trailing_space", "placebo", "A space is added at the end.", "", HIGH, Figure(0.02, -0.1, 0.1, 21),
    Figure(0.98, 0.95, 1.0, 21), HIGH,
)  # fmt: skip
STABILITY = Stability(
    n_prompts=21,
    perturbations=(
        Perturbation(
            "role_play", "wrapper", "The request is put into the mouth of a character.", "", HALF,
            Figure(-1.4, -2.2, -0.6, 21), Figure(0.61, 0.52, 0.7, 21), Figure(0.7, 0.48, 0.85, 21),
        ),
        PLACEBO,
        Perturbation("typos", "surface", "Letters are swapped.", "", HIGH, SCORE, Figure(0.8, 0.7, 0.88, 21), HIGH),
        Perturbation("german", "language", "Asked in German.", "the subject does not speak it", NONE, NONE, NONE, NONE),
    ),
    features=(
        FeatureStability("21:1130", 21, HIGH, Figure(0.99, 0.9, 1.0, 21)),
        FeatureStability("9:1", 7, HALF, HIGH),
    ),
    keep_rate=Figure(0.74, 0.66, 0.81, 21),
    keep_rate_placebo=Figure(0.98, 0.95, 0.99, 21),
    set_flips=Figure(0.83, 0.7, 0.91, 42),
)  # fmt: skip
JUDGES = Judges(
    primary="phrases",
    quality=(
        JudgeQuality("phrases", "0" * 64, "refusal-yardstick 1a2b3c4d", Figure(0.96, 0.9, 0.98, 120), HIGH, HALF),
        JudgeQuality("llm", "1" * 64, "refusal-yardstick 1a2b3c4d", HIGH, HIGH, HALF),
    ),
    n_compared=140,
    disagreements=(Disagreement("h1", "minimal", "h1/minimal/0", {"phrases": "complied", "llm": "refused"}),),
    corrected={"report_card.refusal_rate": Figure(0.97, 0.85, 1.0, 22), "report_card.flipped.minimal": HALF},
    length_sweep={"10": Figure(0.5, 0.3, 0.7, 22), "30": Figure(0.8, 0.6, 0.9, 22), "100": HIGH},
)
STATEMENTS = (
    Statement(
        "present", "Does it refuse?", "yes", "Harmful test prompts are refused.", "above half, interval and all",
        {"report_card.refusal_rate": HIGH}, "prompts",
    ),
    Statement(
        "side_effects", "Is the ablation free of side effects?", "undecided", "KL 0.02 nats a token.",
        "below 0.05 nats", {}, "verification",
    ),
    Statement("stable", "Is it stable?", "not measured", "Nothing was perturbed.", "keep rate", {}, "stability"),
)  # fmt: skip


def measured_cascade(cascade: CascadeSummary) -> CascadeSummary:
    """With the controls that older summaries lack."""
    return replace(
        cascade,
        woken_difference=Figure(-14.2, -20.1, -8.0, 20),
        woken_features=(
            WokenFeature("24:7", 18, HIGH, LOW, 0.0012, 0.03),
            WokenFeature("27:344", 20, HALF, HALF, 0.5, 0.62),
        ),
        n_woken_screened=240,
        backups_confirmed=HALF,
        woken_share=Figure(0.1, 0.0, 0.3, 12),
        layer_depth=Figure(1.0, 1.0, 2.0, 20),
        layer_flipped=HIGH,
        influence=(Influence(9, 21, LOW, Figure(0.12, 0.08, 0.2, 20)), Influence(15, 21, LOW, HALF)),
    )


def measured(report: Report) -> Report:
    """The same report with every section."""
    audited = [prompt.id for prompt in report.prompts if prompt.controls is not None]
    sets = tuple(replace(one, found_on=found) for one, found in zip(VERIFICATION.transfer.sets, audited, strict=False))
    judged = tuple(replace(one, prompt=found) for one, found in zip(JUDGES.disagreements, audited, strict=False))
    return replace(
        report,
        prompts=tuple(measured_prompt(prompt) for prompt in report.prompts),
        cascade=measured_cascade(report.cascade),
        report_card=replace(report.report_card, statements=STATEMENTS),
        verification=replace(VERIFICATION, transfer=replace(VERIFICATION.transfer, sets=sets)),
        stability=STABILITY,
        judges=replace(JUDGES, disagreements=judged),
    )


def measured_prompt(prompt: PromptResult) -> PromptResult:
    """With layers, verification and perturbations where its minimal set is confirmed."""
    claimed = next((one for one in prompt.minimal_sets if one.confirmed), None)
    if claimed is None or prompt.controls is None:
        return prompt
    score, complied = prompt.baseline.score, replace(claimed.response, tokens=f"{prompt.id}/clamp")
    noise = RandomControl(4, 0, 0, (score - 0.2, score, score + 0.3, score - 0.5), 0.2)
    return replace(
        prompt,
        layer_cascade=LayerCascade((21, 15), (4, 2), (score / 2, -1.0), 2),
        verification=PromptVerification(
            features=claimed.features,
            active=claimed.features[:1],
            arms={
                "sign_flip": Arm(claimed.features, score + 1, None, False),
                "mean": Arm(claimed.features, claimed.score, complied, True),
                "clamp": Arm(claimed.features, claimed.score - 1, complied, True),
            },
            noise=noise,
        ),
        perturbed=(
            PerturbedPrompt("trailing_space", score, prompt.baseline.response, 1.0, NAMES, (), claimed.score, True),
            PerturbedPrompt("role_play", -0.4, _answered(prompt), 0.6, NAMES[:1], NAMES[1:], None, None),
            PerturbedPrompt("typos", score - 1, None, 0.8, NAMES[:2], NAMES[2:], 0.3, False),
        ),
    )


def _answered(prompt: PromptResult) -> Response:
    return Response("complied", 40, False, None, f"{prompt.id}/perturbed/role_play")
