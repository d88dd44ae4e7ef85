"""Who promised to call: rows of subscriptions, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from tests.store.conftest import NOON

from orosync.core.push import Subscription
from orosync.core.records import Entity, Side
from orosync.store.database import Database

WEEK = timedelta(days=7)


def living(account_id: int, resource: str = "me/contacts", id: str = "s1", **more: object) -> Subscription:
    values = {"digest": "d", "state": "active", "since": NOON, "expires": NOON + WEEK} | more
    return Subscription(account_id, Side.OUTLOOK, resource, Entity.CONTACT, id, **values)  # type: ignore[arg-type]


def test_an_account_has_one_for_each_resource_of_a_side(database: Database, new_account: Callable[..., int]) -> None:
    anna, boris = new_account("anna"), new_account("boris")
    first = living(anna)
    database.subscriptions.save(first)
    database.subscriptions.save(living(boris, id="s2"))
    database.subscriptions.save(replace(first, side=Side.ORO, id="7"))
    again = replace(first, id="s3", secret="sealed", attempts=2, next_try=NOON)
    database.subscriptions.save(again)
    assert database.subscriptions.of_account(anna, Side.OUTLOOK) == [again]
    database.subscriptions.drop(again)
    assert database.subscriptions.of_account(anna, Side.OUTLOOK) == []
    assert len(database.subscriptions.of_account(anna, Side.ORO)) == 1
    database.accounts.remove(boris)
    assert database.subscriptions.with_ids(Side.OUTLOOK, ["s2"]) == {}


def test_a_call_finds_what_it_names_with_one_indexed_select(
    database: Database, new_account: Callable[..., int]
) -> None:
    anna, boris = new_account("anna"), new_account("boris")
    database.subscriptions.save(living(anna))
    database.subscriptions.save(living(boris, id="S1"))
    database.subscriptions.save(living(boris, "me/events", id=None))
    statements: list[tuple[str, object]] = []

    def listen(_connection, _cursor, statement, parameters, _context, _many) -> None:
        if statement.startswith("SELECT"):
            statements.append((statement, parameters))

    sa.event.listen(database.engine, "before_cursor_execute", listen)
    found = database.subscriptions.with_ids(Side.OUTLOOK, ["s1", "unknown", "s2"])
    sa.event.remove(database.engine, "before_cursor_execute", listen)
    assert {name: each.account_id for name, each in found.items()} == {"s1": anna}
    [(statement, parameters)] = statements
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        assert all("ix_subscriptions_side_id" in step[3] for step in plan), plan


def test_the_other_system_s_wishes_are_marked_by_id(database: Database, new_account: Callable[..., int]) -> None:
    anna = new_account("anna")
    resting = living(anna, next_try=NOON + WEEK, attempts=1)
    database.subscriptions.save(resting)
    database.subscriptions.renew_soon(Side.ORO, "s1")
    assert database.subscriptions.of_account(anna, Side.OUTLOOK) == [resting]
    database.subscriptions.renew_soon(Side.OUTLOOK, "s1")
    assert database.subscriptions.of_account(anna, Side.OUTLOOK) == [replace(resting, state="renew", next_try=None)]
    database.subscriptions.note_loss(Side.OUTLOOK, "s1")
    [gone] = database.subscriptions.of_account(anna, Side.OUTLOOK)
    assert (gone.id, gone.digest, gone.state) == (None, "", "missing")
    database.subscriptions.note_loss(Side.OUTLOOK, "s1")  # told twice
