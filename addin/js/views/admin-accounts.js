/** The health of all accounts; an administrator may pause one or remove it. */

import { announce, button, confirmDialog, field, h, replace } from "../dom.js";
import { relative, t, tOr, when } from "../i18n.js";
import { empty, notice, said, titleLine } from "../shell.js";

const STATES = ["not_started", "off", "waiting", "running", "held", "throttled", "failing", "suspended", "disabled"];

async function render({ app, panel, signal }) {
  const list = h("ul", { class: "stack", data: { list: "accounts" } });
  const more = button(t("common.more"), { kind: "subtle", wide: true, action: "more-accounts", hidden: true });
  const none = h("p", { class: "hint", hidden: true, data: { part: "none" } }, t("admin.none_in_state"));
  let cursor = null;
  let wanted = null;
  const load = async () => {
    const page = await app.api.call("adminAccounts", { query: { cursor, state: wanted }, signal });
    list.append(...page.items.map((each) => card(app, each)));
    cursor = page.next;
    more.hidden = !cursor;
  };
  await load();
  more.addEventListener("click", () => app.shell.act(more, load));
  const choose = (chosen) =>
    app.shell.act(null, async () => {
      [wanted, cursor] = [chosen || null, null];
      list.replaceChildren();
      await load();
      none.hidden = list.childElementCount > 0;
      if (!none.hidden) announce(none.textContent);
    });
  const any = list.childElementCount > 0;
  panel.dataset.state = any ? "ready" : "empty";
  replace(
    panel,
    titleLine(t("admin.accounts"), { back: () => app.shell.open("admin", {}, { focus: true }) }),
    any ? [filter(choose), list, none] : empty("people", t("admin.no_accounts"), t("admin.no_accounts_text")),
    more,
  );
}

function filter(choose) {
  const options = [
    h("option", { value: "" }, t("admin.filter_all")),
    STATES.map((state) => h("option", { value: state }, t(`admin.state.${state}`))),
  ];
  const control = h("select", { id: "state-filter", data: { action: "filter-accounts" }, on: { change: (event) => choose(event.currentTarget.value) } }, options);
  return field(t("admin.filter"), control);
}

function card(app, account) {
  const node = h("li", { class: "card stack", data: { account: account.id } });
  draw(app, node, account);
  return node;
}

function draw(app, node, account) {
  const last = account.last_run;
  node.dataset.state = account.state;
  const numbers = [
    t("status.linked", { n: account.linked }),
    account.open_conflicts && t("status.conflicts", { n: account.open_conflicts }),
    account.quarantined && t("status.quarantined", { n: account.quarantined }),
  ].filter(Boolean);
  replace(
    node,
    h(
      "div",
      { class: "row" },
      h("h2", { class: "card-title" }, account.name || account.mailbox),
      h("span", { class: `chip chip-${account.state}` }, tOr([`admin.state.${account.state}`], account.state)),
    ),
    h("p", { class: "hint wrap" }, `${account.mailbox} → ${account.orocrm_user} @ ${account.orocrm_url.replace(/^https?:\/\//, "")}`),
    ["not_started", "off", "held"].includes(account.state) || !account.reason ? null : h("p", null, said(account.reason)),
    account.since && account.state !== "waiting" ? h("p", { class: "hint" }, t("problems.since", { when: when(account.since) })) : null,
    account.until ? h("p", { class: "hint" }, until(account)) : null,
    h("p", { class: "hint" }, numbers.join(" · ")),
    last ? h("p", { class: "hint" }, t("admin.last_run", { what: tOr([`run.state.${last.state}`], last.state), when: relative(last.finished_at ?? last.requested_at) })) : null,
    h(
      "div",
      { class: "button-row" },
      account.state === "disabled"
        ? button(t("admin.enable"), { small: true, action: "enable-account", onClick: (event) => change(app, node, event.currentTarget, account, { state: "active" }) })
        : button(t("admin.disable"), { small: true, action: "disable-account", onClick: (event) => change(app, node, event.currentTarget, account, { state: "disabled", reason: t("admin.disabled_reason") }) }),
      button(t("admin.remove"), { kind: "danger-plain", small: true, action: "remove-account", onClick: (event) => remove(app, node, event.currentTarget, account) }),
    ),
  );
}

function until({ state, until: at }) {
  const words = { waiting: "status.next_run", throttled: "status.goes_on" }[state] ?? "problems.next_try";
  return t(words, { when: relative(at) });
}

async function change(app, node, control, account, body) {
  const changed = await app.shell.act(control, () => app.api.call("changeAccount", { path: { id: account.id }, body }));
  if (!changed) return;
  draw(app, node, { ...account, ...changed });
  node.querySelector("button").focus();
}

async function remove(app, node, control, account) {
  const sure = await confirmDialog({
    title: t("admin.remove_title", { name: account.name || account.mailbox }),
    body: h("p", null, t("admin.remove_text")),
    confirm: t("admin.remove"),
    cancel: t("common.cancel"),
    danger: true,
  });
  if (!sure) return;
  await app.shell.act(control, async () => {
    await app.api.call("removeAccount", { path: { id: account.id } });
    const next = node.nextElementSibling ?? node.previousElementSibling;
    node.remove();
    (next?.querySelector("button") ?? document.querySelector("h1")).focus();
    notice("success", h("p", null, t("admin.removed")));
  });
}

export const views = { "admin-accounts": { render } };
