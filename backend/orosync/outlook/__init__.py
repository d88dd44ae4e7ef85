"""Touches a Microsoft 365 mailbox through Microsoft Graph. `mailbox.OutlookMailbox` is what a run is given."""
