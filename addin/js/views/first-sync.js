/** The first sync: preview, what would happen, and the button that lets it. Nothing is written before that. */

import { bar, button, h, replace } from "../dom.js";
import { relative, t } from "../i18n.js";
import { countsOf, endBar, opBrowser, problemsOf, summary, totals, watchRun } from "../runs.js";
import { AlreadyRunning } from "../errors.js";
import { empty, focusHeading, named, titleLine } from "../shell.js";

const FRESH_MS = 15 * 60_000;

async function render({ app, panel, signal }) {
  named("preview", "status");
  const newest = (await app.api.call("runs", { query: { limit: 1 }, signal })).items[0];
  const intro = h("p", null, t("first.intro"));
  const body = h("div", { class: "stack" });
  const later = button(t("first.later"), { kind: "subtle", wide: true, action: "later", onClick: () => app.shell.open("status", {}, { focus: true }) });
  replace(panel, titleLine(t("first.title")), intro, body, later);
  const context = { app, panel, body, signal, asides: [intro, later] };
  if (newest?.mode === "preview" && newest.state === "done" && Date.now() - Date.parse(newest.finished_at) < FRESH_MS) {
    await showPlan(context, newest);
  } else if (newest && ["waiting", "running"].includes(newest.state)) {
    void watch(context, newest);
  } else {
    showStart(context);
  }
}

function showStart(context) {
  replace(
    context.body,
    h(
      "div",
      { class: "card stack" },
      h("p", null, t("first.before")),
      button(t("first.preview"), {
        kind: "primary",
        wide: true,
        action: "start-preview",
        onClick: (event) => startPreview(context, event.currentTarget),
      }),
    ),
  );
}

async function startPreview(context, control) {
  const { app, signal } = context;
  const run = await app.shell.act(control, async () => {
    try {
      return await app.api.call("startSync", { body: { preview: true }, signal });
    } catch (error) {
      if (!(error instanceof AlreadyRunning) || !error.problem.run) throw error;
      const { run } = error.problem;
      return typeof run === "string" ? app.api.call("run", { path: { run }, signal }) : run;
    }
  });
  if (run) await watch(context, run);
}

async function watch(context, run) {
  const { app, body, signal } = context;
  const preview = run.mode === "preview";
  const slot = h("div");
  const heading = h("h2", { tabindex: "-1" }, t(preview ? "first.looking" : "first.running"));
  named(preview ? "preview" : "running", "status");
  for (const aside of context.asides) aside.hidden = !preview;
  replace(body, h("div", { class: "card stack" }, heading, preview ? h("p", { class: "hint" }, t("first.looking_hint")) : null, slot));
  heading.focus({ preventScroll: true });
  await app.shell.act(null, async () => {
    const last = await watchRun({ app, run, slot, signal });
    if (preview) await showPlan(context, last);
    else await showEnd(context, last);
  });
}

async function showPlan(context, run) {
  const { app, body, signal } = context;
  const again = button(t("first.again"), {
    kind: "subtle",
    small: true,
    symbol: "refresh",
    action: "start-preview",
    onClick: (event) => startPreview(context, event.currentTarget),
  });
  if (!["done", "held"].includes(run.state)) {
    replace(body, endBar(run), again);
    return;
  }
  const browser = await opBrowser({ app, run, signal });
  const sum = totals(run);
  const nothing = !(sum.created + sum.updated + sum.deleted + sum.linked);
  named(nothing ? "nothing-to-do" : "preview", "status");
  const start = button(t("first.start"), {
    kind: "primary",
    wide: true,
    action: "start-first-sync",
    onClick: (event) => startSync(context, event.currentTarget, run),
  });
  replace(
    body,
    h(
      "div",
      { class: "stack", data: { part: "plan" } },
      h("h2", { tabindex: "-1" }, nothing ? t("first.nothing") : t("first.would")),
      nothing ? null : h("p", { class: "lead" }, summary(run)),
      sum.deleted ? bar("warning", h("p", null, t("first.deletes", { n: sum.deleted }))) : bar("success", h("p", null, t("first.no_deletes"))),
      problemsOf(run),
      start,
      countsOf(run),
      h("div", { class: "row" }, h("h2", { class: "section-title" }, t("first.decisions")), again),
      h("p", { class: "hint" }, t("first.as_of", { when: relative(run.finished_at ?? run.requested_at) })),
      browser,
    ),
  );
  focusHeading(body);
}

async function startSync(context, control, preview) {
  const { app, signal } = context;
  const run = await app.shell.act(control, () =>
    app.api.call("startSync", {
      body: { approve: preview.plan_hash },
      headers: { "Idempotency-Key": `first-${preview.run}` },
      signal,
    }),
  );
  if (run) await watch(context, run);
}

async function showEnd(context, run) {
  const { app, panel, body } = context;
  const go = (name) => () => app.shell.open(name, {}, { focus: true });
  await app.refreshStatus(context.signal);
  if (run.state !== "done") {
    const held = run.state === "held";
    replace(
      body,
      endBar(run),
      problemsOf(run),
      held ? h("p", null, t("first.changed_since")) : null,
      button(t(held ? "first.again" : "common.retry"), {
        kind: "primary",
        wide: true,
        action: "start-preview",
        onClick: (event) => startPreview(context, event.currentTarget),
      }),
    );
    return;
  }
  named("first-sync-done", "status");
  replace(
    panel,
    empty("check", t("first.done"), summary(run), [
      button(t("first.to_status"), { kind: "primary", wide: true, action: "open-status", onClick: go("status") }),
      button(t("first.to_activity"), { kind: "subtle", wide: true, action: "see-run", onClick: () => app.shell.open("run", { run: run.run }, { focus: true }) }),
    ], "h1"),
  );
  focusHeading(panel);
}

export const views = { "first-sync": { render } };
