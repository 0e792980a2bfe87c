from backend.api.schemas import Report
from backend.audit.audit import run_audit
from backend.store.audits import store_report
