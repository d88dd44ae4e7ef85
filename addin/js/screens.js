/** Full screens for when there is no view to show: no Outlook, no session, no connection, no answer. */

import { announce, button, h, replace } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { failure, focusHeading, named, said, wasUsed } from "./shell.js";

function show(name, { symbol, picture, title, body, actions = [], focus = true }) {
  named(name);
  const node = h(
    "div",
    { class: "screen", data: { screen: name } },
    picture && h("img", { class: "mark", src: picture, alt: "" }),
    symbol && h("span", { class: "screen-symbol" }, icon(symbol)),
    h("h1", { tabindex: "-1" }, title ?? t(`screen.${key(name)}.title`)),
    h("div", { class: "screen-text" }, body ?? h("p", null, t(`screen.${key(name)}.text`))),
    actions,
  );
  replace(document.getElementById("content"), node);
  if (focus) focusHeading(node);
  announce(node.querySelector("h1").textContent);
  return node;
}

const MARK = "assets/icon.svg";
const key = (name) => name.replace(/-/g, "_");

export function showLoading(text = t("common.loading")) {
  named("loading");
  replace(
    document.getElementById("content"),
    h(
      "div",
      { class: "screen screen-loading" },
      h("span", { class: "spinner", "aria-hidden": "true" }),
      h("h1", { class: "screen-quiet" }, text),
    ),
  );
}

export function showNoOffice() {
  show("no-office", { symbol: "crm" });
}

export function showOfficeUnreachable(retry) {
  show("office-unreachable", {
    symbol: "offline",
    actions: [button(t("common.retry"), { kind: "primary", symbol: "refresh", action: "retry", onClick: retry })],
  });
}

/** error: Offline or anything else; named "offline" or "server-error". */
export function showFailed(error, name, retry) {
  named(name);
  const node = replace(document.getElementById("content"), failure(error, retry));
  focusHeading(node);
  announce(node.querySelector("h1").textContent);
}

/** What the product does, in four lines: shown before anybody signs in, and before anything is connected. */
export function promises() {
  const lines = [
    ["link", "welcome.sync"],
    ["lock", "welcome.private"],
    ["activity", "welcome.preview"],
    ["undo", "welcome.undo"],
  ];
  return h(
    "ul",
    { class: "promises" },
    lines.map(([symbol, text]) => h("li", null, icon(symbol), h("span", null, t(text)))),
  );
}

/** people: the demonstration's, or null. onSignIn gets the button and the person's id. */
export function showNotSignedIn({ people, onSignIn, again = false }) {
  const choices = people
    ? h(
        "div",
        { class: "people" },
        h("p", { class: "hint" }, t("signin.demo")),
        people.map((person) =>
          h(
            "button",
            {
              type: "button",
              class: "person",
              data: { action: "sign-in", person: person.id },
              on: { click: (event) => onSignIn(event.currentTarget, person.id) },
            },
            h("span", { class: "avatar", "aria-hidden": "true" }, initials(person.name)),
            h("span", null, h("strong", null, person.name), h("span", { class: "hint" }, person.address)),
          ),
        ),
      )
    : button(t("signin.button"), {
        kind: "primary",
        wide: true,
        action: "sign-in",
        onClick: (event) => onSignIn(event.currentTarget),
      });
  show("not-signed-in", {
    picture: MARK,
    title: t(again ? "screen.signed_out.title" : "screen.not_signed_in.title"),
    body: [h("p", null, t(again ? "screen.signed_out.text" : "screen.not_signed_in.text")), again ? null : promises()],
    actions: [choices],
    focus: again || wasUsed(),
  });
}

export function showConsentMissing({ error, onConsent, onSignOut }) {
  show("consent-missing", {
    symbol: "lock",
    body: [
      h("p", null, t("screen.consent_missing.text")),
      h("p", null, t("screen.consent_missing.admin")),
      error.detail ? h("details", null, h("summary", null, t("common.details")), h("p", null, said(error.detail))) : null,
    ],
    actions: [
      button(t("screen.consent_missing.button"), {
        kind: "primary",
        wide: true,
        action: "give-consent",
        onClick: (event) => onConsent(event.currentTarget),
      }),
      button(t("account.sign_out"), { kind: "subtle", action: "sign-out", onClick: onSignOut }),
    ],
  });
}

/** look: the company's name, logo and welcome text. */
export function showNotConnected({ look, name, onConnect, onSignOut }) {
  show("not-connected", {
    picture: look?.logo || MARK,
    title: t("screen.not_connected.title", { name: look?.name || "OroCRM" }),
    body: [
      look?.welcome ? h("p", { class: "preserve" }, look.welcome) : h("p", null, t("screen.not_connected.text", { name })),
      h("h2", { class: "screen-subtitle" }, t("welcome.what")),
      scopeTable(),
      promises(),
    ],
    actions: [
      button(t("screen.not_connected.button"), {
        kind: "primary",
        wide: true,
        symbol: "plug",
        action: "connect",
        onClick: onConnect,
      }),
      button(t("account.sign_out"), { kind: "subtle", action: "sign-out", onClick: onSignOut }),
    ],
    focus: wasUsed(),
  });
}

/** What is read and what is written, side by side. */
function scopeTable() {
  const rows = ["contact", "task", "event"];
  return h(
    "ul",
    { class: "scope" },
    rows.map((entity) =>
      h(
        "li",
        null,
        icon(entity),
        h("div", null, h("strong", null, t(`entity.${entity}.many`)), h("span", { class: "hint" }, t(`welcome.${entity}`))),
      ),
    ),
  );
}

export function initials(name) {
  const words = String(name ?? "").split(/[\s@.]+/).filter(Boolean);
  return words.slice(0, 2).map((word) => word[0].toUpperCase()).join("") || "?";
}
