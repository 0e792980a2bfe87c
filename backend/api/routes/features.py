"""Features of a finished audit, and where each matters."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from backend.api import views
from backend.api.find import the_answer, the_feature
from backend.api.lists import Listing, page
from backend.api.responses import KEPT, keep, problems
from backend.api.schemas import FEATURE_PATTERN, FeatureDetail, FeatureLine, FeaturePrompt, Page
from backend.api.services import Reading
from backend.store import features

router = APIRouter(prefix="/audits/{audit_id}/features", tags=["features"])
Feature = Annotated[str, Path(pattern=FEATURE_PATTERN, examples=["21:1130"])]
ANSWERS = {**KEPT, **problems(404, 409)}


class FeatureList(Listing):
    layer: Annotated[int | None, Query(ge=0, le=1000)] = None
    in_sets: bool | None = None
    woke: bool | None = None
    text: str | None = None


class FeaturePromptList(Listing):
    label: Literal["harmful", "benign", "look_alike"] | None = None
    split: Literal["discovery", "validation", "test"] | None = None
    in_minimal_set: bool | None = None
    woke: bool | None = None


@router.get("", responses=ANSWERS)
def list_features(
    session: Reading, audit_id: str, asked: Annotated[FeatureList, Query()], request: Request, response: Response
) -> Page[FeatureLine]:
    keep(request, response, (the_answer(session, audit_id).report_sha256,))
    return page(features.list_features(session, audit_id, **asked.arguments()), views.feature_line)


@router.get("/{feature}", responses=ANSWERS)
def read_feature(
    session: Reading, audit_id: str, feature: Feature, request: Request, response: Response
) -> FeatureDetail:
    """Its figures with intervals, the contexts it is strongest in, categories, tokens by logit lens."""
    keep(request, response, (the_answer(session, audit_id).report_sha256,))
    row = the_feature(session, audit_id, feature)
    contexts = features.contexts(session, audit_id, feature)
    return views.feature_detail(row, contexts, features.categories(session, audit_id, feature))


@router.get("/{feature}/prompts", responses=ANSWERS)
def list_feature_prompts(
    session: Reading,
    audit_id: str,
    feature: Feature,
    asked: Annotated[FeaturePromptList, Query()],
    request: Request,
    response: Response,
) -> Page[FeaturePrompt]:
    keep(request, response, (the_answer(session, audit_id).report_sha256,))
    the_feature(session, audit_id, feature)
    return page(features.list_prompts(session, audit_id, feature, **asked.arguments()), views.feature_prompt)
