"""The file that stops every entry: `KILL` in the data directory. Its first line says why."""

from pathlib import Path

NAME = "KILL"
REASON_CHARACTERS = 200


class KillFile:
    """While the file exists no entry leaves; where it cannot be looked for, none leaves either."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / NAME

    def reason(self) -> str | None:
        """Why entries are stopped; None only where it is certain that there is no such file."""
        try:
            self.path.lstat()
        except FileNotFoundError:
            return None if self.path.parent.is_dir() else f"{self.path.parent} is gone"
        except OSError as trouble:
            return f"{self.path} cannot be looked for: {trouble}"
        return f"{NAME} in {self.path.parent}: {self._words()}"

    def put(self, reason: str) -> None:
        """Stop all entries."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(reason + "\n", encoding="utf-8")

    def remove(self) -> bool:
        """Allow entries again as far as the file goes; False where there was none."""
        found = self.path.exists()
        self.path.unlink(missing_ok=True)
        return found

    def _words(self) -> str:
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                return file.readline(REASON_CHARACTERS).strip() or "no reason given"
        except OSError as trouble:
            return f"its reason cannot be read ({trouble})"
