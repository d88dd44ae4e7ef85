/**
 * The guided tour: five steps, each with what to do by hand, a button that does it, and a check mark once it is really
 * done, whoever did it. What is done is read from the API; nothing is remembered here but which step is shown.
 */

import { announce, h, replace } from "../js/dom.js";
import { icon } from "../js/icons.js";
import { causeConflict, choose, connect, editInOutlook, firstSync, preview, undoable, undoNewest } from "./actions.js";

const ON_MS = 1_800; // long enough to see the check mark

/** A step's `now(world)` says what is to be done next in it: words, and buttons [label, action, name]. */
const STEPS = [
  {
    name: "preview",
    title: "Preview",
    done: (known) => known.preview,
    now({ account }) {
      if (!account.connected) {
        return {
          words: "In the pane, choose Anna and connect OroCRM: address, user and API key stand at the simulated OroCRM. Or let us fill them in.",
          buttons: [["Connect for me", "connect", (page) => page.withPane(() => connect(page.world))]],
        };
      }
      return {
        words: "Ask the pane for a preview of the first sync. It reads both sides and shows every step it would take; nothing is written.",
        buttons: [["Show me the preview", "preview", (page) => page.withPane(() => preview(page.world))]],
      };
    },
    after: "A preview was made and nothing was written: both sides still have what they had.",
  },
  {
    name: "sync",
    title: "First sync",
    done: (known) => known.synced,
    now: () => ({
      words: "Press Start in the pane. What stands on one side alone is made on the other; what stands on both is recognised and linked.",
      buttons: [["Start it for me", "first-sync", (page) => page.withPane(() => firstSync(page.world))]],
    }),
    after: "Both sides have the same people, tasks and appointments now. A link sign marks each pair.",
  },
  {
    name: "travel",
    title: "Change travels",
    done: (known) => known.travelled,
    now: () => ({
      words: "In Outlook at the right, open a contact with a link sign and change the job title. A moment later it arrives in OroCRM.",
      buttons: [["Change one for me", "edit", (page) => page.showPair(() => editInOutlook(page.world, page.wanted()))]],
    }),
    after: "What was changed in Outlook has arrived in OroCRM. It works the other way round as well.",
  },
  {
    name: "conflict",
    title: "Conflict",
    done: (known) => known.chosen,
    now(world) {
      if (world.openConflicts().length) {
        return {
          words: "The job title differs on both sides, so you are asked: in the pane, open Conflicts and choose a side.",
          buttons: [
            ["Take Outlook's for me", "choose-outlook", (page) => page.withPane(() => choose(world, "outlook"))],
            ["Take OroCRM's", "choose-oro", (page) => page.withPane(() => choose(world, "oro"))],
          ],
        };
      }
      if (world.account.conflicts.some((each) => each.waiting_for_run)) {
        return { words: "Chosen. The next sync carries the value to the other side.", buttons: [] };
      }
      return {
        words: "Now the same field is changed on both sides, differently. Different fields would simply be merged.",
        buttons: [["Cause a conflict", "conflict", (page) => page.showPair(() => causeConflict(page.world, page.wanted()))]],
      };
    },
    after: "Your choice is on both sides now; the other value is kept in the history.",
  },
  {
    name: "undo",
    title: "Undo",
    done: (known) => known.undone,
    now: (world) => ({
      words: "In the pane, open Activity, choose the newest run and undo it. Each change is taken back, unless somebody has touched it since.",
      buttons: undoable(world) ? [["Undo it for me", "undo", (page) => page.withPane(() => undoNewest(page.world))]] : [],
    }),
    after: "Taken back. The run stays in the history, marked as undone.",
  },
];

export class Tour {
  /** page: {world, withPane(action), showPair(action), wanted(), reset()}. */
  constructor({ node, page }) {
    Object.assign(this, { node, page });
    this.chosen = null; // a step that the person looks at; null: the first that is not done
    this.was = STEPS.map(() => false);
    this.working = "";
    this.failed = "";
    this.drawn = "";
    this.steps = h("ol", { class: "steps" });
    this.body = h("div", { class: "step-body" });
    replace(node, h("h2", { class: "unseen", id: "tour-title" }, "Guided tour"), this.steps, this.body);
    this.draw();
  }

  forget() {
    Object.assign(this, { chosen: null, was: STEPS.map(() => false), failed: "" });
    this.draw();
  }

  draw() {
    const { world } = this.page;
    if (!world?.account) return this.drawWaiting();
    const done = STEPS.map((step) => step.done(world.known));
    this.notice(done);
    const open = this.chosen ?? Math.max(0, done.indexOf(false));
    const over = done.every(Boolean);
    const running = Boolean(world.account.status?.running);
    const signature = JSON.stringify([done, open, over, this.working, this.failed, running, this.chosen === null, over ? null : STEPS[open].now(world).words, Boolean(undoable(world))]);
    if (signature === this.drawn) return;
    this.drawn = signature;
    const focused = this.node.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    replace(this.steps, STEPS.map((step, at) => this.mark(step, at, done[at], at === open && !(over && this.chosen === null))));
    replace(this.body, over && this.chosen === null ? this.end() : this.step(STEPS[open], done[open], running));
    if (focused) (this.node.querySelector(`[data-action="${focused}"]:not(:disabled)`) ?? this.body.querySelector("button:not(:disabled)"))?.focus({ preventScroll: true });
  }

  drawWaiting() {
    replace(this.body, h("p", { class: "quiet" }, "Starting…"));
  }

  /** Says what has just been done, and stays with it for a moment. */
  notice(done) {
    const at = done.findIndex((each, index) => each && !this.was[index]);
    const first = this.was.every((each) => !each) && done.filter(Boolean).length > 1;
    this.was = done;
    if (at < 0 || first) return;
    announce(`Done: ${STEPS[at].title}. ${STEPS[at].after}`);
    this.chosen = at;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.chosen = null;
      this.draw();
    }, ON_MS);
  }

  mark(step, at, done, open) {
    return h(
      "li",
      { class: "step", data: { step: step.name, done: String(done) } },
      h(
        "button",
        { type: "button", class: "step-button", "aria-current": open ? "step" : null, data: { action: `step-${step.name}` }, on: { click: () => this.open(at) } },
        h("span", { class: "step-mark", "aria-hidden": "true" }, done ? icon("check") : String(at + 1)),
        h("span", { class: "step-title" }, step.title),
        h("span", { class: "unseen" }, done ? " (done)" : ""),
      ),
    );
  }

  open(at) {
    window.clearTimeout(this.timer);
    this.chosen = at;
    this.draw();
  }

  step(step, done, running) {
    const { words, buttons } = done ? { words: step.after, buttons: [] } : step.now(this.page.world);
    const blocked = running && step.name !== "conflict";
    return [
      h("div", { class: "step-words" }, h("h3", null, step.title), h("p", null, words), this.wrong()),
      h(
        "div",
        { class: "step-actions" },
        buttons.map(([label, name, action], at) =>
          h(
            "button",
            {
              type: "button",
              class: at ? "tool" : "tool primary",
              disabled: Boolean(this.working) || blocked,
              "aria-busy": this.working === name ? "true" : null,
              data: { action: `do-${name}` },
              on: { click: () => this.act(name, action) },
            },
            icon(at ? "back" : "play"),
            h("span", null, label),
          ),
        ),
        done ? h("p", { class: "step-done" }, icon("check"), h("span", null, "Done")) : null,
      ),
    ];
  }

  wrong() {
    return this.failed ? h("p", { class: "wrong", role: "alert" }, this.failed) : null;
  }

  end() {
    return [
      h("div", { class: "step-words" }, h("h3", null, "That is all of it"), h("p", null, "Play on: create, edit and delete on both sides, look at the settings in the pane, or begin anew.")),
      h(
        "div",
        { class: "step-actions" },
        h("button", { type: "button", class: "tool primary", data: { action: "tour-reset" }, on: { click: () => this.page.reset() } }, icon("refresh"), h("span", null, "Begin anew")),
      ),
    ];
  }

  async act(name, action) {
    Object.assign(this, { working: name, failed: "" });
    this.draw();
    try {
      await action(this.page);
    } catch (error) {
      this.failed = `${error.detail ?? error.message} ${error.remedy ?? ""}`.trim();
    } finally {
      this.working = "";
      this.draw();
    }
  }
}
