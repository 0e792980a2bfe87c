"""One meaning per colour, on every page and in every figure: Okabe and Ito's palette, safe for colour-blind eyes.

Colour is never the only sign: a name, a shape or a position says the same.
"""

# Arms: what was done to the prompt.
BASELINE = "#7f7f7f"  # nothing
MINIMAL_SET = "#0072B2"  # blue
RANDOM_CONTROL = "#999999"  # grey; dashed where it is a line
DIRECTION = "#E69F00"  # orange
FACTORISATION_MACHINE = "#009E73"  # bluish green
LINEAR_PROBE = "#CC79A7"  # reddish purple
WHAT_IF = "#7A5CC9"  # violet: the reader's own set

# Verdicts: what the subject said, and what pulls towards it.
REFUSED = "#56B4E9"  # sky blue
COMPLIED = "#D55E00"  # vermilion
INCOHERENT = "#F0E442"  # yellow
VERDICTS = {"refused": REFUSED, "complied": COMPLIED, "incoherent": INCOHERENT}

# What became of a prompt: flipped by a minimal set is blue, what still refuses is sky blue.
OUTCOMES = {
    "flipped": MINIMAL_SET,
    "unconfirmed": "#7FB2D6",  # pale blue: by the score alone
    "not_flipped": REFUSED,
    "refused": REFUSED,
    "complied": COMPLIED,
    "incoherent": INCOHERENT,
}

# Features: those in a minimal set are MINIMAL_SET.
CANDIDATE = "#8FA3B0"  # slate: listed, not shown to be causal
WOKEN = "#A0336B"  # wine: dormant at baseline, woke under ablation

# Scales, for Plotly.
HEAT = [[0.0, "rgba(0,114,178,0)"], [1.0, "rgba(0,114,178,0.85)"]]  # activation, from none to the strongest
TOWARDS_REFUSAL = [[0.0, COMPLIED], [0.5, "rgba(127,127,127,0.15)"], [1.0, REFUSED]]  # a signed score, 0 in the middle

BACKUP, SERIAL = "#35978F", "#BF812D"  # teal and brown: pairs of features that cover for each other, or stand in a row
INTERACTION = [[0.0, BACKUP], [0.5, "#EDEDED"], [1.0, SERIAL]]  # a pair's coefficient, 0 in the middle
ON_INTERACTION = "#111111"  # words on it

DIFFERENCE = "#808080"  # between two audits: shape says whether it is told apart from none

# Mantine's colour names for badges, by state of a job.
STATES = {"queued": "gray", "running": "blue", "done": "teal", "failed": "red", "cancelled": "yellow"}
