/** Connecting OroCRM: address, way to sign in, check with plain findings, save. Secrets leave the page with the request. */

import { announce, bar, button, field, h, radioGroup, replace, uid } from "../dom.js";
import { dialogAnswer } from "../auth.js";
import { NotConnected } from "../errors.js";
import { t } from "../i18n.js";
import { findingsList, fingerprintText } from "../findings.js";
import { focusHeading, said, titleLine } from "../shell.js";

const WAYS = ["wsse", "client-credentials", "authorization-code", "password"];

async function render(context) {
  const { app, panel, signal, params } = context;
  const [options, present] = await Promise.all([
    app.api.call("connectionOptions", { signal }),
    params.first ? null : presentConnection(app, signal),
  ]);
  const form = {
    url: present?.orocrm_url ?? options.suggested_url ?? onlyHost(options.hosts),
    auth: present?.orocrm_auth ?? "wsse",
    user: present?.orocrm_user ?? "",
    secret: "",
    client_id: "",
    client_secret: "",
    certificate: present?.certificate ?? null,
  };
  const slots = { fields: h("div", { class: "stack" }), findings: h("div", { class: "stack" }), buttons: h("div", { class: "stack" }) };
  const state = { ...context, options, present, form, slots, errors: {} };
  const back = params.first ? () => app.showWelcome() : () => app.shell.open("account", {}, { focus: true });
  const node = h("form", { class: "stack", novalidate: true, autocomplete: "off" }, slots.fields, slots.findings, slots.buttons);
  node.addEventListener("submit", (event) => (event.preventDefault(), connect(state)));
  replace(panel, titleLine(t("connect.title"), { back }), h("p", { class: "hint" }, t("connect.intro")), node);
  draw(state);
}

function presentConnection(app, signal) {
  return app.api.call("connection", { signal }).catch((error) => {
    if (error instanceof NotConnected) return null;
    throw error;
  });
}

function onlyHost(hosts) {
  return hosts.length === 1 && !hosts[0].includes("*") ? `https://${hosts[0]}` : "";
}

function draw(state) {
  const { form, options, slots } = state;
  const ways = WAYS.filter(
    (way) => (way !== "authorization-code" || options.authorization_code) && (way !== "password" || form.auth === way),
  );
  replace(
    slots.fields,
    h(
      "div",
      { class: "card stack" },
      input(state, "url", { type: "url", label: t("connect.url"), hint: hostsHint(options.hosts), placeholder: "https://crm.example.com" }),
      radioGroup(
        t("connect.how"),
        "way",
        ways.map((way) => [way, t(`connect.way.${way}`), t(`connect.way.${way}.hint`)]),
        form.auth,
        (way) => {
          form.auth = way;
          draw(state);
          slots.fields.querySelector(`input[value="${way}"]`).focus();
        },
      ),
    ),
    credentials(state),
  );
  replace(slots.buttons, buttons(state));
}

function hostsHint(hosts) {
  return hosts.length ? t("connect.hosts", { hosts: hosts.join(", ") }) : null;
}

function credentials(state) {
  const { auth } = state.form;
  if (auth === "authorization-code") return null;
  const secret = { type: "password", autocomplete: "off" };
  const kept = keepsSecret(state) ? t("connect.keep_secret") : null;
  if (auth === "client-credentials") {
    return h(
      "div",
      { class: "card stack" },
      input(state, "user", { label: t("connect.client_id"), hint: t("connect.client_hint") }),
      input(state, "secret", { ...secret, label: t("connect.client_secret"), hint: kept }),
    );
  }
  const fields = [input(state, "user", { label: t("connect.user"), hint: t("connect.user_hint") })];
  if (auth === "wsse") fields.push(input(state, "secret", { ...secret, label: t("connect.key"), hint: kept ?? t("connect.key_hint") }));
  if (auth === "password") fields.push(input(state, "secret", { ...secret, label: t("connect.password"), hint: kept }));
  if (auth === "password") {
    fields.push(input(state, "client_id", { label: t("connect.client_id") }));
    fields.push(input(state, "client_secret", { ...secret, label: t("connect.client_secret") }));
  }
  return h("div", { class: "card stack" }, fields);
}

function input(state, name, { label, hint, ...props }) {
  const id = uid(name);
  const control = h("input", {
    type: "text",
    id,
    name,
    spellcheck: "false",
    autocapitalize: "none",
    autocomplete: "off",
    ...props,
    value: state.form[name],
    on: { input: (event) => (state.form[name] = event.currentTarget.value.trim()) },
  });
  return field(label, control, { hint, error: state.errors[name] });
}

function buttons(state) {
  const code = state.form.auth === "authorization-code";
  return [
    button(t(code ? "connect.sign_in_there" : "connect.save"), {
      kind: "primary",
      wide: true,
      action: "save-connection",
      symbol: "plug",
      type: "submit",
    }),
    code
      ? null
      : button(t("connect.check"), { wide: true, action: "check-connection", onClick: (event) => check(state, event.currentTarget) }),
  ];
}

/** A secret that is stored already stays when none is given. */
function keepsSecret({ present, form }) {
  return present !== null && present.orocrm_auth === form.auth;
}

/** The service's field names. */
function body({ form }, code) {
  const plain = { orocrm_url: form.url, orocrm_auth: form.auth, orocrm_user: form.user };
  if (form.certificate) plain.certificate = form.certificate;
  if (form.auth === "authorization-code") return { ...plain, code };
  if (form.auth !== "password") return { ...plain, secret: form.secret };
  return { ...plain, secret: form.secret, client_id: form.client_id, client_secret: form.client_secret };
}

function complete(state) {
  const { form } = state;
  const needed = {
    wsse: ["url", "user", "secret"],
    password: ["url", "user", "secret", "client_id"],
    "client-credentials": ["url", "user", "secret"],
    "authorization-code": ["url"],
  }[form.auth];
  const missing = needed.filter((name) => !form[name] && !(name === "secret" && keepsSecret(state)));
  state.errors = Object.fromEntries(missing.map((name) => [name, t("connect.needed")]));
  if (form.url && !/^https?:\/\/[^\s/]+/i.test(form.url)) state.errors.url = t("connect.bad_url");
  draw(state);
  const [first] = Object.keys(state.errors);
  if (first) state.panel.querySelector(`[name="${first}"]`).focus();
  return !first;
}

const FIELDS = { orocrm_url: "url", orocrm_user: "user", secret: "secret", client_id: "client_id", client_secret: "client_secret" };

/** True when the refusal names fields of this form. */
function markErrors(state, error) {
  const { errors, field: name, detail, remedy } = error.problem ?? {};
  const named = errors?.length ? errors : [{ field: name, message: [detail, remedy].filter(Boolean).join(" ") }];
  const known = named.filter((each) => FIELDS[each.field]);
  state.errors = Object.fromEntries(known.map((each) => [FIELDS[each.field], said(each.message)]));
  const [first] = Object.keys(state.errors);
  if (!first) return false;
  draw(state);
  state.panel.querySelector(`[name="${first}"]`)?.focus();
  return true;
}

async function check(state) {
  const { app, panel, signal } = state;
  if (!complete(state)) return;
  replace(state.slots.findings, h("p", { class: "hint", role: "status" }, t("connect.checking")));
  const control = panel.querySelector('[data-action="check-connection"]');
  const result = await app.shell.act(control, async () => {
    try {
      return await app.api.call("checkConnection", { body: body(state), signal });
    } catch (error) {
      if (!markErrors(state, error)) throw error;
      return undefined;
    }
  });
  if (result) showFindings(state, result);
  else state.slots.findings.replaceChildren();
}

function showFindings(state, { ok, findings }) {
  const { form, options, slots } = state;
  const onTrust = options.self_signed_allowed
    ? (fingerprint) => {
        form.certificate = fingerprint;
        if (fingerprint && form.auth !== "authorization-code") check(state);
      }
    : null;
  replace(
    slots.findings,
    h(
      "div",
      { class: "card stack", data: { part: "findings", ok: String(ok) } },
      h("h2", { class: "card-title", tabindex: "-1" }, t(ok ? "connect.all_good" : "connect.not_good")),
      findingsList(findings, { onTrust }),
      form.certificate ? pinned(state) : null,
    ),
  );
  focusHeading(slots.findings);
  announce(t(ok ? "connect.all_good" : "connect.not_good"));
}

function pinned(state) {
  return bar(
    "info",
    [h("p", null, t("connect.pinned")), h("code", { class: "fingerprint-code" }, fingerprintText(state.form.certificate))],
    {
      actions: [
        button(t("connect.unpin"), { small: true, action: "forget-certificate", onClick: () => ((state.form.certificate = null), check(state)) }),
      ],
    },
  );
}

async function connect(state) {
  const { app, panel, signal } = state;
  if (!complete(state)) return;
  state.slots.findings.replaceChildren();
  const control = panel.querySelector('[data-action="save-connection"]');
  const saved = await app.shell.act(control, async () => {
    const code = state.form.auth === "authorization-code" ? await signInThere(state) : undefined;
    try {
      return await app.api.call("saveConnection", { body: body(state, code), signal });
    } catch (error) {
      if (error.problem?.findings) showFindings(state, { ok: false, findings: error.problem.findings });
      else if (!markErrors(state, error)) throw error;
      return undefined;
    }
  });
  if (!saved) return;
  state.form.secret = "";
  state.form.client_secret = "";
  await app.enter();
}

async function signInThere({ app, form, signal }) {
  const body = { orocrm_url: form.url, certificate: form.certificate };
  const { start_url: start } = await app.api.call("authorizeConnection", { body, signal });
  const url = new URL(start, window.location.origin);
  if (url.origin !== window.location.origin) throw new Error("the sign-in window must begin on our own origin");
  const { code } = await dialogAnswer(app.outlook, url.href, "oro");
  return code;
}

export const views = { connect: { render } };
