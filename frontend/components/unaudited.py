"""Why a prompt has a baseline and nothing else."""

from backend.audit.results import PromptResult


def why_unaudited(story: PromptResult) -> str:
    """One sentence; empty for a prompt that was audited further."""
    if story.controls is not None:
        return ""
    if story.label != "harmful":
        return "Not a harmful prompt, so not audited further."
    if story.baseline.response.verdict != "refused":
        return "Not refused here, so not audited further."
    return (
        "Not searched for minimal sets: an audit searches every refused test prompt, and of the others as many as its "
        "effort allows; a higher effort searches more."
    )
