"""The same deeds, chosen by hypothesis: what fails is made as short as it can be (T3)."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.proof.effort import minutes
from tests.proof.story import Story
from tests.proof.telling import CASTS, Cast, begin, choose_regime, do, possible, quiet


class StoryMachine(RuleBasedStateMachine):
    """Deeds are drawn from those that are possible now, and each draws its targets from what is there."""

    cast: ClassVar[Cast] = Cast(
        "by hypothesis",
        {name: 1 for cast in CASTS.values() for name in cast.weights},
        regimes=CASTS["rivals"].regimes,
        records=1,
    )

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.story = Story(Path(self._folder.name), "by hypothesis:0")

    @initialize(regime=st.sampled_from(cast.regimes))
    def begin(self, regime: str) -> None:
        begin(self.story, self.cast)
        choose_regime(self.story, regime)

    @rule(data=st.data(), dice=st.integers(0, 2**16))
    def somebody_does_something(self, data: st.DataObject, dice: int) -> None:
        self.story.rng = random.Random(dice)
        do(self.story, data.draw(st.sampled_from(possible(self.story, self.cast)), label="deed"))

    @rule(regime=st.sampled_from(cast.regimes))
    def all_is_quiet(self, regime: str) -> None:
        quiet(self.story)
        choose_regime(self.story, regime)

    def teardown(self) -> None:
        try:
            quiet(self.story)
        finally:
            self.story.close()
            self._folder.cleanup()


TestStoryMachine = StoryMachine.TestCase
TestStoryMachine.settings = settings(
    max_examples=4 if minutes() is None else int(20 * (minutes() or 1)),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
