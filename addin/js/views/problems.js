/** What waits or failed, in plain words: a suspended account, a held plan, records that fail by themselves. */

import { bar, button, h, replace } from "../dom.js";
import { relative, t, when } from "../i18n.js";
import { icon } from "../icons.js";
import { limitsOf, opBrowser, summary } from "../runs.js";
import { empty, notice, said, titleLine } from "../shell.js";

async function render(context) {
  const { app, panel, signal } = context;
  const status = await app.refreshStatus(signal);
  const page = await app.api.call("quarantine", { signal });
  const suspended = status.account.state === "suspended";
  const failed = status.last_run?.state === "failed" ? status.last_run : null;
  const troubled = ["failing", "throttled"].includes(status.state.state);
  const any = suspended || status.held || failed || troubled || page.items.length;
  panel.dataset.state = any ? "ready" : "empty";
  replace(
    panel,
    titleLine(t("problems.title")),
    suspended ? suspension(app, status.account) : null,
    troubled ? trouble(app, status.state) : null,
    failed && !troubled ? failure(app, failed) : null,
    status.held ? heldPlan(context, status.held) : null,
    page.items.length ? quarantine(context, page) : null,
    any ? null : empty("check", t("problems.empty"), t("problems.empty_text")),
  );
}

function suspension(app, account) {
  return bar(
    "warning",
    [
      h("strong", null, t("status.suspended")),
      h("p", null, said(account.reason ?? "")),
      account.since ? h("p", { class: "hint" }, t("problems.since", { when: relative(account.since) })) : null,
    ],
    {
      actions: [
        button(t("problems.reconnect"), { small: true, action: "reconnect", onClick: () => app.shell.open("connect", {}, { focus: true }) }),
        button(t("connect.check"), { small: true, action: "open-account", onClick: () => app.shell.open("account", {}, { focus: true }) }),
      ],
      data: { problem: "suspended" },
    },
  );
}

/** Runs fail by themselves, or were asked to wait: what is wrong, since when, and when it is tried again. */
function trouble(app, { state, reason, since, until }) {
  const failing = state === "failing";
  return bar(
    failing ? "danger" : "info",
    [
      h("strong", null, t(failing ? "status.failing" : "status.throttled")),
      h("p", null, said(reason)),
      failing ? h("p", null, t("status.failing_text")) : null,
      since ? h("p", { class: "hint" }, t("problems.since", { when: when(since) })) : null,
      until ? h("p", { class: "hint" }, t(failing ? "problems.next_try" : "status.goes_on", { when: relative(until) })) : null,
    ],
    {
      actions: failing
        ? [button(t("connect.check"), { small: true, action: "open-account", onClick: () => app.shell.open("account", {}, { focus: true }) })]
        : [],
      data: { problem: state },
    },
  );
}

function failure(app, run) {
  return bar(
    "danger",
    [h("strong", null, t("status.last_failed")), (run.problems ?? []).map((problem) => h("p", null, said(problem)))],
    {
      actions: [button(t("problems.see_run"), { small: true, action: "open-run", onClick: () => app.shell.open("run", { run: run.run, from: "problems" }, { focus: true }) })],
      data: { problem: "failed" },
    },
  );
}

function heldPlan(context, run) {
  const { app, signal } = context;
  const place = h("div");
  const see = button(t("problems.see_plan"), {
    action: "see-plan",
    "aria-expanded": "false",
    onClick: (event) => {
      const control = event.currentTarget;
      app.shell.act(control, async () => {
        replace(place, await opBrowser({ app, run, signal }));
        control.setAttribute("aria-expanded", "true");
      });
    },
  });
  const approve = (event) =>
    app.shell.act(event.currentTarget, async () => {
      await app.api.call("approveRun", { path: { run: run.run }, body: { plan_hash: run.plan_hash } });
      await app.shell.open("status", {}, { focus: true });
    });
  return h(
    "section",
    { class: "card held", data: { problem: "held", run: run.run }, "aria-labelledby": "held-title" },
    h("h2", { class: "card-title", id: "held-title" }, icon("warning"), t("problems.held_title")),
    h("p", null, t("problems.held_text")),
    limitsOf(run),
    h("p", { class: "lead" }, summary(run)),
    h(
      "div",
      { class: "button-row" },
      button(t("problems.approve"), { kind: "primary", action: "approve", onClick: approve }),
      see,
    ),
    h("p", { class: "hint" }, t("problems.held_else")),
    place,
  );
}

function quarantine(context, first) {
  const { app, signal } = context;
  const list = h("ul", { class: "stack", data: { list: "quarantine" } }, first.items.map((each) => row(context, each)));
  const more = button(t("common.more"), { kind: "subtle", wide: true, action: "more-problems", hidden: !first.next });
  let { next } = first;
  more.addEventListener("click", () =>
    app.shell.act(more, async () => {
      const page = await app.api.call("quarantine", { query: { cursor: next }, signal });
      list.append(...page.items.map((each) => row(context, each)));
      next = page.next;
      more.hidden = !next;
    }),
  );
  const retryAll = (event) =>
    app.shell.act(event.currentTarget, async () => {
      const { retried } = await app.api.call("retryAllQuarantined");
      notice("success", h("p", null, t("problems.retried", { n: retried })));
      app.shell.current() === "problems" && (await app.refreshStatus());
    });
  return h(
    "section",
    { class: "stack", data: { problem: "quarantine" }, "aria-labelledby": "quarantine-title" },
    h(
      "div",
      { class: "row" },
      h("h2", { class: "section-title", id: "quarantine-title" }, t("problems.quarantine_title")),
      button(t("problems.retry_all"), { small: true, symbol: "refresh", action: "retry-all", onClick: retryAll }),
    ),
    h("p", { class: "hint" }, t("problems.quarantine_text")),
    list,
    more,
  );
}

function row({ app, signal }, record) {
  const place = h("div");
  const retry = (event) =>
    app.shell.act(event.currentTarget, async () => {
      await app.api.call("retryQuarantined", { path: { id: record.id } });
      notice("success", h("p", null, t("problems.retried", { n: 1 })));
    });
  const why = (event) => {
    const control = event.currentTarget;
    app.shell.act(control, async () => {
      const query = { entity: record.entity };
      const path = { side: record.side, id: record.record_id };
      const { found } = await app.api.call("explanation", { path, query, signal });
      control.setAttribute("aria-expanded", "true");
      replace(place, h("ul", { class: "limits" }, Object.values(found).flat().map((line) => h("li", null, said(line)))));
    });
  };
  return h(
    "li",
    { class: "card problem", data: { quarantined: record.id } },
    h("h3", { class: "card-title" }, icon(record.entity), h("span", null, record.title || t("op.untitled", { entity: t(`entity.${record.entity}.one`) }))),
    h("p", null, said(record.message)),
    h(
      "p",
      { class: "hint" },
      t("problems.attempts", { n: record.attempts, side: t(`side.in_${record.side}`), when: relative(record.first_at) }),
      record.next_try ? ` ${t("problems.next_try", { when: relative(record.next_try) })}` : "",
    ),
    h(
      "div",
      { class: "button-row" },
      button(t("common.retry"), { small: true, symbol: "refresh", action: "retry-record", onClick: retry }),
      button(t("problems.why"), { kind: "subtle", small: true, action: "explain", "aria-expanded": "false", onClick: why }),
    ),
    place,
  );
}

export const views = { problems: { render } };
