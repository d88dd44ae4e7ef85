/** The person's own settings, the way to their account, and for administrators the way to everybody's. */

import { h, replace } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { settingsForm } from "../settings-form.js";
import { titleLine } from "../shell.js";

async function render({ app, panel, signal }) {
  const me = app.state.get("me");
  const slot = h("div", { class: "stack" });
  await settingsForm({ app, slot, signal, level: "user" });
  replace(
    panel,
    titleLine(t("settings.title")),
    h(
      "ul",
      { class: "card menu" },
      entry(app, "account", "contact", t("account.title"), me.address || me.name),
      me.is_admin ? entry(app, "admin", "people", t("admin.title"), t("admin.hint")) : null,
    ),
    slot,
  );
}

/** One line of a menu of views. */
export function entry(app, view, symbol, title, hint, params = {}) {
  return h(
    "li",
    null,
    h(
      "button",
      {
        type: "button",
        class: "menu-row",
        data: { action: `open-${view}` },
        on: { click: () => app.shell.open(view, params, { focus: true }) },
      },
      icon(symbol),
      h("span", { class: "menu-words" }, h("strong", null, title), h("span", { class: "hint" }, hint)),
      icon("forward"),
    ),
  );
}

export const views = { settings: { render } };
