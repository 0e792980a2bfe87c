from backend.audit.results import Report
