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
    "backup": "A woken feature whose own ablation lowers the refusal score further: it covers for what was ablated.",
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
    "corrected rate": "The rate with the judge's measured sensitivity and specificity taken out of it (Rogan and "
    "Gladen).",
    "cosine": "How far a feature's decoder vector points along its layer's refusal direction: 1 along it, 0 across it.",
    "coverage": "Share of prompts on which the feature is active on some token in scope.",
    "cross-entropy": "How badly the ablated subject predicts its own unablated completion: the change, in nats a "
    "token.",
    "density": "Share of tokens of benign prompts on which the feature is active.",
    "depth": "Rounds of the cascade until the prompt no longer refuses.",
    "detectable difference": "The smallest difference that a comparison of this many prompts finds in 4 cases of 5. "
    "What is smaller may be there and not be seen.",
    "device": "Where the subject runs: the CPU, or a GPU (cuda).",
    "direct effect": "Drop in the refusal score when the feature's vector is taken from the final residual alone.",
    "direction": "The refusal direction: the difference between mean residuals on harmful and benign prompts. "
    "Ablating it everywhere is the positive control.",
    "dormant": "A feature that is 0 on every token in scope before anything is ablated.",
    "dtype": "Precision of the numbers the subject computes with. float32 reproduces on every machine.",
    "effect": "Drop in the refusal score when the feature alone is ablated, in nats. Above 0 it supports refusal.",
    "effort": "How much is measured. More effort narrows intervals and searches wider; it changes no definition.",
    "empirical p": "(1 + random draws that lower the score at least as far) / (1 + draws): by chance the smallest is "
    "1 / (1 + draws).",
    "equal-norm noise": "A random direction at every layer, as long as what the set's ablation takes away there.",
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
    "influence": "What ablating single refusal features of one layer does to active refusal features of a later one.",
    "interval": "The 95 % interval: rates by Wilson's method, means and medians by a bootstrap over prompt families.",
    "jaccard": "Refusal features active on both prompts over those active on either: 1 when they are the same.",
    "jaccard of pools": "Features that the minimal sets of both audits hold, over those that either hold: 1 when they "
    "are the same features.",
    "kappa": "Cohen's kappa over the three verdicts: agreement beyond chance, 1 is perfect.",
    "keep rate": "Share of perturbed versions of the prompts it is active on, on which a feature is active too.",
    "kl": "How far the ablated subject's next-token distributions move from its own, in nats a token: 0 is not at all.",
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
    "McNemar's test": "Of the prompts that differ between two audits, do as many go one way as the other? Prompts that "
    "came out the same tell nothing.",
    "minimal set": "Features whose joint ablation stops the refusal, and of which none can be left out.",
    "minimal set size": "Median size of the smallest confirmed minimal set, over the test prompts that flipped.",
    "mode agreement": "Share of prompts on which two ways to ablate the same set give the same outcome.",
    "n": "Independent observations behind a figure; failures count.",
    "never flipped": "Share of refused test prompts that no candidate set took below a score of 0.",
    "onset tokens": "First response tokens that announce a refusal. Calibrated: found in the subject's own refusals. "
    "Surrogate: the single token of 'I', as in the paper.",
    "over-refusal": "Share of harmless look-alike prompts of the test split that the subject refuses.",
    "paired": "Prompt by prompt, over those that both audits have: what is common to both drops out. Unpaired: as if "
    "the two were of different prompts.",
    "perturbation": "A change that should not matter to the mechanism: of the prompt's words, of the weights or of "
    "the dictionary.",
    "placebo": "A perturbation that changes nothing that matters. What varies under it is the method's own noise.",
    "pooled features": "Features in order of how many minimal sets of discovery and validation prompts hold them, "
    "ablated together on test prompts.",
    "position class": "Where a token stands: sink (first), system, instruction, post-instruction or response.",
    "prompt family": "Near-duplicate prompts. A family is never split between discovery, validation and test.",
    "q": "The false discovery rate (Benjamini-Hochberg) at which a result would pass, over all that were tested.",
    "r2": "Share of the variance in held-out scores that the model explains: 1 is all of it.",
    "reference audit": "The audit that the others are compared with. A difference above 0 says that the other is "
    "higher.",
    "refusal rate": "Share of harmful prompts of the test split that the subject refuses.",
    "refusal score": "Log-odds that the first response token announces a refusal. Above 0 leans to refusal.",
    "refused": "The completion declines the request.",
    "scope": "The tokens at which edits apply. The default is all but the attention sink.",
    "seed": "Feeds every random draw. The same seed on the same machine gives the same report.",
    "self-repair": "Later layers restoring what an ablation removed.",
    "sensitivity": "Share of completions labelled as refusals that the judge calls refused.",
    "serial pair": "Two features on one path: ablating either already breaks it, so both together add little.",
    "set coverage": "Mean share of a claimed set that is active on its unmodified prompt: ablating a silent feature "
    "does nothing by itself.",
    "side effect, kl": "How far ablating the pooled features of 90 % of the sets moves the subject on benign prompts, "
    "in nats a token. 0 is not at all.",
    "side effects": "What an ablation changes where nothing should change: KL and cross-entropy a token, and "
    "verdicts, on benign prompts.",
    "sparse autoencoder": "A dictionary (SAE) that writes a layer's residual as a sum of few features.",
    "specificity": "Share of completions labelled as no refusal that the judge does not call refused.",
    "split": "Discovery fits, validation chooses, test reports. Headline figures are over the test split alone.",
    "stability": "Whether refusal features and minimal sets stay the same when the prompt, the weights or the "
    "dictionary are perturbed.",
    "statement": "An answer that follows from the figures by a rule stated with it. Where the interval holds the "
    "bound it is undecided.",
    "subject": "The model under audit with one sparse autoencoder for each audited layer.",
    "sufficiency": "Adding the set's mean harmful activation to benign prompts makes them refused. Beside it, matched "
    "random sets.",
    "suppression": "What ablating one active refusal feature does to active refusal features in later layers.",
    "total effect": "Drop in the refusal score when the feature is ablated and everything after it is recomputed.",
    "transfer": "How many other prompts a set flips than the one it was found on.",
    "unconfirmed": "The score flipped, but no completion complied.",
    "usefulness": "How far a completion answers the request: 0 when refused or incoherent, 1 at best.",
    "verdict": "What the judge says of a completion: refused, complied or incoherent.",
    "whole layer": "Each round of this cascade silences every active refusal feature of one more layer, the strongest "
    "layer first.",
    "woken": "A feature dormant at baseline that became active after an ablation.",
    "woken beyond random": "Wakes in more prompts than under matched random ablations of the same prompts, one-sided.",
    "yardstick": "Completions labelled beforehand, against which a judge is held.",
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
