/** The first section: is everything in step, when was it looked, and the button that looks now. */

import { bar, button, h, replace } from "../dom.js";
import { NotFound } from "../errors.js";
import { relative, t, tOr, when } from "../i18n.js";
import { icon } from "../icons.js";
import { look } from "../look-html.js";
import { ENTITIES, endBar, isPreview, summary, watchRun } from "../runs.js";
import { named, said } from "../shell.js";

async function render(context) {
  const { app, panel, signal } = context;
  const status = await app.refreshStatus(signal);
  if (signal.aborted) return;
  const parts = {
    attention: h("div", { class: "stack", data: { part: "attention" } }),
    hero: h("div", { class: "card hero", data: { part: "hero" } }),
    entities: h("div", { class: "stack", data: { part: "entities" } }),
  };
  replace(
    panel,
    brand(app.state.get("look")),
    parts.attention,
    parts.hero,
    h("h2", { class: "section-title" }, t("status.entities")),
    parts.entities,
    look(app.state.get("look")?.html),
    footer(app),
  );
  const paint = (seen) => show(context, parts, seen);
  app.state.subscribe((changes) => changes.status && paint(changes.status), signal);
  const clock = setInterval(() => {
    paint(app.state.get("status"));
    if (isOverdue(app.state.get("status")) && !document.hidden) app.refreshStatus(signal).catch(() => {});
  }, 15_000);
  signal.addEventListener("abort", () => clearInterval(clock));
  paint(status);
}

/** The company's own head, where it has one; Outlook already shows the product's name. */
function brand(chosen) {
  const own = chosen?.logo || chosen?.welcome;
  if (!own) return h("h1", { class: "unseen", tabindex: "-1" }, t("tab.status"));
  return h(
    "div",
    { class: "brand" },
    chosen.logo && h("img", { class: "brand-logo", src: chosen.logo, alt: "" }),
    h("div", null, h("h1", { tabindex: "-1" }, chosen.name || "OroCRM"), chosen.welcome && h("p", null, chosen.welcome)),
  );
}

function footer(app) {
  const me = app.state.get("me");
  return h(
    "div",
    { class: "account-line" },
    h("span", null, me.name),
    button(t("account.title"), { kind: "subtle", small: true, action: "open-account", onClick: () => app.shell.open("account", {}, { focus: true }) }),
  );
}

function show(context, parts, status) {
  const { app, signal } = context;
  replace(parts.attention, attention(app, status));
  replace(parts.entities, h("ul", { class: "card entities" }, ENTITIES.map((entity) => entityRow(entity, status.entities[entity]))));
  if (status.running) {
    if (parts.following !== status.running.run) follow(context, parts, status.running);
    return;
  }
  if (parts.following) return;
  const calm = isCalm(status);
  if (!signal.aborted) named(calm ? "nothing-to-do" : "status", "status");
  const busy = parts.hero.contains(document.activeElement) && document.activeElement.dataset.action;
  replace(parts.hero, hero(context, parts, status, calm));
  if (busy) parts.hero.querySelector(`[data-action="${busy}"]`)?.focus({ preventScroll: true });
}

/** The next run should have been meanwhile: ask what came of it. */
function isOverdue({ next_run_at: next }) {
  return Boolean(next) && new Date(next).getTime() < Date.now();
}

/** Everything is in step and nothing waits for anybody. */
function isCalm(status) {
  const { last_run: last, state } = status;
  const waits = status.held || status.open_conflicts || status.quarantined || !["waiting", "running"].includes(state.state);
  return Boolean(status.first_sync_done && !waits && last && last.state === "done");
}

function headline(status, calm) {
  const words = {
    disabled: ["lock", t("status.disabled"), "warning"],
    suspended: ["warning", t("status.suspended"), "warning"],
    off: ["stop", t("status.off"), "warning"],
    throttled: ["info", t("status.throttled"), "info"],
    failing: ["error", t("status.failing"), "danger"],
  };
  const known = words[status.state.state];
  if (known) return known;
  if (!status.first_sync_done) return ["play", t("status.not_begun"), "info"];
  if (status.last_run && ["failed", "suspended"].includes(status.last_run.state)) {
    return ["error", t("status.last_failed"), "danger"];
  }
  if (calm) return ["check", t("status.calm"), "success"];
  return ["info", t("status.waiting"), "info"];
}

/** The last run, what holds things up and since when, and when it is looked again. */
function facts(status) {
  const { last_run: last, state, next_run_at: next, read_at: read } = status;
  const lines = [];
  if (last) {
    const at = last.finished_at ?? last.started_at ?? last.requested_at;
    lines.push(t("status.last_run", { when: relative(at), result: last.state === "done" ? summary(last) : tOr([`run.state.${last.state}`], last.state) }));
  }
  if (["failing", "throttled"].includes(state.state) && state.since) lines.push(t("problems.since", { when: when(state.since) }));
  if (state.state === "failing") lines.push(t("status.failing_text"));
  if (state.state === "off") lines.push(t("status.off_text"));
  if (state.until && state.state === "throttled") lines.push(t("status.goes_on", { when: relative(soonest(state.until)) }));
  else if (next && state.state === "failing") lines.push(t("problems.next_try", { when: relative(soonest(next)) }));
  else if (next && state.state !== "suspended") lines.push(t("status.next_run", { when: relative(soonest(next)) }));
  if (read.outlook && read.oro) lines.push(t("status.looked", { outlook: relative(read.outlook), oro: relative(read.oro) }));
  return lines;
}

/** What is overdue is due now. */
function soonest(iso) {
  return new Date(Math.max(new Date(iso).getTime(), Date.now())).toISOString();
}

function hero(context, parts, status, calm) {
  const { app } = context;
  const [symbol, title, tone] = headline(status, calm);
  const { last_run: last, state } = status;
  const start = (control, preview) => begin(context, parts, control, preview);
  const begun = status.first_sync_done;
  const suspended = status.account.state === "suspended";
  return [
    h(
      "div",
      { class: "hero-head", data: { condition: state.state } },
      h("span", { class: `hero-symbol hero-${tone}` }, icon(symbol)),
      h("div", null, h("h2", { class: "hero-title" }, title), facts(status).map((line) => h("p", { class: "hint" }, line))),
    ),
    last && last.state === "failed" ? endBar(last) : trouble(state),
    blocked(status.account),
    suspended
      ? button(t("problems.reconnect"), {
          kind: "primary",
          wide: true,
          action: "reconnect",
          onClick: () => app.shell.open("connect", {}, { focus: true }),
        })
      : begun
      ? h(
          "div",
          { class: "button-row" },
          button(t("status.sync_now"), {
            kind: "primary",
            symbol: "status",
            action: "sync-now",
            disabled: status.account.state === "disabled",
            onClick: (event) => start(event.currentTarget, false),
          }),
          button(t("status.preview"), {
            action: "preview",
            title: t("status.preview_hint"),
            disabled: status.account.state === "disabled",
            onClick: (event) => start(event.currentTarget, true),
          }),
        )
      : button(t("first.see_preview"), {
          kind: "primary",
          wide: true,
          action: "first-sync",
          onClick: () => app.shell.open("first-sync", {}, { focus: true }),
        }),
  ];
}

/** What went wrong before a run could even begin. */
function trouble({ state, reason }) {
  return state === "failing" && reason ? h("p", { data: { attention: "failing" } }, said(reason)) : null;
}

/** Why nothing runs, when that is so. */
function blocked(account) {
  if (account.state === "suspended") return account.reason ? h("p", { data: { attention: "suspended" } }, said(account.reason)) : null;
  if (account.state === "disabled") return h("p", { data: { attention: "disabled" } }, t("status.disabled_text"));
  return null;
}

async function begin(context, parts, control, preview) {
  const { app, signal } = context;
  const run = await app.shell.act(control, () =>
    app.api.call("startSync", { body: preview ? { preview: true } : {}, headers: { "Idempotency-Key": crypto.randomUUID() }, signal }),
  );
  if (run) await follow(context, parts, run);
}

/** The hero shows progress until the run is over, then what came of it. */
async function follow(context, parts, run) {
  const { app, signal } = context;
  parts.following = run.run;
  named("running", "status");
  const slot = h("div");
  const title = t(isPreview(run) ? "status.previewing" : "status.running");
  const keepFocus = parts.hero.contains(document.activeElement);
  replace(parts.hero, h("h2", { class: "hero-title", tabindex: "-1" }, title), slot);
  if (keepFocus) parts.hero.querySelector("h2").focus({ preventScroll: true });
  try {
    const last = await watchRun({ app, run, slot, signal });
    parts.following = null;
    if (isPreview(last) && last.state !== "cancelled") {
      await app.shell.open("run", { run: last.run, from: "status" }, { focus: true });
      return;
    }
    await app.refreshStatus(signal);
  } catch (error) {
    parts.following = null;
    if (signal.aborted) return;
    // one that nobody asked for and that found nothing to do is forgotten when it is over
    if (!(error instanceof NotFound)) await app.shell.act(null, () => Promise.reject(error));
    await app.refreshStatus(signal).catch(() => {});
  }
  if (keepFocus) parts.hero.querySelector("[data-action]")?.focus({ preventScroll: true });
}

/** What waits for the person, most urgent first. */
function attention(app, status) {
  const go = (name, params) => () => app.shell.open(name, params, { focus: true });
  const bars = [];
  if (status.held) {
    bars.push(
      bar("warning", h("p", null, t("status.held")), {
        actions: [button(t("status.look_at_it"), { small: true, action: "see-held", onClick: go("problems") })],
        class: "bar bar-warning bar-line",
        data: { attention: "held" },
      }),
    );
  }
  if (status.open_conflicts) {
    bars.push(
      bar("info", h("p", null, t("status.conflicts", { n: status.open_conflicts })), {
        actions: [button(t("status.decide"), { small: true, action: "see-conflicts", onClick: go("conflicts") })],
        class: "bar bar-info bar-line",
        data: { attention: "conflicts" },
      }),
    );
  }
  if (status.quarantined) {
    bars.push(
      bar("info", h("p", null, t("status.quarantined", { n: status.quarantined })), {
        actions: [button(t("status.look_at_it"), { small: true, action: "see-problems", onClick: go("problems") })],
        class: "bar bar-info bar-line",
        data: { attention: "quarantined" },
      }),
    );
  }
  return bars;
}

function entityRow(entity, facts) {
  const alone = [
    facts.only_outlook && t("status.only_outlook", { n: facts.only_outlook }),
    facts.only_oro && t("status.only_oro", { n: facts.only_oro }),
  ].filter(Boolean);
  return h(
    "li",
    { class: "entity-row", data: { entity } },
    h("span", { class: "entity-symbol" }, icon(entity)),
    h(
      "div",
      { class: "entity-words" },
      h("strong", null, t(`entity.${entity}.many`)),
      h("span", { class: "hint" }, facts.wanted ? (alone.join(" · ") || t("status.none_alone")) : t("status.not_wanted")),
    ),
    h(
      "div",
      { class: "entity-numbers" },
      facts.wanted || facts.linked ? h("span", { class: "entity-count" }, t("status.linked", { n: facts.linked })) : null,
      facts.last_run_at ? h("span", { class: "hint", title: when(facts.last_run_at) }, relative(facts.last_run_at)) : null,
    ),
  );
}

export const views = { status: { render } };
