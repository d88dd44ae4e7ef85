"""OroCRM for Outlook: keeps contacts, tasks and events of a mailbox and an OroCRM instance in step."""

__version__ = "0.1.0"
