/** Who is signed in and what is connected: check, change, compare everything again, disconnect, sign out. */

import { bar, button, confirmDialog, h, outLink, replace } from "../dom.js";
import { relative, t } from "../i18n.js";
import { findingsList, fingerprintText } from "../findings.js";
import { said, titleLine } from "../shell.js";

async function render({ app, panel, signal }) {
  const connection = await app.api.call("connection", { signal });
  const me = app.state.get("me");
  const findings = h("div");
  const open = (name, params) => () => app.shell.open(name, params, { focus: true });
  replace(
    panel,
    titleLine(t("account.title"), { back: open("settings") }),
    connection.state === "active" ? null : stateBar(connection),
    h(
      "div",
      { class: "card stack" },
      h(
        "dl",
        { class: "facts" },
        fact(t("account.signed_in"), [me.name, me.address && me.address !== me.name ? h("span", { class: "hint" }, me.address) : null]),
        fact(t("account.mailbox"), connection.mailbox),
        fact("OroCRM", outLink(connection.orocrm_url.replace(/^https?:\/\//, ""), connection.orocrm_url)),
        fact(t("account.oro_user"), connection.orocrm_user || "–"),
        fact(t("account.way"), t(`connect.way.${connection.orocrm_auth}`)),
        connection.certificate ? fact(t("account.certificate"), h("code", { class: "fingerprint-code" }, fingerprintText(connection.certificate))) : null,
      ),
      h(
        "div",
        { class: "button-row" },
        button(t("connect.check"), { small: true, action: "check-connection", onClick: (event) => check(app, event.currentTarget, findings, signal) }),
        button(t("account.change"), { small: true, action: "change-connection", onClick: open("connect") }),
      ),
      findings,
    ),
    h(
      "div",
      { class: "card stack" },
      h("h2", { class: "card-title" }, t("account.resync")),
      h("p", { class: "hint" }, t("account.resync_text")),
      button(t("account.resync_preview"), { action: "resync", onClick: (event) => resync(app, event.currentTarget, signal) }),
    ),
    h(
      "div",
      { class: "card stack" },
      h("h2", { class: "card-title" }, t("account.leave")),
      h("p", { class: "hint" }, t("account.disconnect_hint")),
      h(
        "div",
        { class: "button-row" },
        button(t("account.disconnect"), { kind: "danger-plain", action: "disconnect", onClick: (event) => disconnect(app, event.currentTarget) }),
        button(t("account.sign_out"), { action: "sign-out", onClick: () => app.signOut() }),
      ),
    ),
  );
}

function fact(name, value) {
  return [h("dt", null, name), h("dd", null, value)];
}

function stateBar(connection) {
  return bar("warning", [
    h("strong", null, t(connection.state === "disabled" ? "status.disabled" : "status.suspended")),
    h("p", null, said(connection.state_reason ?? "")),
    connection.state_since ? h("p", { class: "hint" }, t("problems.since", { when: relative(connection.state_since) })) : null,
  ]);
}

async function check(app, control, slot, signal) {
  replace(slot, h("p", { class: "hint", role: "status" }, t("connect.checking")));
  const result = await app.shell.act(control, () => app.api.call("checkConnection", { body: {}, signal }));
  replace(slot, result ? [h("h2", { class: "card-title" }, t(result.ok ? "connect.all_good" : "connect.not_good")), findingsList(result.findings)] : null);
}

async function resync(app, control, signal) {
  const run = await app.shell.act(control, () => app.api.call("startResync", { body: { preview: true }, signal }));
  if (run) await app.shell.open("run", { run: run.run, from: "account" }, { focus: true });
}

async function disconnect(app, control) {
  const sure = await confirmDialog({
    title: t("account.disconnect_title"),
    body: [h("p", null, t("account.disconnect_text")), h("p", null, t("account.disconnect_keeps"))],
    confirm: t("account.disconnect"),
    cancel: t("common.cancel"),
    danger: true,
  });
  if (!sure) return;
  await app.shell.act(control, async () => {
    await app.api.call("removeConnection");
    app.state.set({ status: null });
    app.outlook.alert(null);
    app.showWelcome();
  });
}

export const views = { account: { render } };
