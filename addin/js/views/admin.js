/** For administrators: everybody's settings on two levels, all accounts, the look of the pane. */

import { h, replace } from "../dom.js";
import { t } from "../i18n.js";
import { settingsForm } from "../settings-form.js";
import { titleLine } from "../shell.js";
import { entry } from "./settings.js";

const LEVELS = ["organisation", "system"];

async function renderMenu({ app, panel }) {
  replace(
    panel,
    titleLine(t("admin.title"), { back: () => app.shell.open("settings", {}, { focus: true }) }),
    h(
      "ul",
      { class: "card menu" },
      entry(app, "admin-settings", "settings", t("admin.settings"), t("admin.settings_hint")),
      entry(app, "admin-accounts", "people", t("admin.accounts"), t("admin.accounts_hint")),
      entry(app, "admin-look", "palette", t("admin.look"), t("admin.look_hint")),
    ),
  );
}

async function renderSettings({ app, panel, signal, params }) {
  const level = params.level ?? "organisation";
  const slot = h("div", { class: "stack" });
  await settingsForm({ app, slot, signal, level });
  replace(
    panel,
    titleLine(t("admin.settings"), { back: () => app.shell.open("admin", {}, { focus: true }) }),
    h(
      "div",
      { class: "filters", role: "group", "aria-label": t("admin.level") },
      LEVELS.map((each) =>
        h(
          "button",
          {
            type: "button",
            class: "filter",
            "aria-pressed": String(each === level),
            data: { action: `level-${each}` },
            on: { click: () => app.shell.open("admin-settings", { level: each }, { focus: true }) },
          },
          t(`admin.level.${each}`),
        ),
      ),
    ),
    h("p", { class: "hint" }, t(`admin.level.${level}.hint`)),
    slot,
  );
}

export const views = { admin: { render: renderMenu }, "admin-settings": { render: renderSettings } };
