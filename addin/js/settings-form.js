/**
 * A form for settings of any level, built from what the service says of each: kind, choices, limits, who set it. Saved
 * all at once with If-Match; when somebody else saved in between, what was typed is kept and laid over the newest values.
 */

import { announce, bar, button, h, replace, uid } from "./dom.js";
import { Refused, Stale } from "./errors.js";
import { duration, t, tOr } from "./i18n.js";
import { fieldName, linesOf } from "./values.js";
import { hideNotice, notice, said } from "./shell.js";

const GROUPS = [
  ["what", /^(enable_sync|sync_(contacts|tasks|events|birthdays|type)|selected_category|oro_scope)$/, "enable_sync"],
  ["where", /^(contacts_folder|tasks_list|calendar)$/],
  ["pane", /^show_alerts$/],
  ["rules", /^(sync_direction|conflict_resolution|on_delete_.*|private_items|meeting_updates|event_window|resync_mode)$/],
  ["rhythm", /_interval$/],
  ["limits", /^guard\./],
  ["matching", /^match_/],
  ["fields.contact", /^field_direction\.contact\./],
  ["fields.task", /^field_direction\.task\./],
  ["fields.event", /^field_direction\.event\./],
  ["other", /./],
];

/** The one that the others of its group depend on comes first. */
function inOrder(members, first) {
  return [...members].sort((one, other) => Number(other.key === first) - Number(one.key === first));
}

/** level: "user", "system" or "organisation". Resolves when the first values are shown. */
export async function settingsForm({ app, slot, signal, level }) {
  const endpoint = level === "user" ? ["settings", "saveSettings", {}] : ["adminSettings", "saveAdminSettings", { level }];
  const [load, save, query] = endpoint;
  const dirty = new Map(); // key -> value, or null: use the level above
  let etag = null;
  let items = [];
  let stale = false;
  let errors = {};

  const take = ({ data, etag: seen }) => {
    items = data.items.filter((each) => each.kind !== "object");
    etag = seen;
  };
  take(await app.api.request(load, { query, signal }));

  const form = h("form", { class: "stack settings-form", id: uid("settings"), novalidate: true, data: { level } });
  const saveBar = h("div", { class: "save-bar", hidden: true, role: "region", "aria-label": t("settings.unsaved") });
  form.addEventListener("submit", (event) => (event.preventDefault(), submit()));
  slot.append(form, saveBar);
  draw();

  function changed(key, value) {
    dirty.set(key, value);
    delete errors[key];
    hideNotice(); // what it said is about the former values
    drawSaveBar();
  }

  function draw(focus = null) {
    const editable = items.filter((each) => each.editable);
    const fixed = items.filter((each) => !each.editable);
    replace(
      form,
      stale ? bar("warning", h("p", null, t("settings.stale")), { data: { stale: "true" } }) : null,
      GROUPS.map(([group, , first]) => {
        const members = editable.filter((each) => groupOf(each.key) === group);
        return groupNode(group, inOrder(members, first));
      }),
      fixed.length ? fixedNode(fixed) : null,
    );
    drawSaveBar();
    if (focus) form.querySelector(`[data-setting="${CSS.escape(focus)}"] :is(input, select, button)`)?.focus();
  }

  function groupNode(group, members) {
    if (!members.length) return null;
    const rows = members.map((each) => row(each));
    const title = t(`settings.group.${group}`);
    const folded = level !== "user" && !["what", "rules"].includes(group);
    if (folded && !members.some((each) => dirty.has(each.key) || errors[each.key])) {
      return h("details", { class: "card group" }, h("summary", null, h("h2", null, title)), rows);
    }
    return h("section", { class: "card group" }, h("h2", null, title), rows);
  }

  function row(item) {
    const { key } = item;
    const reset = dirty.get(key) === null && dirty.has(key);
    const value = dirty.has(key) && !reset ? dirty.get(key) : item.value;
    const node = h("div", { class: `setting setting-${item.kind}`, data: { setting: key, setAt: item.set_at } });
    const control = controlOf(item, value, reset, (chosen) => changed(key, chosen));
    const own = item.set_at === level || (dirty.has(key) && !reset);
    const back = t(level === "system" ? "settings.use_default" : level === "user" ? "settings.use_company" : "settings.use_system");
    node.append(
      ...control,
      errors[key] ? h("p", { class: "field-error", id: `error-${key}` }, said(errors[key])) : "",
      reset
        ? h(
            "p",
            { class: "hint" },
            t("settings.will_reset"),
            " ",
            button(t("settings.keep_own"), { kind: "subtle", small: true, action: "keep-own", onClick: () => (dirty.delete(key), draw(key)) }),
          )
        : own && item.set_at === level
          ? button(back, { kind: "subtle", small: true, action: "use-inherited", symbol: "undo", onClick: () => (dirty.set(key, null), draw(key)) })
          : "",
    );
    return node;
  }

  function fixedNode(fixed) {
    return h(
      "details",
      { class: "card group" },
      h("summary", null, h("h2", null, t("settings.by_company"))),
      h("p", { class: "hint" }, t("settings.by_company_text")),
      h(
        "dl",
        { class: "facts" },
        fixed.map((each) => [h("dt", null, labelOf(each)), h("dd", null, shownValue(each))]),
      ),
    );
  }

  function drawSaveBar() {
    saveBar.hidden = dirty.size === 0;
    if (saveBar.hidden || saveBar.childElementCount) return;
    replace(
      saveBar,
      button(t("common.save"), { kind: "primary", action: "save-settings", type: "submit", form: form.id }),
      button(t("settings.discard"), { action: "discard-settings", onClick: discard }),
    );
  }

  function discard() {
    const [first] = dirty.keys();
    dirty.clear();
    errors = {};
    stale = false;
    draw(first);
    announce(t("settings.discarded"));
  }

  async function submit() {
    if (!dirty.size) return;
    const control = saveBar.querySelector('[data-action="save-settings"]');
    await app.shell.act(control, async () => {
      try {
        take(await app.api.request(save, { query, body: Object.fromEntries(dirty), headers: { "If-Match": etag ?? "*" }, signal }));
      } catch (error) {
        if (error instanceof Stale) return mergeNewest();
        if (error instanceof Refused && markErrors(error)) return undefined;
        throw error;
      }
      const last = [...dirty.keys()].at(-1); // the button that has the focus goes away
      dirty.clear();
      errors = {};
      stale = false;
      draw(last);
      notice("success", h("p", null, t("settings.saved")));
      app.refreshStatus().catch(() => {});
      return undefined;
    });
  }

  async function mergeNewest() {
    take(await app.api.request(load, { query, signal }));
    stale = true;
    draw();
    form.querySelector(".bar")?.scrollIntoView({ block: "nearest" });
    announce(t("settings.stale"));
  }

  /** True when the refusal names settings of this form. */
  function markErrors(error) {
    const named = error.problem.errors?.length ? error.problem.errors : [{ field: error.problem.field, message: `${error.detail} ${error.remedy}` }];
    errors = Object.fromEntries(named.filter(({ field }) => items.some((each) => each.key === field)).map(({ field, message }) => [field, message]));
    const [first] = Object.keys(errors);
    if (!first) return false;
    draw(first);
    announce(t("settings.refused"));
    return true;
  }
}

function groupOf(key) {
  return GROUPS.find(([, pattern]) => pattern.test(key))[0];
}

export function labelOf({ key, description }) {
  const [first, entity, name] = key.split(".");
  if (first === "field_direction") return fieldName(entity, name);
  if (first === "match_keys") return t("setting.match_keys", { entity: t(`entity.${entity}.many`) });
  return tOr([`setting.${key}`], description);
}

function hintOf({ key, kind, value }) {
  const hint = tOr([`setting.${key}.hint`], null);
  if (hint) return hint;
  return kind === "number" && key.endsWith("_interval") ? duration(value) : null;
}

function choiceName(key, value) {
  return tOr([`choice.${key}.${value}`, `choice.${key.split(".")[0]}.${value}`], String(value).replace(/_/g, " "));
}

function shownValue({ key, kind, value, unit }) {
  if (kind === "yes_no") return t(value ? "common.yes" : "common.no");
  if (kind === "choice") return choiceName(key, value);
  if (kind === "names") return value.map((name) => fieldName(key.split(".")[1], name)).join(", ");
  if (kind === "pair") return t("setting.event_window.value", { back: value[0], ahead: value[1] });
  if (key.endsWith("_interval")) return duration(value);
  const text = linesOf(value).join(", ");
  return unit ? `${text} ${tOr([`unit.${unit}`], unit)}` : text || t("value.empty");
}

/** The nodes of one control. change gets the new value. */
function controlOf(item, value, disabled, change) {
  const id = uid("setting");
  const label = labelOf(item);
  const hint = hintOf(item);
  const described = hint ? `${id}-hint` : null;
  const note = hint ? h("p", { class: "hint", id: described }, hint) : "";
  const common = { id, disabled, "aria-describedby": described };
  switch (item.kind) {
    case "yes_no": {
      const toggle = h("input", { ...common, type: "checkbox", role: "switch", class: "switch", checked: Boolean(value), on: { change: (event) => change(event.currentTarget.checked) } });
      return [h("div", { class: "switch-line" }, h("label", { for: id }, label), toggle), note];
    }
    case "choice": {
      const options = item.choices.map((each) => h("option", { value: each, selected: each === value }, choiceName(item.key, each)));
      return [h("label", { for: id }, label), h("select", { ...common, on: { change: (event) => change(event.currentTarget.value) } }, options), note];
    }
    case "number":
      return [
        h("label", { for: id }, label),
        h("div", { class: "with-unit" }, numberInput({ ...common, value, min: item.least, max: item.most }, change), item.unit ? h("span", { class: "hint" }, tOr([`unit.${item.unit}`], item.unit)) : null),
        note,
      ];
    case "pair":
      return [pairControl(item, label, value, disabled, change), note];
    case "names":
      return [namesControl(item, label, value, disabled, change), note];
    default:
      return [h("label", { for: id }, label), h("input", { ...common, type: "text", value: value ?? "", maxlength: item.longest, on: { input: (event) => change(event.currentTarget.value) } }), note];
  }
}

function numberInput(props, change) {
  return h("input", { ...props, type: "number", step: 1, inputmode: "numeric", value: String(props.value), on: { input: (event) => event.currentTarget.value !== "" && change(Number(event.currentTarget.value)) } });
}

function pairControl(item, label, value, disabled, change) {
  let pair = [...value];
  const part = (at, name) => {
    const id = uid("pair");
    const input = numberInput({ id, disabled, value: pair[at], min: item.least, max: item.most }, (chosen) => {
      pair = pair.with ? pair.with(at, chosen) : pair.map((each, index) => (index === at ? chosen : each));
      change(pair);
    });
    return h("div", null, h("label", { for: id, class: "small-label" }, name), input);
  };
  return h("fieldset", { class: "pair" }, h("legend", null, label), h("div", { class: "pair-parts" }, part(0, t("setting.event_window.back")), part(1, t("setting.event_window.ahead"))));
}

function namesControl(item, label, value, disabled, change) {
  const chosen = new Set(value);
  const entity = item.key.split(".")[1];
  return h(
    "fieldset",
    { class: "names" },
    h("legend", null, label),
    (item.choices ?? value).map((name) => {
      const id = uid("name");
      const box = h("input", {
        type: "checkbox",
        id,
        disabled,
        checked: chosen.has(name),
        on: {
          change: (event) => {
            if (event.currentTarget.checked) chosen.add(name);
            else chosen.delete(name);
            change((item.choices ?? value).filter((each) => chosen.has(each)));
          },
        },
      });
      return h("div", { class: "choice" }, box, h("label", { for: id }, fieldName(entity, name)));
    }),
  );
}
