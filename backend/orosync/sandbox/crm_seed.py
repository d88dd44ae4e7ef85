"""Believable accounts, opportunities, cases and leads around the seeded contacts, the same every time for one seed.

Nothing here is synchronised: it is what a sales person sees of somebody in the CRM. Contacts keep their times.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from orosync.sandbox.oro import BackOffice

_FIRMS = {
    "example.de": "Nordlicht Handel GmbH",
    "example.fr": "Maison Delmas SARL",
    "example.com.ua": "ТОВ «Світанок»",
    "example.com": "Harbor & Pine Inc.",
    "example.co.uk": "Thornfield Supplies Ltd",
    "example.pl": "Jarzębina Sp. z o.o.",
    "example.es": "Olivares e Hijos S.L.",
    "example.it": "Officine Bellini S.p.A.",
    "example.jp": "青空商事株式会社",
    "example.ae": "واحة للتجارة",
    "example.ch": "Säntis Technik AG",
    "example.com.au": "Wattle Creek Pty Ltd",
}
_DEALS = (
    ("Rahmenvertrag {year}", "negotiation", 48_500, 0.7),
    ("Showroom equipment", "needs_analysis", 12_750, 0.3),
    ("Renouvellement du contrat-cadre", "in_progress", 23_900, 0.5),
    ("Пілотний проєкт, 3 філії", "solution_development", 9_400, 0.4),
    ("Spare parts, second half", "identification_alignment", 6_180, 0.2),
    ("Messeausstattung Köln", "won", 17_300, 1),
    ("Warehouse extension", "lost", 88_000, 0),
)
_CASES = (
    ("Lieferung unvollständig: 2 von 5 Paletten", "email", "open", "high"),
    ("Invoice shows the old address", "phone", "in_progress", "normal"),
    ("Notice de montage manquante", "web", "resolved", "low"),
    ("Не працює сканер після оновлення", "email", "open", "normal"),
)
_LEADS = (
    ("Anfrage Lagertechnik", "Greta", "Sommer", "gsommer@werft.example", "Werft Sommer KG", "Inhaberin", "new"),
    ("Trade fair contact", "Owen", "Pryce", "owen.pryce@slate.example", "Slate & Sons", "Buyer", "new"),
    ("Demande de catalogue", "Inès", "Morel", "ines.morel@atelier.example", "Atelier Morel", "Gérante", "qualified"),
    ("Newsletter reply", "Tomasz", "Lis", "tlis@bursztyn.example", "Bursztyn", "Właściciel", "canceled"),
)


def fill_crm(office: BackOffice, contacts: Sequence[int], tasks: Sequence[int], today: date, seed: int) -> None:
    """`contacts` and `tasks` are ids of those that are there, in the order they were made."""
    chance = random.Random(f"{seed} crm")
    firms = _accounts(office, contacts)
    _deals(office, firms, contacts, today, chance)
    _service(office, firms, contacts)
    _leads(office, contacts)
    for task, contact in zip(tasks, contacts, strict=False):
        office.edit("task", task, {"contacts": [contact]})


def _accounts(office: BackOffice, contacts: Sequence[int]) -> dict[int, int]:
    """Contact -> account: people with one domain work for one company."""
    by_domain: dict[str, list[int]] = defaultdict(list)
    for number in contacts:
        by_domain[office.record("contact", number).emails[0].value.partition("@")[2]].append(number)
    found: dict[int, int] = {}
    for domain, members in by_domain.items():
        name = _FIRMS.get(domain) or f"Customer {domain}"
        account = office.create("account", {"name": name, "contacts": members, "defaultContact": members[0]})
        found |= dict.fromkeys(members, account)
    return found


def _deals(
    office: BackOffice, firms: dict[int, int], contacts: Sequence[int], today: date, chance: random.Random
) -> None:
    for index, contact in enumerate(contacts[: 2 * len(_DEALS)]):
        name, status, amount, probability = _DEALS[index % len(_DEALS)]
        over = status in ("won", "lost")
        closing = today + timedelta(days=chance.randrange(-40, -5) if over else chance.randrange(10, 120))
        values: dict[str, Any] = {
            "name": name.format(year=today.year + 1),
            "status": status,
            "account": firms[contact],
            "contact": contact,
            "closeDate": closing.isoformat(),
            "budgetAmountValue": amount + 100 * chance.randrange(20),
            "budgetAmountCurrency": "EUR",
            "probability": probability,
        }
        if status == "won":
            values |= {"closeRevenueValue": values["budgetAmountValue"] - 500, "closeRevenueCurrency": "EUR"}
        office.create("opportunity", values)


def _service(office: BackOffice, firms: dict[int, int], contacts: Sequence[int]) -> None:
    for contact, (subject, source, status, priority) in zip(contacts[::2], _CASES * 2, strict=False):
        values = {"subject": subject, "source": source, "status": status, "priority": priority}
        office.create("case", {**values, "relatedContact": contact, "relatedAccount": firms[contact]})


def _leads(office: BackOffice, contacts: Sequence[int]) -> None:
    for name, first, last, address, company, title, status in _LEADS:
        values = {"name": name, "firstName": first, "lastName": last, "jobTitle": title, "companyName": company}
        office.create("lead", {**values, "emails": [address], "status": status})
    for contact in contacts[:1]:  # somebody who is known already asked again through the web site
        address = office.record("contact", contact).emails[0].value
        office.create("lead", {"name": "Website: price list", "emails": [address], "contact": contact})
