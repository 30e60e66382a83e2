"""Which executors live, and what each of them saw last."""

from store.tables.columns import STRICT, Base, Json, Key, Millis


class ExecutorRow(Base, table=True):
    """One executor process from its first report on."""

    __tablename__ = "executors"
    __table_args__ = (STRICT,)

    name: Key
    since_ms: Millis
    seen_ms: Millis
    report: Json
