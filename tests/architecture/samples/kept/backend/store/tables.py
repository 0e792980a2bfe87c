import sqlalchemy


class AuditRow: ...
