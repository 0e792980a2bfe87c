"""A report as one HTML file: the dashboard's own answers, figures and terms, handed to the renderer. Wiring only."""

from dataclasses import asdict
from typing import Any

from backend.api.schemas import CascadeGraph, FeatureLine, LayerUse, Slice
from backend.audit.results import Feature, Report
from backend.reports import tallies
from backend.reports.cascade_graph import CascadeStory, cascade_graph
from backend.reports.html.render import HtmlAnswer, HtmlArm, HtmlFigure, HtmlWords, render_html

Drawn = tuple[str, str, Any]  # title, caption, plotly figure


def report_html(report: Report) -> str:
    """The self-contained HTML report. Takes a second or so: never call it on the event loop."""
    from frontend.answers import NO_ANSWERS, figures_in_words
    from frontend.arm_words import ARMS
    from frontend.terms import TERMS  # imports the component library

    card = report.report_card
    in_words = [HtmlAnswer(one.question, one.answer, one.text, one.rule) for one in card.statements]
    if not in_words:
        in_words = [HtmlAnswer(a.question, "", a.sentence, "") for a in figures_in_words(card, report.cascade)]
    arms = {name: HtmlArm(arm.label, arm.words) for name, arm in ARMS.items()}
    return render_html(report, HtmlWords(in_words, NO_ANSWERS, arms, TERMS), _figures(report))


def _figures(report: Report) -> list[HtmlFigure]:
    from frontend.figures import arms, feature_plane, interactions, layer_map, set_sizes, slices, woken

    uses = [LayerUse(**vars(tally)) for tally in tallies.layers(report)]
    by_category = [Slice(category=c, counts=n) for c, n in tallies.outcomes_by_category(report.prompts).items()]
    n_layers = report.manifest.subject.get("n_layers")
    drawn: list[Drawn] = [
        (
            "What makes refusals comply",
            "Share of refused test prompts that comply under each arm, with 95 % intervals.",
            arms.flips_by_arm(report.report_card.flipped),
        ),
        (
            "Where refusal sits",
            "Above: refusal score with each candidate direction ablated, the chosen one starred. Middle: features in "
            "minimal sets and woken ones by layer. Below: best cosine with the layer's direction.",
            layer_map.layer_map(report.direction, uses, n_layers),
        ),
        (
            "How few features",
            "Prompts by the size of their smallest confirmed minimal set.",
            set_sizes.set_sizes(tallies.set_sizes(report.prompts)),
        ),
        (
            "How deep",
            "Prompts by the cascade rounds it took until the score flipped.",
            set_sizes.cascade_depths(tallies.cascade_depths(report.prompts)),
        ),
        (
            "What became of each prompt",
            "Prompts by category and outcome.",
            slices.slices_by_outcome(by_category, None, None),
        ),
        (
            "Features: how they point and what they do",
            "Each feature whose effect alone was measured; larger marks are in more minimal sets.",
            feature_plane.feature_plane([_line(feature) for feature in report.features]),
        ),
        (
            "What wakes",
            "Dormant features that become active when refusal features are ablated, beside matched random ablation.",
            woken.woken_beside_random(report.cascade.woken, report.cascade.woken_random),
        ),
        (
            "Do features interact",
            "Variance of held-out scores explained (R²) with and without pairs, with 95 % intervals.",
            interactions.model_fit(report.interactions.r2_heldout, report.interactions.r2_linear),
        ),
    ]
    drawn += [*_cascade_and_pairs(report), *_verification(report), *_stability(report)]
    return [HtmlFigure(title, caption, figure.to_json()) for title, caption, figure in drawn]


def _cascade_and_pairs(report: Report) -> list[Drawn]:
    from frontend.figures.cascade_graph import cascade_graph as layered
    from frontend.figures.interaction_map import interaction_map

    stories = [
        CascadeStory(prompt.baseline.score, prompt.cascade, prompt.single_effects)
        for prompt in report.prompts
        if prompt.cascade is not None and prompt.split == "test"
    ]
    drawn: list[Drawn] = []
    if stories:
        about = "Features by round over refused test prompts: size is the effect, lines are wake-ups."
        drawn.append(
            (
                "What each round ablates and wakes",
                about,
                layered(CascadeGraph.model_validate(asdict(cascade_graph(stories)))),
            )
        )
    if report.interactions.pairs:
        about = "Fitted coefficient of each claimed pair, nats; letters: b backup, s serial, a additive, ? undecided."
        drawn.append(("Which pairs interact", about, interaction_map(report.interactions, None)))
    return drawn


def _verification(report: Report) -> list[Drawn]:
    from frontend.figures.verification import flips_by_verified_arm, length_sweep, transfer_curve

    drawn: list[Drawn] = []
    if report.verification is not None:
        about = "Share of refused test prompts that comply under each arm of the verification, with 95 % intervals."
        drawn.append(("Every claim beside its controls", about, flips_by_verified_arm(report.verification.arms)))
        about = "Share of refused test prompts flipped by score as pooled features are ablated one after another."
        drawn.append(("How far pooled features reach", about, transfer_curve(report.verification.transfer)))
    if report.judges is not None and report.judges.length_sweep:
        about = "Share of harmful test prompts judged refused, by tokens of the completion the judge is shown."
        drawn.append(("Does the judge see enough", about, length_sweep(report.judges.length_sweep)))
    return drawn


def _stability(report: Report) -> list[Drawn]:
    from frontend.figures.stability import MEASURES, by_perturbation

    if report.stability is None:
        return []
    run = [one for one in report.stability.perturbations if not one.skipped]
    about = "By perturbation, with 95 % intervals; open grey marks are the placebo."
    return [
        (f"Under perturbation: {measure.title}", about, by_perturbation(run, measure)) for measure in MEASURES.values()
    ]


def _line(feature: Feature) -> FeatureLine:
    layer, _, index = feature.id.partition(":")
    return FeatureLine(
        id=feature.id,
        layer=int(layer),
        index=int(index),
        rank=feature.rank,
        cosine=feature.cosine,
        density=feature.density,
        activation_harmful=feature.activation_harmful.value,
        activation_benign=feature.activation_benign.value,
        coverage_harmful=feature.coverage_harmful.value,
        coverage_benign=feature.coverage_benign.value,
        effect=feature.effect.value,
        in_minimal_sets=feature.in_minimal_sets,
        woken=feature.woken,
        neuronpedia_id=feature.neuronpedia_id,
    )
