"""How a story is told: chapters of deeds under one regime of settings, each ended by a quiet point and its checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.proof.breaking import POINTS
from tests.proof.checks import check_all
from tests.proof.deeds import DEEDS, Deed
from tests.proof.regimes import BASE, NORMAL, REGIMES
from tests.proof.run_deeds import RUNS
from tests.proof.story import Story, all_fields
from tests.proof.tally import count
from tests.proof.troubles import TROUBLES
from tests.sync.pairs import forget_everything
from tests.sync.world import writes

from orosync.core.records import Entity, Side

ALL_DEEDS: Mapping[str, Deed] = {**DEEDS, **RUNS, **TROUBLES}
_PEOPLE = {
    "create": 4,
    "create on both sides": 1,
    "edit": 4,
    "edit several fields": 3,
    "edit different fields on both sides": 6,
    "edit the same field on both sides": 2,
    "type in the same on both sides": 1,
    "empty a field": 1,
    "delete": 2,
    "delete what nobody edited": 2,
    "delete on both sides": 1,
    "delete what somebody edits": 1,
    "wait": 1,
}
_ODD = {
    "copy an item": 1,
    "move an item": 1,
    "lose a stamp": 1,
    "make private": 1,
    "create something private": 1,
    "event far away": 1,
    "meeting": 1,
    "edit a meeting in OroCRM": 3,
    "told twice": 1,
}


@dataclass(frozen=True)
class Cast:
    """How often what happens. regimes: of which each chapter draws one."""

    name: str
    weights: Mapping[str, float]
    regimes: tuple[str, ...] = tuple(REGIMES)
    chapters: int = 3
    deeds: int = 14
    records: int = 5  # of each entity, on each side, at the beginning


_BOTH_WAYS = tuple(name for name, each in REGIMES.items() if each.way == "both" and not each.restricted)
CASTS: Mapping[str, Cast] = {
    each.name: each
    for each in (
        Cast("settings", {**_PEOPLE, **_ODD, "run": 3, "preview, then run": 1, "resync": 0.5, "undo": 0.5}),
        Cast(
            "broken-off",
            {**_PEOPLE, "delete": 1, "unavailable": 1, **{f"run that ends: {point}": 24 for point in POINTS}},
            regimes=_BOTH_WAYS,
            chapters=2,
            deeds=70,
            records=3,
        ),
        Cast("troubles", {**_PEOPLE, **dict.fromkeys(TROUBLES, 1.5), "run": 4}, regimes=_BOTH_WAYS),
        Cast(
            "rivals",
            {
                **_PEOPLE,
                **_ODD,
                "edit different fields on both sides": 10,
                "run": 3,
                "run with a sweep": 1,
                "run that somebody edits into": 3,
                "run that is overtaken": 2,
                "resync that replaces": 0.5,
                "undo": 1,
            },
            regimes=_BOTH_WAYS,
        ),
    )
}


def possible(story: Story, cast: Cast) -> list[str]:
    return [name for name in cast.weights if ALL_DEEDS[name].possible(story)]


def begin(story: Story, cast: Cast) -> None:
    """Records on both sides, some of them the same, and a first sync."""
    for entity in Entity:
        for side in Side:
            for _ in range(cast.records):
                story.create(side, entity, all_fields(story, entity))
        DEEDS["create on both sides"].do(story)
    quiet(story)


def tell(story: Story, cast: Cast) -> None:
    """All of it. Raises AssertionError at the first thing that is not as it must be. The numbers of a cast's stories
    take its regimes by turns."""
    begin(story, cast)
    number = int(story.name.partition(":")[2]) * cast.chapters
    for chapter in range(cast.chapters):
        choose_regime(story, cast.regimes[(number + chapter) % len(cast.regimes)])
        for _ in range(cast.deeds):
            names = possible(story, cast)
            do(story, story.rng.choices(names, [cast.weights[name] for name in names])[0])
        quiet(story)


def do(story: Story, name: str) -> None:
    count("deed", name)
    story.deed(name)
    ALL_DEEDS[name].do(story)


def choose_regime(story: Story, name: str) -> None:
    regime = REGIMES[name]
    story.deed("settings", name)
    story.regime = regime
    story.world.system = {**BASE, **regime.settings}
    story.world.user = dict(regime.user)


def quiet(story: Story) -> None:
    """Troubles end, everything comes to rest, and is checked; then back to the settings in which both sides agree."""
    story.heal()
    story.settle()
    check_all(story)
    story.cure()
    if story.regime is not NORMAL or story.model.loose or story.model.vague:
        _come_home(story)
    if story.rng.random() < 0.3:
        _resync_changes_nothing(story)
    if story.rng.random() < 0.3:
        _loss_changes_nothing(story)
    story.model.begin_anew(story.linked_pairs())
    story.begin_chapter()


def _come_home(story: Story) -> None:
    """A resync settles what stood differently on purpose."""
    choose_regime(story, NORMAL.name)
    story.run("resync", mode="resync")
    story.settle()
    story.expect_nothing()
    story.only_alone_are_loose()
    check_all(story)


def _resync_changes_nothing(story: Story) -> None:
    before = len(story.breaking.writes)
    report = story.run("resync of what is in step", mode="resync")
    assert story.breaking.writes[before:] == [], f"I18: {story.breaking.writes[before:][:3]} {report.to_json()}"
    count("invariant", "I18 a resync of what is in step writes nothing")


def _loss_changes_nothing(story: Story) -> None:
    """What has no partner may get one now: nobody remembers why it was left alone."""
    if story.refused or story.model.loose:
        return
    alone = len(story.present()) - 2 * len(story.linked_pairs())
    forget_everything(story.world)
    story.deed("database lost while all is in step")
    story.model.keep_owed(story.traces_on_sides())
    report = story.run("first run of an empty database")
    told = report.to_json()
    assert writes(report) <= alone, f"I19: {told}"
    assert not any(each[side]["deleted"] for each in report.entities.values() for side in ("outlook", "oro")), told
    story.settle()
    count("invariant", "I19 a lost database is made again without a write")
