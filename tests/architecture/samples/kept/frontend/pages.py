import dash

from backend.api.schemas import Report
from backend.audit.results import Report as Result
