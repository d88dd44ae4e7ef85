/** One run: counts, every step with before and after, and undo with its own preview and confirmation. */

import { isOver } from "../api.js";
import { bar, button, h, replace } from "../dom.js";
import { duration, t, tOr, when } from "../i18n.js";
import { countsOf, endBar, isPreview, opBrowser, problemsOf, summary, totals, watchRun } from "../runs.js";
import { empty, focusHeading, named, said, titleLine } from "../shell.js";
import { entityName } from "../values.js";

async function render({ app, panel, signal, params }) {
  const run = await app.api.call("run", { path: { run: params.run }, signal });
  const back = () => app.shell.open(params.from ?? "activity", {}, { focus: true });
  const slot = h("div", { class: "stack" });
  replace(panel, titleLine(tOr([`run.mode.${run.mode}`], run.mode), { back }), slot);
  const context = { app, panel, slot, signal, params };
  if (isOver(run)) await show(context, run);
  else void follow(context, run);
}

async function follow(context, run) {
  const { app, slot, signal } = context;
  const place = h("div");
  replace(slot, h("div", { class: "card" }, place));
  await app.shell.act(null, async () => {
    const last = await watchRun({ app, run, slot: place, signal });
    await show(context, last);
  });
}

async function show(context, run) {
  const { app, slot, signal } = context;
  const browser = await opBrowser({ app, run, signal });
  const at = run.finished_at ?? run.requested_at;
  replace(
    slot,
    h("p", { class: "hint" }, t("run.facts", { when: when(at), time: duration(run.seconds ?? 0) })),
    h("p", { class: "lead" }, summary(run)),
    endBar(run),
    problemsOf(run),
    undoFacts(run),
    actions(context, run),
    countsOf(run),
    h("h2", { class: "section-title" }, t(isPreview(run) ? "run.would" : "run.changes")),
    browser,
  );
}

function undoFacts(run) {
  if (!run.undo) return null;
  const { taken_back: taken, left } = run.undo;
  const planned = isPreview(run);
  return h(
    "div",
    { class: "card", data: { part: "undo" } },
    h("p", null, t(planned ? "undo.would_take_back" : "undo.taken_back", { n: taken })),
    left?.length
      ? [
          h("p", null, t("undo.left", { n: left.length })),
          h("ul", { class: "limits" }, left.map((each) => h("li", null, h("strong", null, each.title || entityName(each.entity)), ": ", said(each.why)))),
        ]
      : null,
  );
}

function actions(context, run) {
  const sum = totals(run);
  const something = sum.created + sum.updated + sum.deleted + sum.linked > 0;
  if (["preview", "resync_preview"].includes(run.mode) && run.state === "done" && run.plan_hash && something) {
    return button(t("run.do_it"), {
      kind: "primary",
      wide: true,
      action: "carry-out",
      onClick: (event) => carryOut(context, event.currentTarget, run),
    });
  }
  if (!run.can_undo) return null;
  return button(t("undo.button"), {
    symbol: "undo",
    wide: true,
    action: "undo",
    onClick: (event) => previewUndo(context, event.currentTarget, run),
  });
}

async function carryOut(context, control, run) {
  const { app, signal } = context;
  const started = await app.shell.act(control, () => 
    app.api.call(run.mode === "preview" ? "startSync" : "startResync", { body: { approve: run.plan_hash }, signal }),
  );
  if (started) await app.shell.open("status", {}, { focus: true });
}

/** First what would be taken back, then the button that does it. */
async function previewUndo(context, control, run) {
  const { app, slot, signal } = context;
  const preview = await app.shell.act(control, () =>
    app.api.call("undoRun", { path: { run: run.run }, body: { preview: true }, signal }),
  );
  if (!preview) return;
  named("undo", "activity");
  const place = h("div");
  replace(slot, h("div", { class: "card stack" }, h("h2", { tabindex: "-1" }, t("undo.looking")), place));
  focusHeading(slot);
  await app.shell.act(null, async () => {
    const last = await watchRun({ app, run: preview, slot: place, signal });
    await showUndoPlan(context, run, last);
  });
}

async function showUndoPlan(context, run, preview) {
  const { app, slot, signal } = context;
  const cancel = () => app.shell.open("run", context.params, { focus: true });
  if (!["done", "held"].includes(preview.state)) {
    replace(slot, endBar(preview), problemsOf(preview), button(t("common.back"), { action: "cancel-undo", onClick: cancel }));
    return;
  }
  const browser = await opBrowser({ app, run: preview, signal });
  const taken = preview.undo?.taken_back ?? 0;
  replace(
    slot,
    h("h2", { tabindex: "-1" }, t("undo.confirm_title")),
    undoFacts(preview),
    taken ? bar("warning", h("p", null, t("undo.confirm_text"))) : null,
    h(
      "div",
      { class: "button-row" },
      taken
        ? button(t("undo.confirm", { n: taken }), {
            kind: "danger",
            action: "confirm-undo",
            onClick: (event) => undo(context, event.currentTarget, run),
          })
        : null,
      button(t("common.cancel"), { action: "cancel-undo", onClick: cancel }),
    ),
    h("h2", { class: "section-title" }, t("run.would")),
    browser,
  );
  focusHeading(slot);
}

async function undo(context, control, run) {
  const { app, panel, slot, signal } = context;
  const started = await app.shell.act(control, () =>
    app.api.call("undoRun", { path: { run: run.run }, body: { preview: false }, signal }),
  );
  if (!started) return;
  const place = h("div");
  replace(slot, h("div", { class: "card stack" }, h("h2", { tabindex: "-1" }, t("undo.running")), place));
  focusHeading(slot);
  await app.shell.act(null, async () => {
    const last = await watchRun({ app, run: started, slot: place, signal });
    await app.refreshStatus(signal);
    if (last.state !== "done") {
      replace(slot, endBar(last), problemsOf(last));
      return;
    }
    named("undone", "activity");
    replace(
      panel,
      empty("undo", t("undo.done"), t("undo.taken_back", { n: last.undo?.taken_back ?? last.written }), [
        undoFacts({ ...last, undo: last.undo?.left?.length ? last.undo : null }),
        button(t("undo.to_activity"), {
          kind: "primary",
          wide: true,
          action: "open-activity",
          onClick: () => app.shell.open("activity", {}, { focus: true }),
        }),
      ], "h1"),
    );
    focusHeading(panel);
  });
}

export const views = { run: { render } };
