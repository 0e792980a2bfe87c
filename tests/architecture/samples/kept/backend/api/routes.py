import fastapi

from backend.api.schemas import Report
from backend.store.audits import store_report
