"""A report as one HTML file: the dashboard's own answers, figures and terms, handed to the renderer. Wiring only."""

from backend.api.schemas import FeatureLine, LayerUse, Slice
from backend.audit.results import Feature, Report
from backend.reports import tallies
from backend.reports.html.render import HtmlAnswer, HtmlFigure, render_html


def report_html(report: Report) -> str:
    """The self-contained HTML report. Takes a second or so: never call it on the event loop."""
    from frontend.answers import answers
    from frontend.terms import TERMS  # imports the component library

    in_words = [HtmlAnswer(a.question, a.word, a.sentence) for a in answers(report.report_card, report.cascade)]
    return render_html(report, in_words, _figures(report), TERMS)


def _figures(report: Report) -> list[HtmlFigure]:
    from frontend.figures import arms, feature_plane, interactions, layer_map, set_sizes, slices, woken

    uses = [LayerUse(**vars(tally)) for tally in tallies.layers(report)]
    by_category = [Slice(category=c, counts=n) for c, n in tallies.outcomes_by_category(report.prompts).items()]
    n_layers = report.manifest.subject.get("n_layers")
    drawn = [
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
    return [HtmlFigure(title, caption, figure.to_json()) for title, caption, figure in drawn]


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
