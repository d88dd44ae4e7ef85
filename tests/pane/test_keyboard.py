"""Whole stories by keyboard alone, and what people see who need colours of their own or no motion."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from tests.pane.outlook import Outlook
from tests.pane.site import PaneWorld

MOST_STEPS = 80

# Whether what has the focus shows it, and can be seen: "" or what is wrong.
_FOCUS = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return "nowhere";
  const style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const name = node.dataset.action ?? node.id;
  if (!shown) return `${name}: no outline`;
  const bar = document.getElementById("bar");
  if (!bar.contains(node) && box.bottom <= bar.getBoundingClientRect().bottom) return `${name}: under the tabs`;
  if (box.top >= innerHeight || box.bottom <= 0) return `${name}: out of sight`;
  return "";
}"""
_AT = "selector => document.activeElement?.matches(selector) ?? false"


class Keys:
    """A person without a mouse. Every step of theirs has to be seen."""

    def __init__(self, outlook: Outlook) -> None:
        self.outlook, self.page = outlook, outlook.page

    def reach(self, selector: str, key: str = "Tab") -> None:
        """By as many steps as it takes; the focus is visible at each."""
        for _ in range(MOST_STEPS):
            self.page.keyboard.press(key)
            wrong = self.page.evaluate(_FOCUS)
            assert wrong in {"", "nowhere"}, wrong  # nowhere: the end of the page, from where it begins anew
            if self.page.evaluate(_AT, selector):
                return
        raise AssertionError(f"{selector} was not reached by {key}")

    def do(self, action: str) -> None:
        """Presses a button."""
        self.reach(f'[data-action="{action}"]')
        self.page.keyboard.press("Enter")

    def type(self, name: str, text: str) -> None:
        self.reach(f'[name="{name}"]')
        self.page.keyboard.type(text)

    def has_focus(self) -> None:
        """It is somewhere in the page, and was not lost with what went away."""
        self.outlook.until("document.activeElement && document.activeElement !== document.body")


@pytest.fixture
def keys(outlook: Outlook) -> Iterator[Keys]:
    yield Keys(outlook)
    assert outlook.broken() == []


def test_from_signing_in_to_the_first_sync(world: PaneWorld, outlook: Outlook, keys: Keys) -> None:
    world.contact(jobTitle="Countess")
    announcer = outlook.page.locator("#announcer")
    outlook.open(None)
    outlook.shows("not-signed-in")
    expect(announcer).not_to_be_empty()
    keys.reach('[data-person="boris"]')
    keys.page.keyboard.press("Enter")
    outlook.shows("not-connected")
    expect(announcer).to_contain_text("OroCRM")
    keys.has_focus()
    keys.do("connect")
    outlook.shows("connect", "connect")
    keys.has_focus()
    keys.type("user", "boris")
    keys.type("secret", "wrong")
    keys.do("check-connection")
    outlook.page.locator('[data-part="findings"][data-ok="false"]').wait_for()
    expect(announcer).not_to_be_empty()
    keys.has_focus()
    keys.reach('[name="secret"]', "Shift+Tab")
    keys.page.keyboard.type(world.boris.api_key)
    keys.page.keyboard.press("Enter")  # the field is marked when it is reached; Enter saves
    outlook.shows("preview", "first-sync")
    keys.has_focus()
    keys.do("start-preview")
    outlook.page.locator('[data-part="plan"]').wait_for()
    keys.has_focus()
    keys.do("start-first-sync")
    outlook.shows("first-sync-done")
    keys.has_focus()
    expect(announcer).not_to_be_empty()
    keys.do("open-status")
    outlook.shows("nothing-to-do", "status")
    keys.has_focus()
    assert len(world.boxes["boris"].items("contact")) == 1


def test_a_conflict_is_settled_and_a_run_taken_back(world: PaneWorld, outlook: Outlook, keys: Keys) -> None:
    boris = world.in_step(conflict_resolution="ask")
    world.disagree()
    boris.sync()
    outlook.open()
    outlook.shows("status", "status")
    keys.do("see-conflicts")
    outlook.shows("conflicts", "conflicts")
    keys.has_focus()
    keys.do("take-oro")
    expect(outlook.page.locator('[data-action="take-oro"]')).to_have_attribute("aria-pressed", "true")
    expect(outlook.page.locator('[data-action="take-oro"]')).to_be_focused()
    expect(outlook.page.locator("#announcer")).to_contain_text("OroCRM")
    keys.reach('[role="tab"][aria-selected="true"]', "Shift+Tab")
    keys.page.keyboard.press("Home")
    outlook.shows("nothing-to-do", "status")
    expect(outlook.page.locator("#tab-status")).to_be_focused()
    keys.do("sync-now")
    expect(outlook.page.locator('[data-part="hero"]')).to_contain_text("1 changed")
    keys.has_focus()
    (item,) = world.boxes["boris"].items("contact")
    assert item["jobTitle"] == "Queen"
    keys.reach('[role="tab"][aria-selected="true"]', "Shift+Tab")
    for _ in range(3):
        keys.page.keyboard.press("ArrowRight")
    outlook.shows("activity", "activity")
    keys.do("open-run")
    outlook.shows("run", "run")
    keys.has_focus()
    keys.do("undo")
    outlook.page.locator('[data-action="confirm-undo"]').wait_for()
    keys.has_focus()
    keys.do("confirm-undo")
    outlook.shows("undone")
    keys.has_focus()
    (item,) = world.boxes["boris"].items("contact")
    assert item["jobTitle"] == "Author"


def test_a_setting_is_changed_and_saved(world: PaneWorld, outlook: Outlook, keys: Keys) -> None:
    boris = world.in_step()
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    keys.reach('[role="tab"][aria-selected="true"]')
    keys.page.keyboard.press("End")
    outlook.shows("settings", "settings")
    keys.reach('[data-setting="sync_tasks"] input')
    keys.page.keyboard.press("Space")
    expect(outlook.page.locator('[data-setting="sync_tasks"] input')).not_to_be_checked()
    keys.do("save-settings")
    outlook.page.locator('[data-notice="success"]').wait_for()
    expect(outlook.page.locator("#notice")).to_have_attribute("role", "status")
    keys.has_focus()
    found = {each["key"]: each["value"] for each in boris.get("/settings")["items"]}
    assert found["sync_tasks"] is False


def test_a_question_keeps_the_focus_and_escape_means_no(world: PaneWorld, outlook: Outlook, keys: Keys) -> None:
    world.in_step()
    outlook.open()
    outlook.tab("settings")
    keys.do("open-account")
    outlook.shows("account", "account")
    keys.do("disconnect")
    dialog = outlook.page.locator("dialog[open]")
    dialog.wait_for()
    for _ in range(4):
        keys.page.keyboard.press("Tab")
        outside = "[...document.querySelectorAll('#content *, #bar *')].includes(document.activeElement)"
        assert not outlook.page.evaluate(outside)
    keys.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(outlook.page.locator('[data-action="disconnect"]')).to_be_focused()
    assert world.account()


def test_the_tabs_are_one_stop_and_go_around(world: PaneWorld, outlook: Outlook, keys: Keys) -> None:
    world.in_step()
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    keys.reach('[role="tab"]')
    names = ["status", "crm", "conflicts", "activity", "problems", "settings"]
    for name in [*names[1:], "status"]:
        keys.page.keyboard.press("ArrowRight")
        expect(outlook.page.locator(f"#tab-{name}")).to_be_focused()
        expect(outlook.page.locator(f"#tab-{name}")).to_have_attribute("aria-selected", "true")
    keys.page.keyboard.press("ArrowLeft")
    expect(outlook.page.locator("#tab-settings")).to_be_focused()
    outlook.shows("settings", "settings")
    keys.page.keyboard.press("Tab")
    assert outlook.page.evaluate("document.getElementById('panel').contains(document.activeElement)")


# ------------------------------------------------------------------------------------- colours of one's own, no motion


def test_contrast_themes_keep_focus_and_selection_visible(world: PaneWorld, outlook: Outlook) -> None:
    boris = world.in_step(conflict_resolution="ask")
    world.disagree()
    boris.sync()
    page = outlook.page
    outlook.open()
    outlook.tab("conflicts")
    outlook.click("take-oro")
    page.locator('.conflict[data-choice="oro"]').wait_for()
    page.emulate_media(forced_colors="active")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    keys = Keys(outlook)
    keys.reach('[data-action="take-outlook"]')  # every step of the way is outlined
    different = """([one, other, names]) => {
        const [mine, theirs] = [one, other].map((each) => getComputedStyle(document.querySelector(each)));
        return names.some((name) => mine[name] !== theirs[name]);
    }"""
    looks = ["borderColor", "outlineStyle", "backgroundColor", "color"]
    keys.reach('[role="tab"]', "Shift+Tab")
    assert page.evaluate(different, ['[data-action="take-oro"]', '[data-action="take-outlook"]', looks])
    assert page.evaluate(different, ["#tab-conflicts", "#tab-crm", ["color"]])
    outlook.tab("settings")
    box = '[data-setting="sync_tasks"] input'
    before = page.locator(box).screenshot()
    page.locator(box).uncheck()
    assert page.locator(box).screenshot() != before
    assert outlook.broken() == []


def test_whoever_wants_no_motion_sees_none_but_the_sign_of_work(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    outlook.open()
    moving = """() => document.getAnimations().map((each) => each.animationName ?? each.transitionProperty)"""
    for motion in ("reduce", "no-preference"):
        outlook.page.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
        outlook.shows("nothing-to-do", "status")
        assert outlook.page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches") is (motion == "reduce")
        seen = outlook.page.evaluate(f"""() => new Promise((done) => {{
            const moving = {moving};
            document.getElementById("tab-activity").click();
            const seen = new Set();
            const look = () => {{
              moving().forEach((name) => seen.add(name));
              const there = document.querySelector('#panel[data-view="activity"]:not([data-state=loading])');
              if (there) requestAnimationFrame(() => (moving().forEach((name) => seen.add(name)), done([...seen])));
              else requestAnimationFrame(look);
            }};
            look();
        }})""")
        assert (set(seen) - {"shimmer", "spin"} != set()) is (motion == "no-preference"), seen
        outlook.tab("status", "nothing-to-do")


def test_controls_under_the_pointer_stay_readable(world: PaneWorld, outlook: Outlook) -> None:
    boris = world.in_step(conflict_resolution="ask")
    world.disagree()
    world.fail_once()
    boris.sync()
    outlook.open()
    outlook.shows("status", "status")
    session = outlook.context.new_cdp_session(outlook.page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    wrong = list[str]()
    for name in ("status", "conflicts", "problems", "activity", "settings"):
        outlook.tab(name)
        root = session.send("DOM.getDocument")["root"]["nodeId"]
        found = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": "button, a, summary"})
        assert found["nodeIds"]
        for node in found["nodeIds"]:
            session.send("CSS.forcePseudoState", {"nodeId": node, "forcedPseudoClasses": ["hover"]})
        for dark in (False, True):
            outlook.make(dark=dark)
            wrong += [f"{name}, dark={dark}: {each}" for each in outlook.complaints_of_axe()]
    assert wrong == []
