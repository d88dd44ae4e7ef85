/** The health of all accounts; an administrator may pause one or remove it. */

import { button, confirmDialog, h, replace } from "../dom.js";
import { relative, t, tOr } from "../i18n.js";
import { empty, notice, said, titleLine } from "../shell.js";

async function render({ app, panel, signal }) {
  const list = h("ul", { class: "stack", data: { list: "accounts" } });
  const more = button(t("common.more"), { kind: "subtle", wide: true, action: "more-accounts", hidden: true });
  let cursor = null;
  const load = async () => {
    const page = await app.api.call("adminAccounts", { query: { cursor }, signal });
    list.append(...page.items.map((each) => card(app, each)));
    cursor = page.next;
    more.hidden = !cursor;
  };
  await load();
  more.addEventListener("click", () => app.shell.act(more, load));
  panel.dataset.state = list.childElementCount ? "ready" : "empty";
  replace(
    panel,
    titleLine(t("admin.accounts"), { back: () => app.shell.open("admin", {}, { focus: true }) }),
    list.childElementCount ? list : empty("people", t("admin.no_accounts"), t("admin.no_accounts_text")),
    more,
  );
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
    account.reason ? h("p", null, said(account.reason)) : null,
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
