/**
 * Building blocks of every view. Text enters the page as text nodes only, styles through classes: nothing here can
 * become markup, and the strict Content Security Policy has nothing to forbid.
 */

import { icon } from "./icons.js";

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden", "indeterminate", "open", "readOnly"]);
let serial = 0;

/** A fresh element id. */
export function uid(prefix) {
  serial += 1;
  return `${prefix}-${serial}`;
}

/**
 * An element. props: attributes; `data` (dataset), `on` (listeners), `class`; false, null and undefined leave it out.
 * Children are nodes, strings, numbers, or nested arrays of them; empty ones are left out.
 */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) put(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function put(node, name, value) {
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
  } else if (name === "data") {
    for (const [key, each] of Object.entries(value)) if (each !== undefined && each !== null) node.dataset[key] = each;
  } else if (value === false || value === null || value === undefined) {
    return;
  } else if (PROPERTIES.has(name)) {
    node[name] = value;
  } else {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}

export function replace(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return node;
}

/** kind: "primary", "plain", "subtle", "danger". action becomes `data-action`, the name tests and styles know it by. */
export function button(label, { kind = "plain", action, symbol, onClick, small, wide, data, ...attributes } = {}) {
  const classes = ["button", `button-${kind}`, small && "button-small", wide && "button-wide"].filter(Boolean).join(" ");
  return h(
    "button",
    { type: "button", class: classes, data: { action, ...data }, on: onClick ? { click: onClick } : {}, ...attributes },
    symbol && icon(symbol),
    h("span", null, label),
  );
}

export function iconButton(label, symbol, { action, onClick, ...attributes } = {}) {
  return h(
    "button",
    {
      type: "button",
      class: "button button-icon",
      "aria-label": label,
      title: label,
      data: { action },
      on: onClick ? { click: onClick } : {},
      ...attributes,
    },
    icon(symbol),
  );
}

/** A link that leaves the pane. */
export function outLink(label, url, props = {}) {
  if (!/^https?:\/\//i.test(url ?? "")) return h("span", props, label);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", ...props }, label, icon("open"));
}

/** A message inside a view. tone: info, success, warning, danger. */
export function bar(tone, children, { actions = [], ...props } = {}) {
  const symbol = { info: "info", success: "check", warning: "warning", danger: "error" }[tone];
  return h(
    "div",
    { class: `bar bar-${tone}`, ...props },
    icon(symbol),
    h("div", { class: "bar-body" }, children, actions.length ? h("div", { class: "bar-actions" }, actions) : null),
  );
}

/** A labelled control; hint and error are tied to it. The control needs an id. */
export function field(label, control, { hint, error, after } = {}) {
  const notes = [];
  if (hint) notes.push(h("p", { class: "hint", id: `${control.id}-hint` }, hint));
  if (error) notes.push(h("p", { class: "field-error", id: `${control.id}-error` }, error));
  if (notes.length) control.setAttribute("aria-describedby", notes.map((note) => note.id).join(" "));
  if (error) control.setAttribute("aria-invalid", "true");
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, notes, after);
}

/** choices: [value, label, hint?][]. onPick gets the value. */
export function radioGroup(legend, name, choices, chosen, onPick) {
  return h(
    "fieldset",
    { class: "choices" },
    h("legend", null, legend),
    choices.map(([value, label, hint]) => {
      const id = uid(name);
      return h(
        "div",
        { class: "choice" },
        h("input", {
          type: "radio",
          id,
          name,
          value,
          checked: value === chosen,
          "aria-describedby": hint ? `${id}-hint` : null,
          on: { change: () => onPick(value) },
        }),
        h("div", null, h("label", { for: id }, label), hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null),
      );
    }),
  );
}

/** Asks inside the pane. Resolves to true when confirmed; Escape and the other button mean no. */
export function confirmDialog({ title, body, confirm, cancel, danger = false }) {
  return new Promise((resolve) => {
    const id = uid("dialog");
    const dialog = h(
      "dialog",
      { class: "dialog", "aria-labelledby": id, data: { dialog: "confirm" } },
      h("h2", { id }, title),
      h("div", { class: "dialog-body" }, body),
      h(
        "div",
        { class: "dialog-actions" },
        button(cancel, { action: "cancel-dialog", onClick: () => dialog.close("no") }),
        button(confirm, {
          kind: danger ? "danger" : "primary",
          action: "confirm-dialog",
          onClick: () => dialog.close("yes"),
        }),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Says it to screen readers. The same text twice is said twice. */
export function announce(text) {
  const region = document.getElementById("announcer");
  region.textContent = "";
  window.setTimeout(() => {
    region.textContent = text;
  }, 50);
}
