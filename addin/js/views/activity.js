/** The runs of this account, newest first. Runs that found nothing to do stay out of sight until they are asked for. */

import { button, h, replace, uid } from "../dom.js";
import { day, t, tOr, when } from "../i18n.js";
import { icon } from "../icons.js";
import { summary, totals } from "../runs.js";
import { empty, titleLine } from "../shell.js";

const PAGE = 50;
const ENOUGH = 12;
const MOST_PAGES = 6; // of quiet runs read in a row before the person is asked

const STATE_SYMBOLS = { done: "check", failed: "error", held: "warning", suspended: "warning", cancelled: "stop" };

async function render({ app, panel, signal }) {
  const rows = h("ul", { class: "runs card", data: { list: "runs" } });
  const quiet = h("div");
  const more = button(t("common.more"), { kind: "subtle", wide: true, action: "more-runs", hidden: true });
  let cursor = null;
  let all = false;
  let shown = "";

  const load = async (fresh) => {
    if (fresh) {
      rows.replaceChildren();
      cursor = null;
      shown = "";
    }
    let found = 0;
    for (let pages = 0; pages < MOST_PAGES && found < ENOUGH; pages += 1) {
      const page = await app.api.call("runs", { query: { cursor, limit: PAGE }, signal });
      for (const run of page.items.filter((each) => all || isTelling(each))) {
        const date = day((run.requested_at ?? "").slice(0, 10));
        if (date !== shown) rows.append(h("li", { class: "runs-day" }, h("h2", null, date)));
        shown = date;
        rows.append(row(app, run));
        found += 1;
      }
      cursor = page.next;
      if (!cursor) break;
    }
    more.hidden = !cursor;
    rows.hidden = !rows.childElementCount;
    replace(quiet, rows.childElementCount ? null : empty("activity", t("activity.empty"), t(all ? "activity.empty_text" : "activity.quiet_text")));
  };

  const toggle = h("input", {
    type: "checkbox",
    role: "switch",
    class: "switch",
    id: uid("quiet-runs"),
    data: { action: "show-quiet-runs" },
    on: {
      change: (event) => {
        all = event.currentTarget.checked;
        app.shell.act(null, () => load(true));
      },
    },
  });
  await load(true);
  panel.dataset.state = rows.childElementCount ? "ready" : "empty";
  more.addEventListener("click", () => app.shell.act(more, () => load(false)));
  replace(
    panel,
    titleLine(t("activity.title")),
    h("div", { class: "switch-line" }, h("label", { for: toggle.id }, t("activity.show_quiet")), toggle),
    quiet,
    rows,
    more,
  );
}

function isTelling(run) {
  const sum = totals(run);
  return run.state !== "done" || run.written > 0 || run.mode !== "sync" || sum.conflicts + sum.quarantined > 0;
}

function row(app, run) {
  const at = run.finished_at ?? run.started_at ?? run.requested_at;
  const words = run.state === "done" ? summary(run) : tOr([`run.state.${run.state}`], run.state);
  return h(
    "li",
    null,
    h(
      "button",
      {
        type: "button",
        class: "run-row",
        data: { action: "open-run", run: run.run, state: run.state },
        on: { click: () => app.shell.open("run", { run: run.run }, { focus: true }) },
      },
      h("span", { class: `run-symbol run-${run.state}` }, icon(STATE_SYMBOLS[run.state] ?? "status")),
      h(
        "span",
        { class: "run-words" },
        h("span", { class: "run-title" }, tOr([`run.mode.${run.mode}`], run.mode)),
        h("span", { class: "hint" }, words),
      ),
      h("span", { class: "run-time hint" }, when(at)),
      icon("forward", "icon run-arrow"),
    ),
  );
}

export const views = { activity: { render } };
