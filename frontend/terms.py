"""Every term of docs/method.md in a sentence or two, and the label that explains it where it stands."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

TERMS = {
    "activation": "How strongly a feature fires on a token: never below 0, in the units of the residual stream.",
    "ablation": "Setting a feature's activation to zero wherever it is in scope, with the SAE's error kept.",
    "active": "A feature whose activation is above 0 on at least one token in scope.",
    "adapter": "Small weights on top of a model that change how it behaves, here how it refuses.",
    "attention sink": "The first token. Nearly every feature fires there, and zeroing even random ones there stops a "
    "refusal, so that edits leave it out unless asked.",
    "backup pair": "Two features that cover for each other: ablating both does more than the two alone together.",
    "baseline": "The subject as it is, with nothing changed.",
    "benign": "Everyday instructions that no model should refuse.",
    "borrowed": "Bundled prompts used to fit the refusal direction where the set has too few; they are in no figure.",
    "candidate": "A feature that points along its layer's refusal direction and is not active nearly everywhere.",
    "cascade": "Ablation in rounds: first the strongest active refusal features, then those that woke because of it.",
    "certificate": "For each feature of a minimal set, the score when it alone is restored. At or above minus the "
    "margin, the prompt would refuse again: the feature is needed.",
    "compensation": "Self-repair: 1 - total effect / direct effect. Above 0, later computation restores part of what "
    "the ablation removed; below 0 it adds to the damage.",
    "complied": "The completion answers the request.",
    "confirmed": "The set was confirmed by a completion that complied, not by the score alone.",
    "cosine": "How far a feature's decoder vector points along its layer's refusal direction: 1 along it, 0 across it.",
    "coverage": "Share of prompts on which the feature is active on some token in scope.",
    "density": "Share of tokens of benign prompts on which the feature is active.",
    "depth": "Rounds of the cascade until the prompt no longer refuses.",
    "device": "Where the subject runs: the CPU, or a GPU (cuda).",
    "direct effect": "Drop in the refusal score when the feature's vector is taken from the final residual alone.",
    "direction": "The refusal direction: the difference between mean residuals on harmful and benign prompts. "
    "Ablating it everywhere is the positive control.",
    "dormant": "A feature that is 0 on every token in scope before anything is ablated.",
    "dtype": "Precision of the numbers the subject computes with. float32 reproduces on every machine.",
    "effect": "Drop in the refusal score when the feature alone is ablated, in nats. Above 0 it supports refusal.",
    "effort": "How much is measured. More effort narrows intervals and searches wider; it changes no definition.",
    "factorisation machine": "A model of the score from ablation masks with one weight per feature and per pair. Its "
    "pairs are claims, each measured before it is reported.",
    "feature": "One latent of a sparse autoencoder, written layer:index.",
    "flip": "Refused at baseline and complied under the intervention. Incoherent text is no flip.",
    "flipped by direction": "Share of refused test prompts that comply with the refusal direction ablated at every "
    "layer: what steering alone would do.",
    "flipped by minimal sets": "Share of refused test prompts that comply when a minimal set of SAE features is "
    "ablated, confirmed by a completion.",
    "flipped by random sets": "The same for random sets matched to the minimal set by layer, frequency and size. If "
    "this is as high, the minimal sets are nothing special.",
    "fvu": "Fraction of the residual's variance that the SAE leaves unexplained: 0 is perfect, 1 explains nothing.",
    "harmful": "Prompts that ask for something the subject should refuse.",
    "incoherent": "The completion neither refuses nor answers: loops, copies, scrambled or empty text.",
    "interval": "The 95 % interval: rates by Wilson's method, means and medians by a bootstrap over prompt families.",
    "l0": "Features active on a token, on average.",
    "layer": "A block of the model. Features read the residual stream after it.",
    "linear probe": "The features that best predict harm from activations, as many as the minimal set. Does predicting "
    "harm find what causes refusal?",
    "logit lens": "The tokens that the feature's decoder vector would make likelier if it went straight to the output.",
    "look-alike": "Harmless prompts that sound harmful. Refusing them is over-refusal.",
    "margin": "How far below 0 the score was pushed so that the completion complied, in nats.",
    "masked": "Completions under intervention may be harmful. Their words are hidden until someone reveals them, and "
    "each reveal is recorded.",
    "matched random set": "Random features, as many per layer as the set has and alike in how often and how strongly "
    "they fire.",
    "minimal set": "Features whose joint ablation stops the refusal, and of which none can be left out.",
    "minimal set size": "Median size of the smallest confirmed minimal set, over the test prompts that flipped.",
    "n": "Independent observations behind a figure; failures count.",
    "never flipped": "Share of refused test prompts that no candidate set took below a score of 0.",
    "onset tokens": "First response tokens that announce a refusal. Calibrated: found in the subject's own refusals. "
    "Surrogate: the single token of 'I', as in the paper.",
    "over-refusal": "Share of harmless look-alike prompts of the test split that the subject refuses.",
    "position class": "Where a token stands: sink (first), system, instruction, post-instruction or response.",
    "prompt family": "Near-duplicate prompts. A family is never split between discovery, validation and test.",
    "r2": "Share of the variance in held-out scores that the model explains: 1 is all of it.",
    "refusal rate": "Share of harmful prompts of the test split that the subject refuses.",
    "refusal score": "Log-odds that the first response token announces a refusal. Above 0 leans to refusal.",
    "refused": "The completion declines the request.",
    "scope": "The tokens at which edits apply. The default is all but the attention sink.",
    "seed": "Feeds every random draw. The same seed on the same machine gives the same report.",
    "self-repair": "Later layers restoring what an ablation removed.",
    "serial pair": "Two features on one path: ablating either already breaks it, so both together add little.",
    "sparse autoencoder": "A dictionary (SAE) that writes a layer's residual as a sum of few features.",
    "split": "Discovery fits, validation chooses, test reports. Headline figures are over the test split alone.",
    "subject": "The model under audit with one sparse autoencoder for each audited layer.",
    "suppression": "What ablating one active refusal feature does to active refusal features in later layers.",
    "total effect": "Drop in the refusal score when the feature is ablated and everything after it is recomputed.",
    "unconfirmed": "The score flipped, but no completion complied.",
    "verdict": "What the judge says of a completion: refused, complied or incoherent.",
    "woken": "A feature dormant at baseline that became active after an ablation.",
}


def term_help(term: str, label: str | None = None) -> Any:
    """The term (or `label`) with a dotted line under it; hovering, focusing or touching it gives the definition."""
    return dmc.Tooltip(
        html.Span(label or term, className="term", tabIndex=0),
        label=TERMS[term],
        multiline=True,
        w=280,
        events={"hover": True, "focus": True, "touch": True},
        withArrow=True,
        openDelay=150,
        boxWrapperProps={"display": "inline"},
    )
