"""What befalls the two systems and us: permissions, sign-ins, cursors, limits, refusals, our own database.

Each trouble leaves behind how it ends (`story.heals`); at a quiet point all have ended.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.proof.checks import NO_LOSS, check_one
from tests.proof.deeds import Deed, there
from tests.proof.story import Story
from tests.proof.tally import count
from tests.sync.pairs import forget_everything
from tests.sync.world import KINDS

from orosync.core.records import Entity, Side

ALWAYS = 10**6


def _entity(story: Story) -> Entity:
    return story.rng.choice(list(Entity))


def sees_nothing_in_oro(story: Story) -> None:
    """The OroCRM user may not see one kind of records any more (I5, I17)."""
    user, kind = story.world.oro.user("admin"), KINDS[_entity(story)]
    story.world.oro.set_permission(user, kind, "view", "none")
    story.heals.append(lambda: story.world.oro.set_permission(user, kind, "view", "system"))


def given_to_somebody_else(story: Story) -> None:
    """A record has another owner, and the user sees own records alone (I17)."""
    pair = story.rng.choice([each for each in there(story) if each.entity is not Entity.EVENT])
    kind, number = KINDS[pair.entity], int(pair.ids[Side.ORO])
    admin, bob = story.world.oro.user("admin"), story.world.oro.user("bob")
    story.world.office.change_owner(kind, number, bob)
    story.world.oro.set_permission(admin, kind, "view", "own")

    def back() -> None:
        story.world.oro.set_permission(admin, kind, "view", "system")
        if pair.key(Side.ORO) in story.present():
            story.world.office.change_owner(kind, number, admin)

    story.heals.append(back)


def mailbox_forbids(story: Story) -> None:
    """403 for everything of one kind in the mailbox (I5)."""
    words = {Entity.CONTACT: "contact", Entity.TASK: "todo", Entity.EVENT: "calendar|events"}[_entity(story)]
    graph = story.world.graph
    graph.fail_next("GET|POST|PATCH|DELETE", f"(?i){words}", 403, "ErrorAccessDenied", times=ALWAYS)
    story.heals.append(graph.failures.clear)


def signed_out(story: Story) -> None:
    """Outlook's sign-in is over, or OroCRM's key is another: the account waits for its user, nothing moves (I26)."""
    world = story.world
    before = [story.rows(side, entity) for side in Side for entity in Entity]
    links = [list(world.store.links(entity)) for entity in Entity]
    if story.rng.random() < 0.5:
        world.graph.revoke_token(world.token)
    else:
        world.oro_key = "0" * 40
    report = story.run("run without a sign-in")
    for _ in range(3):
        if report.state == "failed":  # troubles that were waiting for their turn come first
            report = story.run("run without a sign-in, once more")
    assert report.state == "suspended", report.to_json()
    assert world.store.account().state == "suspended"
    assert [story.rows(side, entity) for side in Side for entity in Entity] == before
    assert [list(world.store.links(entity)) for entity in Entity] == links
    world.token, world.oro_key = world.graph.issue_token(world.upn, expires_in=10**9), ""
    count("invariant", "I26 without a sign-in nothing moves")


def key_rotated(story: Story) -> None:
    """OroCRM's user has a new key, and we are told."""
    story.world.oro.user("admin").api_key = f"{story.model.next_number():040d}"


def throttled(story: Story) -> None:
    """Both systems ask for a pause now and then."""
    story.world.graph.throttle_after(story.rng.randint(0, 12), 30)
    story.world.oro.fail_next("GET", ".*", 429, {}, headers={"Retry-After": "30"})
    story.heals.append(story.world.graph.lift_throttle)  # else one that was not met yet comes when all is quiet


def unavailable(story: Story) -> None:
    """A few requests meet 503 or a broken connection, a few are carried out and only their answer is lost. OroCRM's 503
    is an answer to what was not carried out: it comes from in front of it."""
    for _ in range(story.rng.randint(1, 3)):
        applied, drop = story.rng.random() < 0.5, story.rng.random() < 0.5
        if story.rng.random() < 0.5:
            story.world.graph.fail_next("POST|PATCH|DELETE", ".*", 503, "Unavailable", applied=applied, drop=drop)
        else:
            status = None if drop or applied else 503
            story.world.oro.fail_next("POST|PATCH|PUT|DELETE", ".*", status, {}, applied=applied)
    story.unstamped = True
    story.heals.append(story.world.graph.failures.clear)


def cursor_expired(story: Story) -> None:
    story.world.graph.expire_delta_tokens()


def small_pages(story: Story) -> None:
    """Many pages, empty ones among them, rows shown twice."""
    settings = story.world.graph.settings
    before = settings.default_page_size, settings.max_page_size
    settings.default_page_size = settings.max_page_size = story.rng.randint(1, 4)
    settings.empty_pages, settings.replay_items = 1, 2

    def back() -> None:
        settings.default_page_size, settings.max_page_size = before
        settings.empty_pages = settings.replay_items = 0

    story.heals.append(back)


def refused_record(story: Story) -> None:
    """OroCRM refuses every write to one record (I12)."""
    pair = story.rng.choice(there(story))
    number = pair.ids[Side.ORO]
    place = {Entity.CONTACT: "contacts", Entity.TASK: "tasks", Entity.EVENT: "calendarevents"}[pair.entity]
    problem = {"errors": [{"status": "400"}]}
    story.world.oro.fail_next("PATCH|PUT", f"/{place}/{number}(?!\\d)", 400, problem, times=ALWAYS)
    fault = story.world.oro._faults.waiting[-1]
    keys = {pair.key(side) for side in Side}
    story.refused |= keys
    story.edit(pair.key(Side.OUTLOOK), {name: story.new_value(pair.entity, name) for name in _some_field(pair.entity)})

    def taken_again() -> None:
        if fault in story.world.oro._faults.waiting:
            story.world.oro._faults.waiting.remove(fault)
        story.refused -= keys

    story.cures.append(taken_again)


def _some_field(entity: Entity) -> tuple[str, ...]:
    return {Entity.CONTACT: ("job_title",), Entity.TASK: ("due_date",), Entity.EVENT: ("title",)}[entity]


def state_lost(story: Story) -> None:
    """A new, empty database; both systems stay. Where sides differ now, nobody can say who changed what."""
    check_one(story, NO_LOSS)
    forget_everything(story.world)
    story.deed("database lost")
    story.model.keep_owed(story.traces_on_sides())
    for pair in story.model.pairs:
        story.model.vague |= {pair.key(side) for side in Side}
    story.last_run = ""


def may_lose_state(story: Story) -> bool:
    """Every item that has a partner carries its stamp, and nobody has deleted anything that we have not seen."""
    model = story.model
    return not (story.unstamped or model.made or model.removed or model.loose or story.heals or story.refused)


def _a_task_or_contact(story: Story) -> bool:
    return any(pair.entity is not Entity.EVENT for pair in there(story))


TROUBLES: Mapping[str, Deed] = {
    "OroCRM's user sees no records of a kind": Deed(sees_nothing_in_oro),
    "record given to somebody else": Deed(given_to_somebody_else, _a_task_or_contact),
    "mailbox forbids a kind": Deed(mailbox_forbids),
    "signed out": Deed(signed_out, lambda story: not story.heals),
    "OroCRM's key is another": Deed(key_rotated),
    "throttled": Deed(throttled),
    "unavailable": Deed(unavailable),
    "cursor expired": Deed(cursor_expired),
    "small pages": Deed(small_pages),
    "record refused": Deed(refused_record, lambda story: bool(there(story)) and not story.refused),
    "database lost": Deed(state_lost, may_lose_state),
}
