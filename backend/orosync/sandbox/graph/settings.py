"""The knobs of the simulated Graph: everything its documentation leaves open, or that differs by day."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class GraphSettings:
    """May be changed at any time; holds for the requests after that."""

    # delta (graph-api.md 5)
    default_page_size: int = 50
    max_page_size: int = 500
    delta_generations_kept: int = 5
    empty_pages: int = 0  # pages without rows, but with a nextLink, at the start of every round
    replay_items: int = 0  # rows already shown that are shown again
    series_master_in_delta: bool = True
    # lists
    default_top: int = 10
    max_top: int = 1000
    # limits of a mailbox (graph-api.md 7)
    mailbox_concurrency: int = 4
    latency_s: float = 0.0
    # what is not established
    if_match_honoured: bool = True
    linked_resource_touches_task: bool = False
    every_patch_mails: bool = False
    trim_strings: bool = True
    transaction_id_status: int = 409
    batch_replies_shuffled: bool = True
    # change notifications (graph-api.md 6)
    notifications_per_change: int = 2
    notifications_per_post: int = 20
    notifications_to_lose: int = 0  # the next so many are never sent; below zero: all of them
    deliveries_to_find_slow: int = 0  # the next so many are sent, and then again, as if the answer had come too late
    todo_subscriptions: bool = True
    # inspection
    request_log_limit: int = 20_000
