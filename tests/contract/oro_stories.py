"""All stories: in which state each recorded exchange was made."""

from tests.contract.oro_steps import Step
from tests.contract.oro_stories_calendar import EVENTS, SERIES
from tests.contract.oro_stories_contacts_tasks import CONTACTS, LISTS, META, NO_WORKFLOW, TASKS
from tests.contract.oro_stories_crm import CRM
from tests.contract.oro_stories_people import ASYNC, AUDITS, PEOPLE, PERMISSIONS
from tests.contract.oro_stories_sign_in import OAUTH, OFF, SIGN_IN

STORIES: dict[str, list[Step]] = {
    "contacts": CONTACTS,
    "lists of contacts": LISTS,
    "meta and missing resources": META,
    "tasks and their workflow": TASKS,
    "tasks without the workflow": NO_WORKFLOW,
    "accounts and sales": CRM,
    "calendar events": EVENTS,
    "series": SERIES,
    "permissions": PERMISSIONS,
    "people and places": PEOPLE,
    "audit": AUDITS,
    "asynchronous operations": ASYNC,
    "signing in with a key": SIGN_IN,
    "switched off": OFF,
    "OAuth 2.0": OAUTH,
}
