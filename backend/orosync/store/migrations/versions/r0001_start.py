"""Everything there was at the start."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    _places()
    _accounts()
    _conflicts()
    _cursors()
    _intents()
    _journal()
    _leases()
    _links()
    _oplog()
    _plans()
    _quarantine()
    _runs()
    _secrets()
    _setting_changes()
    _settings()
    _unlinked()


def _places() -> None:
    op.create_table(
        "places",
        sa.Column("digest", ID, nullable=False),
        sa.Column("lists", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_places"),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("orocrm_url", sa.Text(), nullable=False),
        sa.Column("orocrm_user", sa.Text(), nullable=False),
        sa.Column("oro_auth", sa.Text(), nullable=False),
        sa.Column("graph_auth", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("places", ID, nullable=True),
        sa.ForeignKeyConstraint(["places"], ["places.digest"], name="fk_accounts_places"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("name", name="uq_accounts_name"),
        sqlite_autoincrement=True,
    )


def _conflicts() -> None:
    op.create_table(
        "conflicts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("entity", ID, nullable=False),
        sa.Column("outlook_id", ID, nullable=True),
        sa.Column("oro_id", ID, nullable=True),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("outlook", sa.Text(), nullable=True),
        sa.Column("oro", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_conflicts_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_conflicts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conflicts_account_id_id", "conflicts", ["account_id", "id"])
    op.create_index("ix_conflicts_open", "conflicts", ["account_id", "id"], **_where("open"))
    op.create_index("ix_conflicts_open_oro", "conflicts", ["account_id", "entity", "oro_id"], **_where("open"))
    op.create_index("ix_conflicts_open_outlook", "conflicts", ["account_id", "entity", "outlook_id"], **_where("open"))


def _cursors() -> None:
    op.create_table(
        "cursors",
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("side", ID, nullable=False),
        sa.Column("entity", ID, nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_done", sa.Boolean(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_cursors_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "side", "entity", name="pk_cursors"),
    )


def _intents() -> None:
    op.create_table(
        "intents",
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("op_id", ID, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("entity", ID, nullable=False),
        sa.Column("side", ID, nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("source_id", ID, nullable=True),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_intents_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "op_id", name="pk_intents"),
    )
    op.create_index(
        "uq_intents_open_create",
        "intents",
        ["account_id", "entity", "side", "source_id"],
        unique=True,
        **_where("verb = 'create'"),
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("seq", BIG, nullable=False),
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("side", ID, nullable=False),
        sa.Column("entity", ID, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("version", ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_journal_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq", name="pk_journal"),
        sa.UniqueConstraint(
            "account_id", "side", "entity", "record_id", name="uq_journal_account_id_side_entity_record_id"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_journal_account_id_entity_seq", "journal", ["account_id", "entity", "seq"])


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("epoch", BIG, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_leases_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name="pk_leases"),
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("entity", ID, nullable=False),
        sa.Column("outlook_id", ID, nullable=True),
        sa.Column("oro_id", ID, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outlook_shadow", sa.Text(), nullable=True),
        sa.Column("oro_shadow", sa.Text(), nullable=True),
        sa.Column("outlook_version", ID, nullable=True),
        sa.Column("oro_version", ID, nullable=True),
        sa.Column("uid", ID, nullable=True),
        sa.Column("stamped", sa.Boolean(), nullable=True),
        sa.Column("frozen_fields", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_links_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_links_account_id_entity_id", "links", ["account_id", "entity", "id"])
    op.create_index(
        "ix_links_to_stamp", "links", ["account_id", "entity", "id"], **_where("state = 'active' AND NOT stamped")
    )
    op.create_index(
        "ix_links_tombstone_oro", "links", ["account_id", "entity", "oro_id"], **_where("state = 'tombstone'")
    )
    op.create_index(
        "ix_links_tombstone_outlook", "links", ["account_id", "entity", "outlook_id"], **_where("state = 'tombstone'")
    )
    op.create_index(
        "uq_links_live_oro", "links", ["account_id", "entity", "oro_id"], unique=True, **_where("state <> 'tombstone'")
    )
    op.create_index(
        "uq_links_live_outlook",
        "links",
        ["account_id", "entity", "outlook_id"],
        unique=True,
        **_where("state <> 'tombstone'"),
    )


def _oplog() -> None:
    op.create_table(
        "oplog",
        sa.Column("seq", BIG, nullable=False),
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("op_id", ID, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entity", ID, nullable=False),
        sa.Column("side", ID, nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("outlook_id", ID, nullable=True),
        sa.Column("oro_id", ID, nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("overwrites", sa.Boolean(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("undone_by", ID, nullable=True),
        sa.Column("body_before", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_oplog_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq", name="pk_oplog"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_oplog_account_id_entity_at", "oplog", ["account_id", "entity", "at"])
    op.create_index("ix_oplog_account_id_entity_oro_id_seq", "oplog", ["account_id", "entity", "oro_id", "seq"])
    op.create_index("ix_oplog_account_id_entity_outlook_id_seq", "oplog", ["account_id", "entity", "outlook_id", "seq"])
    op.create_index("ix_oplog_account_id_op_id", "oplog", ["account_id", "op_id"])
    op.create_index("ix_oplog_account_id_run_seq", "oplog", ["account_id", "run", "seq"])


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column("ops", sa.Text(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_plans_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "run", name="pk_plans"),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("side", ID, nullable=False),
        sa.Column("entity", ID, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("version", ID, nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_quarantine_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "side", "entity", "record_id", name="pk_quarantine"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_runs_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("account_id", "run", name="uq_runs_account_id_run"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_account_id_id", "runs", ["account_id", "id"])


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ciphertext", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_secrets_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "name", name="pk_secrets"),
    )


def _setting_changes() -> None:
    op.create_table(
        "setting_changes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("level", ID, nullable=False),
        sa.Column("scope", ID, nullable=False),
        sa.Column("key", ID, nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_setting_changes_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_setting_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_setting_changes_account_id", "setting_changes", ["account_id"])
    op.create_index("ix_setting_changes_level_scope_id", "setting_changes", ["level", "scope", "id"])


def _settings() -> None:
    op.create_table(
        "settings",
        sa.Column("level", ID, nullable=False),
        sa.Column("scope", ID, nullable=False),
        sa.Column("key", ID, nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_settings_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("level", "scope", "key", name="pk_settings"),
    )
    op.create_index("ix_settings_account_id", "settings", ["account_id"])


def _unlinked() -> None:
    op.create_table(
        "unlinked",
        sa.Column("account_id", BIG, autoincrement=False, nullable=False),
        sa.Column("side", ID, nullable=False),
        sa.Column("entity", ID, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("match_key", ID, nullable=True),
        sa.Column("stamp", ID, nullable=True),
        sa.Column("uid", ID, nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_unlinked_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "side", "entity", "record_id", name="pk_unlinked"),
    )
    op.create_index(
        "ix_unlinked_match_key",
        "unlinked",
        ["account_id", "side", "entity", "match_key"],
        **_where("match_key IS NOT NULL"),
    )
    op.create_index(
        "ix_unlinked_stamp", "unlinked", ["account_id", "side", "entity", "stamp"], **_where("stamp IS NOT NULL")
    )
    op.create_index("ix_unlinked_uid", "unlinked", ["account_id", "side", "entity", "uid"], **_where("uid IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("unlinked")
    op.drop_table("settings")
    op.drop_table("setting_changes")
    op.drop_table("secrets")
    op.drop_table("runs")
    op.drop_table("quarantine")
    op.drop_table("plans")
    op.drop_table("oplog")
    op.drop_table("links")
    op.drop_table("leases")
    op.drop_table("journal")
    op.drop_table("intents")
    op.drop_table("cursors")
    op.drop_table("conflicts")
    op.drop_table("accounts")
    op.drop_table("places")
