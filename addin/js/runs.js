/** What views show of runs: progress while they last, counts, and what they did or would do. */

import { announce, bar, button, h, replace } from "./dom.js";
import { isOver } from "./api.js";
import { currentLanguage, list, t, tOr } from "./i18n.js";
import { icon } from "./icons.js";
import { said } from "./shell.js";
import { entityName, fieldName, valueNode } from "./values.js";

export const ENTITIES = ["contact", "task", "event"];
const SIDES = ["outlook", "oro"];
const KINDS = ["created", "updated", "deleted"];
const VERB_SYMBOLS = { create: "plus", update: "pencil", delete: "minus", stamp: "link", link: "link", leave: "info" };

export function isPreview(run) {
  return run.mode.endsWith("preview");
}

/** Writes of a run by kind: {created, updated, deleted, linked, conflicts, held, quarantined}. */
export function totals(run) {
  const sum = { created: 0, updated: 0, deleted: 0, linked: 0, conflicts: 0, held: 0, quarantined: 0 };
  for (const counts of Object.values(run.entities ?? {})) {
    for (const side of SIDES) for (const kind of KINDS) sum[kind] += counts[side]?.[kind] ?? 0;
    for (const kind of ["linked", "conflicts", "held", "quarantined"]) sum[kind] += counts[kind] ?? 0;
  }
  return sum;
}

/** "12 new, 3 changed" or "nothing to do". */
export function summary(run) {
  const sum = totals(run);
  const parts = ["created", "updated", "deleted", "linked", "conflicts", "quarantined"]
    .filter((kind) => sum[kind] > 0)
    .map((kind) => t(`count.${kind}`, { n: sum[kind] }));
  return parts.length ? list(parts) : t("count.nothing");
}

/** A progress bar that follows a run. `update(run)` moves it. */
export function progressOf(run, { onCancel } = {}) {
  const meter = h("progress", { class: "progress", "aria-label": t("status.progress") });
  const words = h("p", { class: "progress-words" });
  const cancel = onCancel
    ? button(t("status.cancel"), { kind: "subtle", small: true, symbol: "stop", action: "cancel-run", onClick: onCancel })
    : null;
  const node = h("div", { class: "progress-block", data: { run: run.run } }, meter, h("div", { class: "row" }, words, cancel));
  const update = (seen) => {
    const { what, done, total } = seen.progress ?? {};
    if (total > 0) {
      meter.max = total;
      meter.value = done;
    } else {
      meter.removeAttribute("value");
    }
    const step = seen.state === "waiting" ? t("progress.waiting") : what ? tOr([`progress.${what.replace(/ /g, "_")}`], what) : t("progress.running");
    words.textContent = total > 0 ? t("progress.of", { what: step, done, total }) : step;
    node.dataset.state = seen.state;
  };
  update(run);
  return { node, update };
}

/** Shows a run's progress in `slot` until it is over; announces the end. Resolves to the finished run. */
export async function watchRun({ app, run, slot, signal }) {
  const cancel = async (event) =>
    app.shell.act(event.currentTarget, () => app.api.call("cancelRun", { path: { run: run.run } }));
  const progress = progressOf(run, { onCancel: cancel });
  replace(slot, progress.node);
  if (isOver(run)) return run;
  const last = await app.api.follow(run.run, progress.update, signal);
  announce(t("status.finished", { what: tOr([`run.state.${last.state}`], last.state), result: summary(last) }));
  return last;
}

/** New, changed, deleted on both sides for one entity. */
export function countsCard(entity, counts) {
  return h(
    "div",
    { class: "card counts", data: { entity } },
    h("h2", { class: "card-title" }, icon(entity), t(`entity.${entity}.many`)),
    h(
      "table",
      { class: "grid" },
      h("caption", { class: "unseen" }, t("count.caption", { entity: t(`entity.${entity}.many`) })),
      h("thead", null, h("tr", null, h("td"), KINDS.map((kind) => h("th", { scope: "col" }, t(`count.head.${kind}`))))),
      h(
        "tbody",
        null,
        SIDES.map((side) =>
          h(
            "tr",
            null,
            h("th", { scope: "row" }, t(`side.in_${side}`)),
            KINDS.map((kind) => {
              const amount = counts[side]?.[kind] ?? 0;
              return h("td", { class: amount ? `amount amount-${kind}` : "amount amount-none" }, String(amount));
            }),
          ),
        ),
      ),
    ),
    extras(counts),
  );
}

function extras(counts) {
  const chips = ["linked", "unchanged", "conflicts", "held", "quarantined", "waiting"]
    .filter((kind) => counts[kind] > 0)
    .map((kind) => h("span", { class: `chip chip-${kind}` }, t(`count.${kind}`, { n: counts[kind] })));
  const left = Object.values(counts.left ?? {}).reduce((sum, each) => sum + each, 0);
  if (left) chips.push(h("span", { class: "chip" }, t("count.left", { n: left })));
  return chips.length ? h("div", { class: "chips" }, chips) : null;
}

export function countsOf(run) {
  const shown = ENTITIES.filter((entity) => run.entities?.[entity]);
  return shown.map((entity) => countsCard(entity, run.entities[entity]));
}

/** Why, in the person's language where the rule is known in it. */
function reasonOf(op) {
  const keys = (op.rule ?? "").split("+").map((rule) => `rule.${rule}`);
  const known = keys.map((key) => tOr([key], null));
  if (currentLanguage() !== "en" && known.every(Boolean)) return list([...new Set(known)]);
  return op.reason ? said(op.reason) : null;
}

/** One step, with the values it changes behind a disclosure. */
export function opRow(op) {
  const title = op.title || t("op.untitled", { entity: entityName(op.entity) });
  const head = [
    h("span", { class: `op-symbol op-${op.verb}` }, icon(VERB_SYMBOLS[op.verb] ?? "link")),
    h(
      "span",
      { class: "op-words" },
      h("span", { class: "op-title" }, title),
      h("span", { class: "op-what" }, tOr([`verb.${op.verb}.${op.side}`, `verb.${op.verb}`], op.verb)),
      h("span", { class: "op-reason" }, reasonOf(op)),
      op.mails ? h("span", { class: "op-mails" }, t("op.mails", { n: op.mails })) : null,
      op.undone ? h("span", { class: "chip" }, t("op.undone")) : null,
    ),
  ];
  const data = { verb: op.verb, entity: op.entity, side: op.side };
  if (!op.fields?.length) return h("li", { class: "op", data }, h("div", { class: "op-head" }, head));
  return h(
    "li",
    { class: "op", data },
    h("details", null, h("summary", { class: "op-head" }, head, icon("down", "icon op-arrow")), changesTable(op)),
  );
}

function changesTable(op) {
  const fresh = op.verb === "create";
  return h(
    "dl",
    { class: "changes" },
    op.fields.map(({ name, before, after }) => [
      h("dt", null, fieldName(op.entity, name)),
      h(
        "dd",
        null,
        fresh ? null : [h("span", { class: "unseen" }, t("op.before")), h("del", null, valueNode(before, name))],
        op.verb === "delete" ? null : [h("span", { class: "unseen" }, t("op.after")), h("ins", null, valueNode(after, name))],
      ),
    ]),
  );
}

const BOOKKEEPING = new Set(["stamp", "settle"]); // nothing a person would decide differently

/** All ops of a run, page by page, with a choice of entity. Throws what the first page throws. */
export async function opBrowser({ app, run, signal }) {
  const rows = h("ul", { class: "ops", data: { list: "ops" } });
  const more = button(t("common.more"), { kind: "subtle", wide: true, action: "more-ops", hidden: true });
  const quiet = h("p", { class: "hint", hidden: true }, t("op.none"));
  let entity = null;
  let cursor = null;
  const load = async (fresh) => {
    let shown = [];
    let from = fresh ? null : cursor;
    do {
      const query = { entity, cursor: from, limit: 100 };
      const page = await app.api.call("runOps", { path: { run: run.run }, query, signal });
      shown = page.items.filter((op) => !BOOKKEEPING.has(op.verb));
      from = page.next;
    } while (from && !shown.length);
    if (fresh) rows.replaceChildren();
    rows.append(...shown.map(opRow));
    cursor = from;
    more.hidden = !cursor;
    quiet.hidden = rows.childElementCount > 0;
  };
  more.addEventListener("click", () => app.shell.act(more, () => load(false)));
  const present = ENTITIES.filter((each) => run.entities?.[each]);
  const pick = (chosen) => (event) => {
    entity = chosen;
    for (const each of event.currentTarget.parentElement.children) {
      each.setAttribute("aria-pressed", String(each === event.currentTarget));
    }
    app.shell.act(event.currentTarget, () => load(true));
  };
  const filters =
    present.length > 1
      ? h(
          "div",
          { class: "filters", role: "group", "aria-label": t("op.filter") },
          [null, ...present].map((each) =>
            h(
              "button",
              {
                type: "button",
                class: "filter",
                "aria-pressed": String(each === null),
                data: { action: "filter-ops", entity: each ?? "all" },
                on: { click: pick(each) },
              },
              each ? t(`entity.${each}.many`) : t("common.all"),
            ),
          ),
        )
      : null;
  await load(true);
  return h("div", { class: "op-browser" }, filters, rows, quiet, more);
}

/** The limits that hold a plan. */
export function limitsOf(run) {
  if (!run.limits?.length) return null;
  return h("ul", { class: "limits" }, run.limits.map((limit) => h("li", null, said(limit))));
}

export function problemsOf(run) {
  if (!run.problems?.length) return null;
  return bar("warning", h("ul", { class: "limits" }, run.problems.map((problem) => h("li", null, said(problem)))));
}

/** Why a run did not end well; null when it did. */
export function endBar(run) {
  if (run.state === "done") return null;
  const tone = { failed: "danger", suspended: "warning", held: "warning", cancelled: "info" }[run.state] ?? "info";
  return bar(tone, [h("p", null, t(`run.explained.${run.state}`)), limitsOf(run)]);
}
