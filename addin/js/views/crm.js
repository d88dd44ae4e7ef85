/**
 * OroCRM beside the open mail: who of its people is known there, what belongs to them, and a quick way to add what is
 * missing. Addresses are looked up only while this section is open. Follows the selection while the pane is pinned.
 */

import { bar, button, field, h, iconButton, outLink, radioGroup, replace, uid } from "../dom.js";
import { Refused } from "../errors.js";
import { clockTime, day, list, number, t } from "../i18n.js";
import { icon } from "../icons.js";
import { initials } from "../screens.js";
import { empty, named, notice, said, titleLine } from "../shell.js";

const MOST_PEOPLE = 20;
const GROUPS = ["opportunity", "lead", "case", "task", "event"];

async function render(context) {
  const { app, panel, signal } = context;
  const body = h("div", { class: "stack" });
  const refresh = iconButton(t("crm.refresh"), "refresh", { action: "refresh-crm", onClick: () => update(true) });
  replace(panel, titleLine(t("crm.title"), { right: refresh }), body);
  const found = new Map(); // addresses -> answer, while this view is open
  let asked = 0;

  async function update(again = false) {
    asked += 1;
    const mine = asked;
    const item = app.state.get("item");
    const people = peopleOf(item, app.state.get("me").address);
    refresh.hidden = !people.length;
    if (!people.length) {
      noPeople(panel, body, item);
      return;
    }
    const key = people.map((person) => person.address.toLowerCase()).join(" ");
    if (again) found.delete(key);
    if (!found.has(key)) {
      replace(body, h("div", { class: "skeleton", role: "status", "aria-label": t("crm.looking") }, h("span"), h("span"), h("span")));
      const query = { address: people.map((person) => person.address) };
      const answer = await app.api.call("context", { query, signal });
      found.set(key, answer);
    }
    if (mine !== asked || signal.aborted) return;
    named("crm", "crm");
    panel.dataset.state = "ready";
    drawPeople({ ...context, item, reload: () => update(true) }, body, people, found.get(key));
  }
  app.state.subscribe((changes) => changes.item && app.shell.act(null, () => update()), signal);
  await update();
}

/** Without the person's own address, unless nobody else is there. */
function peopleOf(item, own) {
  const others = item.people.filter((person) => person.address.toLowerCase() !== (own ?? "").toLowerCase());
  return (others.length ? others : item.people).slice(0, MOST_PEOPLE);
}

function noPeople(panel, body, item) {
  const several = item.kind === "several";
  const draft = item.kind !== "none" && !several;
  const name = several ? "several" : draft ? "no_people" : "no_item";
  named(several ? "several-selected" : "no-item", "crm");
  panel.dataset.state = "empty";
  replace(body, empty("crm", t(`crm.${name}`), t(`crm.${name}_text`)));
}

function drawPeople(context, body, people, answer) {
  const { item } = context;
  const matches = new Map(answer.people.map((each) => [each.address.toLowerCase(), each.matches]));
  replace(
    body,
    item.subject ? h("p", { class: "hint subject" }, item.subject) : null,
    people.map((person) => personCard(context, person, matches.get(person.address.toLowerCase()) ?? [])),
    h("p", { class: "hint" }, t("crm.as_of", { when: clockTime(answer.fetched_at) })),
  );
}

function personCard(context, person, matches) {
  const place = h("div", { class: "stack" });
  const show = (match) => replace(place, matchBody(context, match));
  const node = h(
    "section",
    { class: "card stack person-card", data: { address: person.address, matches: matches.length }, "aria-label": person.name },
    h(
      "div",
      { class: "person-head" },
      h("span", { class: "avatar", "aria-hidden": "true" }, initials(person.name)),
      h("div", null, h("h2", { class: "card-title" }, person.name), h("p", { class: "hint wrap" }, person.address)),
    ),
  );
  if (!matches.length) {
    replace(place, unknown(context, person));
  } else if (matches.length === 1) {
    show(matches[0]);
  } else {
    node.append(
      radioGroup(
        t("crm.which", { n: matches.length }),
        uid("match"),
        matches.map((match) => [match.id, match.name, describe(match)]),
        null,
        (id) => show(matches.find((each) => each.id === id)),
      ),
    );
  }
  node.append(place);
  return node;
}

function describe(match) {
  const accounts = match.accounts?.map((each) => each.name) ?? [];
  return [t(`crm.type.${match.type}`), match.job_title, accounts.length ? list(accounts) : null].filter(Boolean).join(" · ");
}

function matchBody(context, match) {
  const facts = [
    [t("crm.job"), match.job_title],
    [t("crm.accounts"), match.accounts?.length ? match.accounts.map((each, at) => [at ? ", " : null, outLink(each.name, each.url)]) : null],
    [t("crm.phone"), match.phone ? h("a", { href: `tel:${match.phone.replace(/[^+\d]/g, "")}` }, match.phone) : null],
  ].filter(([, value]) => value);
  const related = h("div", { class: "stack" });
  const open = button(t("crm.related"), {
    wide: true,
    action: "show-related",
    "aria-expanded": "false",
    onClick: (event) => showRelated(context, match, event.currentTarget, related),
  });
  return [
    h("div", { class: "row" }, outLink(match.name, match.url, { class: "strong" }), h("span", { class: "chip" }, t(`crm.type.${match.type}`))),
    facts.length ? h("dl", { class: "facts" }, facts.map(([name, value]) => [h("dt", null, name), h("dd", null, value)])) : null,
    syncState(match.sync),
    open,
    related,
  ];
}

/** Whether this person is kept in step, honestly. */
function syncState(sync) {
  if (!sync) return null;
  const symbol = { linked: "check", alone: "info", out_of_scope: "info", unknown: "info" }[sync.state] ?? "info";
  return h(
    "div",
    { class: `sync-state sync-${sync.state}`, data: { sync: sync.state } },
    icon(symbol),
    h(
      "div",
      null,
      h("p", null, t(`crm.sync.${sync.state}`)),
      sync.state !== "linked" && sync.reason ? h("p", { class: "hint" }, said(sync.reason)) : null,
    ),
  );
}

async function showRelated(context, match, control, place) {
  const { app, signal } = context;
  await app.shell.act(control, async () => {
    const query = { type: match.type, id: match.id };
    const { groups } = await app.api.call("contextRecords", { query, signal });
    const shown = groups.filter((group) => group.items.length || group.forbidden);
    shown.sort((one, other) => GROUPS.indexOf(one.type) - GROUPS.indexOf(other.type));
    replace(
      place,
      shown.length ? shown.map(group) : h("p", { class: "hint" }, t("crm.no_related")),
      quickTask(context, match),
    );
    control.remove();
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });
}

function group({ type, forbidden, items }) {
  return h(
    "section",
    { class: "related", data: { group: type } },
    h("h3", { class: "related-title" }, icon(type), t(`crm.group.${type}`), forbidden ? null : h("span", { class: "chip" }, number(items.length))),
    forbidden ? h("p", { class: "hint" }, t("crm.forbidden")) : null,
    h(
      "ul",
      null,
      items.map((each) =>
        h(
          "li",
          null,
          outLink(each.title || t("op.untitled", { entity: t(`crm.group.${type}`) }), each.url),
          h("span", { class: "hint" }, [each.status, each.amount, each.due ? day(each.due) : null].filter(Boolean).join(" · ")),
        ),
      ),
    ),
  );
}

function unknown(context, person) {
  const place = h("div");
  const openForm = (type) => (event) => {
    for (const each of event.currentTarget.parentElement.children) each.setAttribute("aria-expanded", "false");
    event.currentTarget.setAttribute("aria-expanded", "true");
    replace(place, createForm(context, type, { person }));
    place.querySelector("input").focus();
  };
  return [
    h("p", null, t("crm.unknown")),
    h(
      "div",
      { class: "button-row" },
      button(t("crm.new_contact"), { symbol: "plus", small: true, action: "new-contact", "aria-expanded": "false", onClick: openForm("contact") }),
      button(t("crm.new_lead"), { symbol: "plus", small: true, action: "new-lead", "aria-expanded": "false", onClick: openForm("lead") }),
    ),
    place,
  ];
}

function quickTask(context, match) {
  const place = h("div");
  const open = button(t("crm.new_task"), {
    symbol: "plus",
    small: true,
    action: "new-task",
    "aria-expanded": "false",
    onClick: (event) => {
      event.currentTarget.setAttribute("aria-expanded", "true");
      replace(place, createForm(context, "task", { match }));
      place.querySelector("input").focus();
    },
  });
  return [open, place];
}

/** Prefilled from the mail; nothing is sent before the button is pressed. */
function createForm(context, type, { person, match }) {
  const { app, item } = context;
  const values =
    type === "task"
      ? { subject: item.subject ?? "", due_date: "" }
      : { ...splitName(person.name, person.address), email: person.address, ...(type === "lead" ? { name: item.subject || person.name } : {}) };
  const kinds = { due_date: "date", email: "email" };
  const form = h("form", { class: "stack create-form", novalidate: true, data: { create: type } });
  const draw = (errors = {}) =>
    replace(
      form,
      Object.keys(values).map((name) => {
        const control = h("input", {
          type: kinds[name] ?? "text",
          id: uid(name),
          name,
          value: values[name],
          on: { input: (event) => (values[name] = event.currentTarget.value) },
        });
        return field(t(`crm.field.${type === "lead" && name === "name" ? "lead_name" : name}`), control, { error: errors[name] && said(errors[name]) });
      }),
      button(t(`crm.create_${type}`), { kind: "primary", action: "create-record", type: "submit" }),
    );
  const send = () =>
    app.shell.act(form.querySelector('[data-action="create-record"]'), async () => {
      const filled = Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim()));
      const about = match ? { about: { type: match.type, id: match.id } } : {};
      try {
        const made = await app.api.call("createRecord", { body: { type, ...filled, ...about } });
        notice("success", h("p", null, t("crm.created"), " ", outLink(t("crm.open_it"), made.url)));
        if (type === "task") replace(form, bar("success", h("p", null, outLink(values.subject || t("crm.open_it"), made.url))));
        else await context.reload();
      } catch (error) {
        const errors = error instanceof Refused ? (error.problem.errors ?? []) : [];
        if (!errors.length) throw error;
        draw(Object.fromEntries(errors.map(({ field: name, message }) => [name, message])));
        form.querySelector("[aria-invalid]")?.focus();
      }
    });
  form.addEventListener("submit", (event) => (event.preventDefault(), send()));
  draw();
  return form;
}

/** "Maria Schmidt", "Schmidt, Maria" or only an address -> first and last name. */
export function splitName(name, address) {
  const shown = name && !name.includes("@") ? name.trim() : address.split("@")[0].replace(/[._-]+/g, " ").trim();
  if (shown.includes(",")) {
    const [last, first] = shown.split(",", 2).map((part) => part.trim());
    return { first_name: first, last_name: last };
  }
  const words = shown.split(/\s+/);
  return { first_name: words.slice(0, -1).join(" "), last_name: words.at(-1) };
}

export const views = { crm: { render } };
