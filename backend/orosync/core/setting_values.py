"""What the value of one setting may be: its JSON form, its range, and how it is written on a command line.

A shape knows nothing of the setting it serves: keys, levels, defaults and error messages are in `settings.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

YES = ("yes", "true", "on", "1")
NO = ("no", "false", "off", "0")


class Shape(Protocol):
    """`check` returns the value in its normal JSON form; `read` turns a command line's text into something that
    `check` can judge. Both raise ValueError, without a message worth showing: `allowed` says what is right."""

    @property
    def allowed(self) -> str:
        """What may be given, as the end of a sentence that starts with "Give "."""

    def check(self, value: object) -> Any: ...

    def read(self, text: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """One word of an enumeration."""

    words: type[StrEnum]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self.words)

    def check(self, value: object) -> str:
        if isinstance(value, str):
            return self.words(value).value
        raise ValueError

    def read(self, text: str) -> str:
        return text.lower().replace("-", "_")


@dataclass(frozen=True, slots=True)
class YesNo:
    """A boolean."""

    @property
    def allowed(self) -> str:
        return "yes or no"

    def check(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        raise ValueError

    def read(self, text: str) -> bool:
        word = text.lower()
        if word not in YES + NO:
            raise ValueError
        return word in YES


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`, both included."""

    least: int
    most: int
    unit: str = ""

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.least} to {self.most}" + (f" ({self.unit})" if self.unit else "")

    def check(self, value: object) -> int:
        # True is an int for Python, but not for the person who typed it
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise ValueError
        return value

    def read(self, text: str) -> int:
        return int(text)


@dataclass(frozen=True, slots=True)
class Names:
    """A list of at least one name out of `known`, none of them twice; the order is kept."""

    known: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return "a list (on the command line separated by commas) out of " + ", ".join(self.known)

    def check(self, value: object) -> list[str]:
        if not isinstance(value, list | tuple) or not value or not all(name in self.known for name in value):
            raise ValueError
        if len(set(value)) != len(value):
            raise ValueError
        return list(value)

    def read(self, text: str) -> list[str]:
        return [name.strip() for name in text.split(",")]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two whole numbers, each within the same range."""

    each: Whole
    meaning: str

    @property
    def allowed(self) -> str:
        return f"two numbers, {self.meaning}, each {self.each.allowed}, as in 30,365"

    def check(self, value: object) -> list[int]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError
        return [self.each.check(number) for number in value]

    def read(self, text: str) -> list[int]:
        return [int(number) for number in text.split(",")]


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; spaces around it do not count. `keyword` is recognised in capitals, too."""

    longest: int
    keyword: str = ""

    @property
    def allowed(self) -> str:
        name = f"a name of 1 to {self.longest} characters"
        return f"{self.keyword}, or {name}" if self.keyword else name

    def check(self, value: object) -> str:
        text = value.strip() if isinstance(value, str) else ""
        if not 1 <= len(text) <= self.longest or not text.isprintable():
            raise ValueError
        return self.keyword if text.lower() == self.keyword else text

    def read(self, text: str) -> str:
        return text


@dataclass(frozen=True, slots=True)
class Object:
    """A JSON object of at most `longest` characters; what is in it is judged where it is used."""

    longest: int

    @property
    def allowed(self) -> str:
        return f"a JSON object of at most {self.longest} characters"

    def check(self, value: object) -> dict[str, Any]:
        try:
            text = json.dumps(value, allow_nan=False)
        except TypeError as error:
            raise ValueError from error
        copy = json.loads(text)
        if len(text) <= self.longest and isinstance(copy, dict):
            return copy
        raise ValueError

    def read(self, text: str) -> Any:
        return json.loads(text)
