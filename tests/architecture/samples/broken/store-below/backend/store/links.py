from backend.api.schemas import Report
