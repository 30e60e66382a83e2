"""One line of the doctor: it is well, it is worth a look, or it does not work."""

from app.operating.outputs import Check


def ok(name: str, detail: str) -> Check:
    """Nothing to do."""
    return Check(name=name, state="ok", detail=detail, repair="")


def warn(name: str, detail: str, repair: str) -> Check:
    """It works, yet not as it should."""
    return Check(name=name, state="warn", detail=detail, repair=repair)


def bad(name: str, detail: str, repair: str) -> Check:
    """It does not work."""
    return Check(name=name, state="bad", detail=detail, repair=repair)
