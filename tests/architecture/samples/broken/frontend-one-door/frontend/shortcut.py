from backend.store.audits import store_report
