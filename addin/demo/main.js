/** Puts the page together: both systems, the pane in its frame, the tour, and the tools at the top. */

import { announce, h, replace, uid } from "../js/dom.js";
import { icon } from "../js/icons.js";
import { causeConflict } from "./actions.js";
import { PaneFrame } from "./pane-frame.js";
import { NAMES } from "./records.js";
import { SystemColumn } from "./system-column.js";
import { Tour } from "./tour.js";
import { createWorld } from "./world.js";

const WIDE = window.matchMedia("(min-width: 1000px)");
const COLUMNS = [
  ["oro", "OroCRM"],
  ["pane", "The pane"],
  ["outlook", "Outlook"],
];
const node = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.world = null;
    this.columns = {};
    this.lastRun = "";
    this.selected = null;
    this.reloading = false; // the pane is about to be loaded anew
    this.frame = new PaneFrame(node("frame"));
    this.tour = new Tour({ node: node("tour"), page: this });
    this.switchNode = node("switch");
    this.drawSwitch("pane");
    WIDE.addEventListener("change", () => this.drawSwitch(this.shownColumn));
  }

  async start() {
    try {
      this.world = await createWorld();
    } catch {
      this.showOffline("The demonstration does not answer. Start it again with “make demo”.", () => this.start());
      return;
    }
    node("offline").hidden = true;
    this.buildColumns();
    this.drawTools();
    this.world.subscribe((news) => this.take(news));
    this.frame.load(this.world.account.connected ? this.world.facts.person : null);
    this.draw();
    if (!this.openLinked()) this.openSomebody();
    window.addEventListener("hashchange", () => this.openLinked());
  }

  /** A link of the pane into OroCRM ends here, with the record behind the hash; false without one. */
  openLinked() {
    const [, kind, id] = /^#(contact|task|event)-(\d+)$/.exec(window.location.hash) ?? [];
    const record = kind && this.world.find("oro", kind, id);
    if (!record) return false;
    this.columns.oro.choose(record, { tell: true, focus: true });
    this.show("oro");
    return true;
  }

  /** Somebody who stands on both sides, so that neither card is empty. */
  openSomebody() {
    const names = new Set(this.world.list("outlook", "contact").map((each) => each.title));
    const known = this.world.list("oro", "contact").filter((each) => names.has(each.title));
    const somebody = known.find((each) => /^[A-Za-z' -]+$/.test(each.title)) ?? known[0];
    if (!somebody) return;
    this.columns.oro.choose(somebody);
    this.columns.outlook.choose(this.world.list("outlook", "contact").find((each) => each.title === somebody.title));
  }

  buildColumns() {
    const { world } = this;
    const onSelect = (record, options) => this.follow(record, options);
    this.columns.oro = new SystemColumn({
      side: "oro",
      node: node("oro"),
      world,
      onSelect,
      head: { title: "OroCRM", symbol: "opportunity", text: "Simulated, seen as Anna", more: this.keyOfOro() },
    });
    this.columns.outlook = new SystemColumn({
      side: "outlook",
      node: node("outlook"),
      world,
      onSelect,
      onOpenMail: (item) => this.frame.openItem(item),
      head: { title: "Outlook", symbol: "crm", text: `Simulated mailbox of ${world.facts.mailbox.name}` },
    });
    node("oro").addEventListener("open-mail", (event) => {
      this.columns.outlook.showMail(event.detail);
      this.show("outlook");
    });
  }

  /** What is typed into the pane to connect it. */
  keyOfOro() {
    const { url, user, key } = this.world.facts.orocrm;
    const rows = [
      ["Address", url],
      ["User", user],
      ["API key", key],
    ];
    const access = h(
      "details",
      { class: "access", on: { keydown: (event) => event.key === "Escape" && close(), focusout: (event) => !access.contains(event.relatedTarget) && close() } },
      h("summary", null, icon("lock"), h("span", null, "Access")),
      h(
        "dl",
        null,
        rows.map(([name, value]) => [h("dt", null, name), h("dd", null, h("code", null, value), copyButton(name, value))]),
      ),
    );
    const close = () => {
      if (access.open && access.contains(document.activeElement)) access.querySelector("summary").focus();
      access.open = false;
    };
    return access;
  }

  // ---- news --------------------------------------------------------------------------------------------------------------

  take({ arrivals, error, own }) {
    if (error) return this.showOffline("The demonstration does not answer. Is it still running?", () => this.world.poll());
    node("offline").hidden = true;
    const words = (arrival) => this.origin(arrival);
    for (const column of Object.values(this.columns)) column.take(arrivals, words, own);
    if (arrivals.length) this.say(arrivals);
    this.nudgePane();
    this.draw();
  }

  /** Why a record changed though nobody changed it on this page. */
  origin(arrival) {
    const { connected, runs, status } = this.world.account;
    const last = status?.running ?? runs.find((run) => run.written > 0);
    const other = arrival.side === "oro" ? "Outlook" : "OroCRM";
    if (!connected || !last) return "changed elsewhere";
    if (last.mode === "undo") return "taken back";
    return { new: `came from ${other}`, changed: `arrived from ${other}`, gone: `deleted, as in ${other}` }[arrival.what];
  }

  say(arrivals) {
    const groups = Map.groupBy ? Map.groupBy(arrivals, (each) => each.side) : new Map([[arrivals[0].side, arrivals]]);
    const sentences = [...groups].map(([side, some]) =>
      some.length > 1 ? `${NAMES[side]}: ${some.length} records ${this.origin({ ...some[0], what: "new" })}.` : `${NAMES[side]}: ${some[0].title}, ${some[0].fields.map((field) => field.label).join(", ")} ${this.origin(some[0])}.`,
    );
    announce(sentences.join(" "));
  }

  /** The pane looks for itself now and then; after a run it should do so at once. */
  nudgePane() {
    const { account } = this.world;
    const open = account.conflicts.filter((each) => !each.choice).length;
    const sign = `${account.connected} ${account.runs[0]?.run} ${account.runs[0]?.state} ${open}`;
    if (sign !== this.lastRun && !this.reloading) this.frame.nudge();
    this.lastRun = sign;
  }

  draw() {
    this.tour.draw();
    this.drawPulse();
    for (const column of Object.values(this.columns)) column.draw();
  }

  // ---- the tools at the top ------------------------------------------------------------------------------------------------

  drawTools() {
    const id = uid("automatic");
    this.pulse = h("p", { class: "pulse", data: { part: "pulse" } });
    this.automatic = h("input", { type: "checkbox", role: "switch", class: "switch", id, on: { change: (event) => this.setAutomatic(event.currentTarget) } });
    this.conflict = tool("Cause a conflict", "conflicts", "cause-conflict", () => this.tour.act("conflict", () => this.showPair(() => causeConflict(this.world, this.wanted()))));
    replace(
      node("tools"),
      this.pulse,
      h("span", { class: "switch-line" }, this.automatic, h("label", { for: id }, "Sync by itself")),
      this.conflict,
      tool("Reset", "refresh", "reset", () => this.reset()),
    );
  }

  drawPulse() {
    if (!this.pulse) return;
    const { account, facts, known } = this.world;
    this.automatic.checked = facts.automatic;
    this.conflict.disabled = !known.synced;
    const [state, words] = pulseOf(account);
    if (this.pulse.dataset.words === words) return;
    this.pulse.dataset.words = words;
    this.pulse.dataset.state = state;
    replace(this.pulse, h("span", { class: "dot", "aria-hidden": "true" }), h("span", null, words));
  }

  async setAutomatic(control) {
    try {
      await this.world.setAutomatic(control.checked);
    } catch {
      control.checked = !control.checked;
    }
  }

  async reset() {
    document.body.setAttribute("aria-busy", "true");
    this.frame.leave();
    try {
      await this.world.reset();
      for (const column of Object.values(this.columns)) column.forget();
      this.selected = null;
      this.tour.forget();
      node("oro").querySelector(".access")?.replaceWith(this.keyOfOro());
      announce("Everything is as it was in the beginning.");
    } catch (error) {
      this.tour.failed = error.message;
    }
    document.body.removeAttribute("aria-busy");
    this.frame.load(null);
    this.draw();
    this.openSomebody();
  }

  // ---- what the tour needs -----------------------------------------------------------------------------------------------------

  /** Does it and lets the pane show where that led. */
  async withPane(action) {
    const begun = this.world.known.synced;
    this.show("pane");
    this.reloading = !begun;
    try {
      await action();
    } finally {
      this.reloading = false;
    }
    if (begun) this.frame.nudge();
    else this.frame.load(this.world.facts.person);
  }

  /** Does something to a linked record and shows both halves of it. */
  async showPair(action) {
    const pair = await action();
    this.columns.outlook.choose(pair.outlook);
    this.columns.oro.choose(pair.oro);
    this.show("oro");
  }

  /** The contact somebody is looking at. */
  wanted() {
    return this.selected?.kind === "contact" ? this.selected : null;
  }

  /** Where one half is chosen, the other column shows the other half. */
  follow(record, { focus = false } = {}) {
    this.selected = record;
    const partner = this.world.partnerOf(record);
    if (!partner) return;
    this.columns[partner.side].choose(partner, { focus });
    if (focus) this.show(partner.side);
  }

  // ---- narrow windows: one column at a time ---------------------------------------------------------------------------------------

  show(name) {
    if (!WIDE.matches) this.drawSwitch(name);
  }

  drawSwitch(name) {
    this.shownColumn = name;
    node("columns").dataset.shown = name;
    for (const [id] of COLUMNS) {
      if (WIDE.matches) node(id).removeAttribute("role");
      else node(id).setAttribute("role", "tabpanel");
    }
    const had = this.switchNode.contains(document.activeElement);
    this.switchNode.parentElement.hidden = WIDE.matches;
    replace(this.switchNode, COLUMNS.map(([id, label]) => this.switchTab(id, label, id === name)));
    if (had) node(`switch-${name}`).focus();
  }

  switchTab(id, label, chosen) {
    return h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `switch-${id}`,
        class: "switch-tab",
        "aria-selected": String(chosen),
        "aria-controls": id,
        tabindex: chosen ? "0" : "-1",
        data: { action: `switch-${id}` },
        on: { click: () => this.drawSwitch(id), keydown: (event) => this.moveAlong(event, id) },
      },
      label,
    );
  }

  moveAlong(event, id) {
    const at = COLUMNS.findIndex(([each]) => each === id);
    const to = { ArrowRight: (at + 1) % 3, ArrowLeft: (at + 2) % 3, Home: 0, End: 2 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.drawSwitch(COLUMNS[to][0]);
  }

  showOffline(words, retry) {
    const banner = node("offline");
    if (banner.hidden || banner.dataset.words !== words) {
      banner.dataset.words = words;
      banner.hidden = false;
      replace(banner, icon("offline"), h("span", null, words), tool("Try again", "refresh", "retry", retry));
    }
  }
}

function pulseOf({ connected, status }) {
  if (!connected) return ["idle", "Not connected"];
  if (status.running) return ["busy", "Syncing…"];
  if (!status.first_sync_done) return ["idle", "Connected, nothing synced"];
  if (status.held) return ["warning", "Held: look into the pane"];
  if (status.open_conflicts) return ["warning", status.open_conflicts === 1 ? "1 conflict to decide" : `${status.open_conflicts} conflicts to decide`];
  if (status.account.state !== "active" || !status.enabled) return ["warning", "Switched off"];
  return ["good", "In step"];
}

function tool(label, symbol, action, onClick) {
  return h("button", { type: "button", class: "tool", data: { action }, on: { click: onClick } }, icon(symbol), h("span", null, label));
}

function copyButton(name, value) {
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy ${name}`, data: { action: "copy" } }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value);
      announce(`${name} copied.`);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.previousElementSibling);
      window.getSelection().removeAllRanges();
      window.getSelection().addRange(range);
    }
  });
  return button;
}

new Page().start();
