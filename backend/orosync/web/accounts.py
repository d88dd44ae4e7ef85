"""The account of whoever asks. Everything the API reads or writes goes through here, so that nobody meets another
person's records: ids in paths are looked up within the caller's own account alone."""

from __future__ import annotations

from dataclasses import dataclass

from orosync import bootstrap
from orosync.bootstrap import AccountStore
from orosync.core.ledger import Account
from orosync.core.records import Json
from orosync.web.parts import parts
from orosync.web.principal import Principal, signed_in
from orosync.web.problems import NotConnected, NotFound


@dataclass(frozen=True)
class Mine:
    principal: Principal
    account: Account
    store: AccountStore

    def run(self, run: str) -> Json:
        """As it is now, also if its worker died. Raises NotFound."""
        found = self.store.run(run)
        if found is not None and found["state"] == "running":
            parts().database.requested_runs.end_dead(self.account.id)
            found = self.store.run(run)
        if found is None:
            raise NotFound("You have no such run.", remedy="GET /syncs lists them.")
        return found


def end_push(account: Account) -> None:
    """Nobody is to call for it any more. It is soon over, also where a side does not answer."""
    its = parts()
    bootstrap.end_graph_push(its.config, its.database, account, adapters=its.adapters, clock=its.clock)


def before_removal(account: Account) -> None:
    """Nobody calls for it any more, and nobody for its OroCRM if it was the last one there."""
    its = parts()
    end_push(account)
    bootstrap.leave_oro_push(its.config, its.database, account, adapters=its.adapters, clock=its.clock)


def mine() -> Mine:
    """Raises NotSignedIn, NotConnected."""
    principal = signed_in()
    account = parts().account_of(principal)
    if account is None:
        raise NotConnected
    return Mine(principal, account, parts().database.account_store(account.id))
