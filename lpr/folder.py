"""The data folder: the one place that names the files of a service. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataFolder:
    """``root``: ``Config.data``."""

    root: Path

    @property
    def log(self) -> Path:
        """The event log (SQLite)."""
        return self.root / "events.db"

    @property
    def blobs(self) -> Path:
        """The pictures, named by their SHA-256."""
        return self.root / "blobs"

    @property
    def catalogue(self) -> Path:
        """The search table (SQLite), made from the log; may be deleted."""
        return self.root / "passages.db"

    @property
    def credentials(self) -> Path:
        """Password hashes, mode 0600."""
        return self.root / "credentials.json"

    @property
    def signing_key(self) -> Path:
        """The generated signing key, PEM, mode 0600."""
        return self.root / "keys" / "sign.pem"

    @property
    def public_key(self) -> Path:
        """The public half of the signing key in use, PEM: give it to whoever verifies."""
        return self.root / "keys" / "sign.pub.pem"

    def secret(self, name: str) -> Path:
        """The generated password of the server ``name``, mode 0600."""
        return self.root / "keys" / f"{name}.password"
