/** One record, read and edited in place: what is typed is sent when the field is left or Enter is pressed. */

import { h, replace, uid } from "../js/dom.js";
import { icon } from "../js/icons.js";
import { KIND_NAMES, NAMES } from "./records.js";

/** actions: {save(field, value), remove(), partner(), mail()} ; partner(record) -> the linked record or null. */
export class RecordCard {
  constructor({ side, actions }) {
    this.side = side;
    this.actions = actions;
    this.node = h("article", { class: "card", tabindex: "-1", "aria-label": "The chosen record" });
    this.record = null;
    this.controls = new Map(); // name -> control
    this.showNothing();
  }

  showNothing() {
    this.record = null;
    this.controls.clear();
    replace(this.node, h("p", { class: "quiet center" }, "Choose a record to read and edit it."));
  }

  /** Draws it, or brings new values into the controls that nobody is typing in. arrived: names of fields. */
  show(record, { partner = null, arrived = [], from = "" } = {}) {
    const same = this.record && this.record.id === record.id && this.record.kind === record.kind && this.layout(this.record) === this.layout(record);
    this.record = record;
    if (same) this.update();
    else this.draw();
    this.showLink(partner);
    this.showArrival(arrived, from);
  }

  layout(record) {
    return record.fields.map((field) => `${field.name}${field.write ? "" : "-"}`).join() + record.locked + record.note;
  }

  update() {
    this.heading.textContent = this.record.title;
    for (const field of this.record.fields) {
      const control = this.controls.get(field.name);
      if (!field.write) control.textContent = field.value;
      else if (document.activeElement !== control || control.value === control.dataset.sent) put(control, field.value);
    }
  }

  draw() {
    const { record } = this;
    this.controls.clear();
    this.heading = h("h3", { class: "card-name", dir: "auto" }, record.title);
    this.link = h("p", { class: "link-line" });
    this.arrival = h("p", { class: "arrival-line", hidden: true });
    this.alert = h("p", { class: "wrong", role: "alert", hidden: true });
    replace(
      this.node,
      h("div", { class: "card-head" }, h("span", { class: "kind-symbol" }, icon(record.kind)), this.heading),
      this.link,
      this.arrival,
      record.locked || record.note ? h("p", { class: "note" }, icon("lock"), h("span", null, record.locked || record.note)) : null,
      h("form", { class: "fields", novalidate: true, on: { submit: (event) => (event.preventDefault(), document.activeElement.blur()) } }, record.fields.map((field) => this.fieldOf(field))),
      this.alert,
      h(
        "div",
        { class: "card-actions" },
        record.mail ? this.button("Open a mail from them", "crm", "open-mail", () => this.actions.mail()) : null,
        this.button("Delete", "minus", "delete-record", () => this.actions.remove(), "danger"),
      ),
    );
  }

  button(label, symbol, action, onClick, kind = "") {
    return h("button", { type: "button", class: `tool ${kind}`, data: { action }, on: { click: onClick } }, icon(symbol), h("span", null, label));
  }

  fieldOf(field) {
    const id = uid(`${this.side}-${field.name}`);
    if (!field.write) {
      const value = h("p", { class: "shown", id, dir: "auto" }, field.value);
      this.controls.set(field.name, value);
      return h("div", { class: "field", data: { field: field.name } }, h("p", { class: "label" }, field.label), value);
    }
    const control = controlOf(field, id);
    control.addEventListener("change", () => this.send(field.name, control));
    control.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      put(control, this.valueOf(field.name));
    });
    this.controls.set(field.name, control);
    return h("div", { class: "field", data: { field: field.name } }, h("label", { class: "label", for: id }, field.label), control);
  }

  valueOf(name) {
    return this.record.fields.find((field) => field.name === name).value;
  }

  async send(name, control) {
    const field = this.record.fields.find((each) => each.name === name);
    if (control.value === field.value) return;
    control.setAttribute("aria-busy", "true");
    this.alert.hidden = true;
    control.removeAttribute("aria-invalid");
    try {
      await this.actions.save(field, control.value);
      control.dataset.sent = control.value;
    } catch (error) {
      control.setAttribute("aria-invalid", "true");
      this.alert.hidden = false;
      this.alert.textContent = `${field.label} was not saved. ${error.message}`;
    } finally {
      control.removeAttribute("aria-busy");
    }
  }

  showLink(partner) {
    const other = this.side === "oro" ? "outlook" : "oro";
    const words = partner ? `Linked with ${partner.title} in ${NAMES[other]}` : "Not linked";
    if (this.link.dataset.words === words) return;
    this.link.dataset.words = words;
    this.link.dataset.linked = String(Boolean(partner));
    replace(
      this.link,
      icon(partner ? "link" : "info"),
      partner
        ? h("button", { type: "button", class: "as-link", data: { action: "show-partner" }, on: { click: () => this.actions.partner() } }, h("bdi", null, words))
        : h("span", null, words),
    );
  }

  /** Inside the card alone: the page stays where the person has it. */
  bringIntoSight(field) {
    window.requestAnimationFrame(() => {
      const below = field ? field.getBoundingClientRect().bottom - this.node.getBoundingClientRect().bottom : 0;
      if (below > 0) this.node.scrollTop += below + 12;
    });
  }

  showArrival(arrived, from) {
    for (const [name, control] of this.controls) control.closest(".field").classList.toggle("arrived", arrived.includes(name));
    const [first] = arrived;
    if (first && this.arrival.hidden) this.bringIntoSight(this.controls.get(first)?.closest(".field"));
    this.arrival.hidden = !from;
    replace(this.arrival, icon(this.side === "oro" ? "back" : "forward"), h("span", null, from));
  }
}

/** A form for a new record; onCreate(values) may throw, its message is shown. */
export function newRecordForm({ draft, onCreate, onCancel }) {
  const controls = new Map();
  const alert = h("p", { class: "wrong", role: "alert", hidden: true });
  const [one] = KIND_NAMES[draft.kind];
  const create = h("button", { type: "submit", class: "tool primary", data: { action: "create-record" } }, icon("check"), h("span", null, "Create"));
  const form = h(
    "form",
    { class: "card", novalidate: true, "aria-label": `New ${one.toLowerCase()} in ${NAMES[draft.side]}` },
    h("div", { class: "card-head" }, h("span", { class: "kind-symbol" }, icon(draft.kind)), h("h3", { class: "card-name" }, `New ${one.toLowerCase()}`)),
    h(
      "div",
      { class: "fields" },
      draft.fields.map((field) => {
        const control = controlOf(field, uid(`new-${draft.side}-${field.name}`));
        controls.set(field.name, control);
        return h("div", { class: "field", data: { field: field.name } }, h("label", { class: "label", for: control.id }, field.label), control);
      }),
    ),
    alert,
    h(
      "div",
      { class: "card-actions" },
      create,
      h("button", { type: "button", class: "tool", data: { action: "cancel-record" }, on: { click: onCancel } }, h("span", null, "Cancel")),
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries([...controls].map(([name, control]) => [name, control.value]));
    const named = values.title || values.first || values.last;
    create.disabled = true;
    try {
      if (!named) throw new Error("Give it a name.");
      await onCreate(values);
    } catch (error) {
      alert.hidden = false;
      alert.textContent = error.message;
      create.disabled = false;
      controls.values().next().value.focus();
    }
  });
  return form;
}

function controlOf(field, id) {
  if (field.type === "select") {
    return h("select", { id, class: "input", name: field.name }, field.options.map(([value, label]) => h("option", { value, selected: value === field.value }, label)));
  }
  const props = { id, class: "input", name: field.name, dir: "auto", autocomplete: "off", spellcheck: "false", value: field.value };
  if (field.type === "long") return h("textarea", { ...props, rows: Math.min(4, Math.max(2, field.value.split("\n").length)) });
  return h("input", { type: field.type, ...props });
}

function put(control, value) {
  if (control.value !== value) control.value = value;
}
