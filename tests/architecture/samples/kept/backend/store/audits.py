from backend.audit.results import Report
from backend.store.tables import AuditRow


def store_report(report: Report) -> AuditRow: ...
