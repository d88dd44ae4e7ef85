/** Fields that were changed differently on both sides: both values side by side, one choice each, or one for all. */

import { announce, button, confirmDialog, h, replace, uid } from "../dom.js";
import { t, when } from "../i18n.js";
import { icon } from "../icons.js";
import { empty, notice, titleLine } from "../shell.js";
import { fieldName, linesOf, valueNode } from "../values.js";

const SIDES = ["outlook", "oro"];

async function render(context) {
  const { app, panel, signal } = context;
  const list = h("ul", { class: "stack", data: { list: "conflicts" } });
  const intro = h("p", { class: "hint" }, t("conflicts.intro"));
  const head = h("div", { class: "stack" });
  const more = button(t("common.more"), { kind: "subtle", wide: true, action: "more-conflicts", hidden: true });
  const state = { cursor: null, settled: false };

  const load = async (fresh) => {
    const query = { state: state.settled ? "all" : "open", cursor: fresh ? null : state.cursor };
    const page = await app.api.call("conflicts", { query, signal });
    if (fresh) list.replaceChildren();
    list.append(...page.items.map((each) => card(app, each)));
    state.cursor = page.next;
    more.hidden = !page.next;
    const open = page.items.some((each) => !each.choice);
    if (fresh) replace(head, open ? takeAll(app, load) : null, list.childElementCount ? null : nothing());
    intro.hidden = !list.childElementCount;
    panel.dataset.state = list.childElementCount ? "ready" : "empty";
  };
  const toggle = h("input", {
    type: "checkbox",
    role: "switch",
    class: "switch",
    id: uid("settled"),
    data: { action: "show-settled" },
    on: { change: (event) => ((state.settled = event.currentTarget.checked), app.shell.act(null, () => load(true))) },
  });
  more.addEventListener("click", () => app.shell.act(more, () => load(false)));
  await load(true);
  replace(
    panel,
    titleLine(t("conflicts.title")),
    intro,
    head,
    list,
    more,
    h("div", { class: "switch-line" }, h("label", { for: toggle.id }, t("conflicts.show_settled")), toggle),
  );
}

function nothing() {
  return empty("check", t("conflicts.empty"), t("conflicts.empty_text"));
}

function takeAll(app, reload) {
  const take = async (control, side) => {
    const name = t(`side.${side}`);
    const sure = await confirmDialog({
      title: t("conflicts.all_title", { side: name }),
      body: h("p", null, t("conflicts.all_text", { side: name })),
      confirm: t("conflicts.take", { side: name }),
      cancel: t("common.cancel"),
    });
    if (!sure) return;
    await app.shell.act(control, async () => {
      const { resolved } = await app.api.call("resolveAllConflicts", { body: { take: side } });
      await reload(true);
      notice("success", h("p", null, t("conflicts.all_done", { n: resolved })), [syncNow(app)]);
      app.refreshStatus().catch(() => {});
    });
  };
  return h(
    "div",
    { class: "card stack", role: "group", "aria-label": t("conflicts.all") },
    h("strong", null, t("conflicts.all")),
    h(
      "div",
      { class: "button-row" },
      SIDES.map((side) =>
        button(t(`side.${side}`), { action: `take-all-${side}`, onClick: (event) => take(event.currentTarget, side) }),
      ),
    ),
  );
}

function syncNow(app) {
  return button(t("status.sync_now"), {
    small: true,
    action: "sync-now",
    onClick: (event) =>
      app.shell.act(event.currentTarget, async () => {
        await app.api.call("startSync", { body: {} });
        await app.shell.open("status", {}, { focus: true });
      }),
  });
}

function card(app, conflict) {
  const node = h("li", { class: "card conflict", data: { conflict: conflict.id } });
  draw(app, node, conflict);
  return node;
}

function draw(app, node, conflict) {
  const id = uid("conflict");
  const names = Object.keys({ ...conflict.base, ...conflict.outlook, ...conflict.oro });
  const single = names.length === 1;
  const title = conflict.title || t("op.untitled", { entity: t(`entity.${conflict.entity}.one`) });
  node.setAttribute("aria-labelledby", id);
  node.dataset.choice = conflict.choice ?? "";
  replace(
    node,
    h("h2", { class: "card-title", id }, icon(conflict.entity), h("span", null, title)),
    h("p", { class: "hint" }, t("conflicts.field", { field: fieldName(conflict.entity, conflict.field), when: when(conflict.at) })),
    h(
      "div",
      { class: "versus", role: "group", "aria-label": t("conflicts.choose", { field: fieldName(conflict.entity, conflict.field) }) },
      SIDES.map((side) => choice(app, node, conflict, side, names, single)),
    ),
    base(conflict, names),
    conflict.choice
      ? h("p", { class: "settled" }, icon("check"), h("span", null, t(conflict.waiting_for_run ? "conflicts.waits" : "conflicts.settled", { side: t(`side.${conflict.choice}`) })))
      : null,
  );
}

function choice(app, node, conflict, side, names, single) {
  const chosen = conflict.choice === side;
  const other = SIDES.find((each) => each !== side);
  const take = (event) =>
    app.shell.act(event.currentTarget, async () => {
      const settled = await app.api.call("resolveConflict", { path: { id: conflict.id }, body: { take: side } });
      draw(app, node, settled);
      node.querySelector(`[data-action="take-${side}"]`)?.focus({ preventScroll: true });
      announce(t("conflicts.taken", { side: t(`side.${side}`) }));
      app.refreshStatus().catch(() => {});
    });
  return h(
    "button",
    {
      type: "button",
      class: "side-choice",
      "aria-pressed": String(chosen),
      data: { action: `take-${side}`, side },
      on: { click: take },
    },
    h("span", { class: "side-name" }, t(`side.${side}`), chosen ? icon("check") : null),
    names.map((name) => {
      const same = String(linesOf(conflict[side]?.[name])) === String(linesOf(conflict[other]?.[name]));
      return h(
        "span",
        { class: same ? "side-value side-same" : "side-value" },
        single ? null : h("span", { class: "side-field" }, fieldName(conflict.entity, name)),
        valueNode(conflict[side]?.[name], name),
      );
    }),
  );
}

function base(conflict, names) {
  if (!names.some((name) => linesOf(conflict.base?.[name]).length)) return null;
  return h(
    "p",
    { class: "hint" },
    `${t("conflicts.base")} `,
    names
      .filter((name) => linesOf(conflict.base?.[name]).length)
      .map((name) => [names.length > 1 ? `${fieldName(conflict.entity, name)} ` : "", linesOf(conflict.base[name], name).join(", ")].join(""))
      .join(" · "),
  );
}

export const views = { conflicts: { render } };
