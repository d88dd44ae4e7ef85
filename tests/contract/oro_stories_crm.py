"""Accounts, leads, opportunities and cases, in the order they were recorded."""

from tests.contract.oro_steps import Step, office

CRM: list[Step] = [
    office("contact", {"firstName": "Grace"}),
    "accounts-create-minimum",
    "accounts-create-with-contact",
    "accounts-filter-updatedAt",
    "leads-create-minimum",
    "leads-create-with-status",
    "leads-error-empty",
    "leads-filter-updatedAt",
    "leadstatuses-list",
    "opportunities-create-minimum",
    "opportunities-create-no-status",
    "opportunities-error-name-only",
    "opportunities-filter-updatedAt",
    "opportunitystatuses-list",
    "cases-create-minimum",
    "cases-create-related",
    "cases-error-empty",
    "cases-filter-updatedAt",
]
