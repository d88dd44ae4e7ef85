"""What travels between the rooms is plain: values that nobody can change on their way."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest

from orosync.core import beside_mail, due, exchange, ledger, ops, records


@pytest.mark.parametrize("module", [beside_mail, due, exchange, ledger, ops, records], ids=lambda each: each.__name__)
def test_every_value_is_frozen_and_holds_its_fields_alone(module: ModuleType) -> None:
    values = [each for each in vars(module).values() if dataclasses.is_dataclass(each) and isinstance(each, type)]
    own = [each for each in values if each.__module__ == module.__name__]
    assert own
    assert [each.__name__ for each in own if not each.__dataclass_params__.frozen] == []  # type: ignore[attr-defined]
    assert [each.__name__ for each in own if "__slots__" not in vars(each)] == []
