"""What `lockstep close` says before it asks: a figure, or that nobody has one."""

import pytest

from app.commands import closing
from app.errors import GuardError, UsageError
from app.operating.outputs import ClosePreview

# What the preview knows, the options, and what is said or asked.
CLOSES = """
    result  unpriced  why not        options         said
    -0.42   -         -              -               closing now brings -0.42; holding brings
    -0.42   -         -              -               Sell both legs now, at any price?
    -0.42   -         -              --loss-max      Sell both legs now?
    -0.42   -         -              --limit         Sell both legs now, at any price?
    -       kalshi    -              -               no figure for closing now (No fresh book of
    -       kalshi    -              -               Sell both legs now, at any price?
    -       -         FLAT           -               FLAT
"""
ROWS = [line.strip() for line in CLOSES.strip().splitlines()[1:]]


@pytest.mark.parametrize("row", ROWS)
def test_a_close_asks_about_what_it_would_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], row: str
) -> None:
    result, unpriced, why_not, options, said = (p.strip() for p in row.split("  ") if p.strip())
    seen = ClosePreview(
        id="arb-1",
        title="Game",
        result=None if result == "-" else result,
        hold_at_least="0.71",
        why_not=why_not.strip("-"),
        unpriced=[] if unpriced == "-" else [unpriced],
        unpriced_why="" if unpriced == "-" else f"No fresh book of {unpriced} since 14:13:21 UTC",
    )
    monkeypatch.setattr(closing, "load", lambda _: None)
    monkeypatch.setattr(closing, "previews", lambda *_: [seen])
    loss_max = "0.50" if options == "--loss-max" else None
    limit = ["kalshi=0.40"] if options == "--limit" else None
    expected = UsageError if why_not == "-" else GuardError
    with pytest.raises(expected) as asked:
        closing.close("arb-1", loss_max, limit)
    assert said in capsys.readouterr().err + str(asked.value)
