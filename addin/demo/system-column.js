/** One simulated system: its kinds of records, search, list, card; new records; what arrives flashes and says from where. */

import { h, replace, uid } from "../js/dom.js";
import { icon } from "../js/icons.js";
import { MailBox } from "./mail.js";
import { NewRecord } from "./new-record.js";
import { RecordCard } from "./record-card.js";
import { KIND_NAMES, KINDS, NAMES } from "./records.js";

const FLASH_MS = 12_000;
const MANY = 5; // so many at once flash for a shorter time
const FLASH_MANY_MS = 5_000;

export class SystemColumn {
  /** onOpenMail(item): the mailbox only. onSelect(record): to let the other column follow. */
  constructor({ side, node, world, head, onSelect, onOpenMail }) {
    Object.assign(this, { side, node, world, onSelect });
    this.other = side === "oro" ? "outlook" : "oro";
    this.kind = "contact";
    this.chosen = { contact: null, task: null, event: null };
    this.query = "";
    this.flashes = new Map(); // "kind id" -> {what, fields, until}
    this.shown = "";
    this.mails = onOpenMail ? new MailBox({ world, onOpen: onOpenMail }) : null;
    this.card = new RecordCard({
      side,
      actions: {
        save: (field, value) => world.edit(this.card.record, field.write(value)),
        remove: () => this.remove(),
        partner: () => onSelect(this.card.record, { focus: true }),
        mail: () => this.openMail(),
      },
    });
    this.fresh = new NewRecord({ side, world, onDone: (id) => this.afterNew(id) });
    this.build(head);
    this.draw();
  }

  build(head) {
    const title = h("h2", { id: `${this.side}-title` }, head.title);
    this.kinds = h("div", { class: "kinds", role: "group", "aria-label": `What to show of ${NAMES[this.side]}` });
    this.search = h("input", {
      type: "search",
      class: "input search",
      id: uid("search"),
      placeholder: "Search",
      autocomplete: "off",
      "aria-label": `Search in ${NAMES[this.side]}`,
      on: { input: (event) => ((this.query = event.currentTarget.value.trim().toLowerCase()), this.draw()) },
    });
    this.add = h(
      "button",
      { type: "button", class: "tool", data: { action: "new-record" }, on: { click: () => this.startNew() } },
      icon("plus"),
      h("span", null, "New"),
    );
    this.list = h("ul", { class: "records", data: { list: this.side } });
    this.body = h("div", { class: "system-body" });
    this.foot = h("p", { class: "last-arrival" }, "Nothing has arrived yet.");
    replace(
      this.node,
      h("header", { class: "system-head" }, h("span", { class: "mark", "aria-hidden": "true" }, icon(head.symbol)), h("div", null, title, h("p", null, head.text)), head.more ?? null),
      this.kinds,
      h("div", { class: "system-tools" }, this.search, this.add),
      this.body,
      this.foot,
    );
  }

  // ---- news -----------------------------------------------------------------------------------------------------------

  /** words(arrival): from where it came. own: a record that was just edited here, if one was. */
  take(arrivals, words, own) {
    if (own?.side === this.side) this.flashes.delete(`${own.kind} ${own.id}`);
    const mine = arrivals.filter((each) => each.side === this.side);
    const lasts = mine.length > MANY ? FLASH_MANY_MS : FLASH_MS;
    const until = Date.now() + lasts;
    for (const each of mine) {
      if (each.what === "gone") continue;
      this.flashes.set(`${each.kind} ${each.id}`, { ...each, until, words: words(each) });
    }
    if (mine.length) {
      this.foot.textContent = summary(mine, words);
      window.setTimeout(() => this.draw(), lasts + 50);
    }
    this.draw();
  }

  forget() {
    this.flashes.clear();
    this.chosen = { contact: null, task: null, event: null };
    this.query = this.search.value = "";
    this.kind = "contact";
    this.shown = "";
    this.card.showNothing();
    this.mails?.forget();
    this.foot.textContent = "Nothing has arrived yet.";
    this.draw();
  }

  flashOf(kind, id) {
    const flash = this.flashes.get(`${kind} ${id}`);
    if (flash && flash.until > Date.now()) return flash;
    this.flashes.delete(`${kind} ${id}`);
    return null;
  }

  // ---- drawing ----------------------------------------------------------------------------------------------------------

  draw() {
    this.drawKinds();
    const mail = this.kind === "mail";
    this.search.disabled = mail;
    this.add.hidden = mail;
    if (mail) return this.drawMail();
    if (!this.world.records[this.side]) return this.drawWaiting();
    const found = this.found();
    if (this.node.dataset.state !== "ready" || this.body.firstChild !== this.list) {
      replace(this.body, this.list, this.fresh.draft ? this.fresh.node : this.card.node);
      this.node.dataset.state = "ready";
      this.shown = "";
    }
    this.drawList(found);
    this.drawCard();
  }

  drawKinds() {
    const names = this.mails ? [...KINDS, "mail"] : KINDS;
    const counts = names.map((kind) => (kind === "mail" ? this.mails.list().length : this.world.list(this.side, kind).length));
    const signature = `${this.kind} ${counts}`;
    if (this.kinds.dataset.signature === signature) return;
    this.kinds.dataset.signature = signature;
    const had = this.kinds.contains(document.activeElement);
    replace(
      this.kinds,
      names.map((kind, at) =>
        h(
          "button",
          { type: "button", class: "kind", "aria-pressed": String(kind === this.kind), data: { action: "show-kind", kind }, on: { click: () => this.showKind(kind) } },
          icon(kind === "mail" ? "crm" : kind),
          h("span", null, kind === "mail" ? "Mail" : KIND_NAMES[kind][1]),
          h("span", { class: "count" }, String(counts[at])),
        ),
      ),
    );
    if (had) this.kinds.querySelector('[aria-pressed="true"]').focus();
  }

  drawWaiting() {
    if (this.node.dataset.state === "loading") return;
    this.node.dataset.state = "loading";
    replace(this.body, h("div", { class: "skeleton", role: "status", "aria-label": "Loading" }, [1, 2, 3, 4, 5].map(() => h("span"))));
  }

  drawMail() {
    if (this.body.firstChild !== this.mails.node) replace(this.body, this.mails.node, this.mails.card);
    this.mails.draw();
  }

  found() {
    const records = this.world.list(this.side, this.kind).filter((each) => matches(each, this.query));
    const last = (record) => record.fields.find((field) => field.name === "last")?.value ?? record.title;
    const order = this.kind === "event" ? (a, b) => a.order - b.order : (a, b) => last(a).localeCompare(last(b)) || a.title.localeCompare(b.title);
    return records.sort(order);
  }

  drawList(found) {
    const rows = found.map((record) => ({ record, flash: this.flashOf(this.kind, record.id), linked: Boolean(this.world.partnerOf(record)) }));
    const signature = JSON.stringify([this.kind, this.query, this.chosen[this.kind], rows.map(({ record, flash, linked }) => [record.id, record.title, record.lines, record.done, flash?.words, linked])]);
    if (signature === this.shown) return;
    this.shown = signature;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const top = this.list.scrollTop;
    replace(this.list, rows.length ? rows.map((row) => this.row(row)) : this.nothing());
    this.list.scrollTop = top;
    if (focused) this.list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  row({ record, flash, linked }) {
    const chosen = record.id === this.chosen[this.kind];
    return h(
      "li",
      null,
      h(
        "button",
        {
          type: "button",
          class: `record${flash ? " arrived" : ""}${record.done ? " done" : ""}`,
          "aria-current": chosen ? "true" : null,
          data: { action: "open-record", id: record.id },
          on: { click: () => this.choose(record, { tell: true }) },
        },
        this.kind === "contact" ? h("span", { class: "avatar", "aria-hidden": "true" }, initials(record)) : null,
        h(
          "span",
          { class: "record-words" },
          h("bdi", { class: "record-title" }, record.title),
          h("span", { class: "record-line", dir: "auto" }, flash ? h("span", { class: "from" }, flash.words) : record.lines[0] || "\u00a0"),
        ),
        record.tags?.includes("private") ? icon("lock") : linked ? h("span", { class: "linked", title: "Linked" }, icon("link"), h("span", { class: "unseen" }, "linked")) : null,
      ),
    );
  }

  nothing() {
    const words = this.query ? `Nothing fits “${this.query}”.` : "There is nothing here.";
    return h("li", { class: "quiet center", role: "status" }, words);
  }

  drawCard() {
    if (this.fresh.draft) return;
    const record = this.current();
    if (!record) {
      if (this.card.record) this.card.showNothing();
      return;
    }
    const flash = this.flashOf(record.kind, record.id);
    this.card.show(record, {
      partner: this.world.partnerOf(record),
      arrived: flash?.fields.map((field) => field.name) ?? [],
      from: flash?.words ?? "",
    });
  }

  current() {
    const id = this.chosen[this.kind];
    return id ? this.world.find(this.side, this.kind, id) : null;
  }

  // ---- what a person does ---------------------------------------------------------------------------------------------------

  showKind(kind) {
    this.fresh.leave();
    this.kind = kind;
    this.shown = "";
    this.body.replaceChildren();
    this.draw();
  }

  /** tell: let the other column follow. focus: to the card. */
  choose(record, { tell = false, focus = false } = {}) {
    this.fresh.leave();
    if (this.kind !== record.kind) this.showKind(record.kind);
    if (!matches(record, this.query)) this.query = this.search.value = "";
    this.chosen[record.kind] = record.id;
    if (this.body.lastChild !== this.card.node) this.body.replaceChildren();
    this.draw();
    this.list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
    if (focus) this.card.node.focus({ preventScroll: true });
    if (tell) this.onSelect(record, {});
  }

  async remove() {
    const record = this.card.record;
    try {
      await this.world.remove(record);
      this.chosen[record.kind] = null;
      this.draw();
      this.list.querySelector("button")?.focus();
    } catch (error) {
      this.card.alert.hidden = false;
      this.card.alert.textContent = `It was not deleted. ${error.message}`;
    }
  }

  startNew() {
    this.fresh.start(this.kind);
    replace(this.body, this.list, this.fresh.node);
    this.fresh.node.querySelector("input, select").focus();
  }

  afterNew(id) {
    this.body.replaceChildren();
    if (id) this.chosen[this.kind] = id;
    this.draw();
    if (id) {
      this.list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
      this.card.node.focus({ preventScroll: true });
    } else {
      this.add.focus();
    }
  }

  openMail() {
    const { title, mail } = this.card.record;
    if (this.mails) this.showMail({ name: title, address: mail });
    else this.node.dispatchEvent(new CustomEvent("open-mail", { bubbles: true, detail: { name: title, address: mail } }));
  }

  showMail(person) {
    this.showKind("mail");
    this.mails.openFrom(person);
    this.draw();
  }
}

function matches(record, query) {
  if (!query) return true;
  return [record.title, ...record.fields.map((field) => field.value)].some((value) => value.toLowerCase().includes(query));
}

function initials(record) {
  const words = record.title.split(/\s+/);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => Array.from(word)[0] ?? "").join("").toUpperCase();
}

function summary(arrivals, words) {
  const [one] = arrivals;
  if (arrivals.length > 1) return `${arrivals.length} records ${words({ ...one, what: "new" })}`;
  const fields = one.fields.map((field) => field.label).join(", ");
  return `${one.title}: ${fields ? `${fields}, ` : ""}${words(one)}`;
}
