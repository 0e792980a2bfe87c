"""What a measured figure should be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One figure's limit."""

    key: str
    meaning: str
    limit: float
    at_most: bool

    def met(self, value: float) -> bool:
        return value <= self.limit if self.at_most else value >= self.limit

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.limit:g}"
