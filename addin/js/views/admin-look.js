/** The look of the pane: name, logo, accent, welcome, sections, own HTML and CSS, with a preview that keeps pace. */

import { announce, bar, button, confirmDialog, field, h, iconButton, replace, uid } from "../dom.js";
import { Refused } from "../errors.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { look as lookNode } from "../look-html.js";
import { notice, said, titleLine } from "../shell.js";

const SECTIONS = ["status", "crm", "conflicts", "activity", "problems", "settings"];
const LOGO_BYTES = 48 * 1024;
const LOGO_TYPES = ["image/png", "image/jpeg", "image/webp"];
const CLEAN_MS = 600;
const ACCENT = "#0f6cbd";

async function render({ app, panel, signal }) {
  const stored = await app.api.call("adminLook", { signal });
  const state = { app, signal, draft: draftOf(stored), errors: {}, cleaned: stored, panel };
  state.preview = h("div", { data: { part: "look-preview" } });
  state.removed = h("div", { "aria-live": "polite" });
  state.form = h("form", { class: "stack", novalidate: true });
  state.form.addEventListener("submit", (event) => (event.preventDefault(), save(state)));
  replace(
    panel,
    titleLine(t("admin.look"), { back: () => app.shell.open("admin", {}, { focus: true }) }),
    h("section", { class: "card stack", "aria-label": t("look.preview") }, h("h2", { class: "card-title" }, t("look.preview")), state.preview, state.removed),
    state.form,
  );
  draw(state);
  paint(state);
  signal.addEventListener("abort", () => clearTimeout(state.timer));
}

function draftOf(look) {
  return {
    name: look.name ?? "",
    logo: look.logo ?? null,
    accent: look.accent ?? null,
    welcome: look.welcome ?? "",
    sections: (look.sections ?? SECTIONS).filter((name) => SECTIONS.includes(name)),
    html: look.html ?? "",
    css: look.css ?? "",
  };
}

function draw(state) {
  const { draft } = state;
  replace(
    state.form,
    h(
      "div",
      { class: "card stack" },
      text(state, "name", "input", { maxlength: 50 }),
      logoField(state),
      accentField(state),
      text(state, "welcome", "textarea", { rows: 3, maxlength: 600 }),
    ),
    sectionsField(state),
    h(
      "details",
      { class: "card group", open: Boolean(draft.html || draft.css) },
      h("summary", null, h("h2", null, t("look.own"))),
      h("p", { class: "hint" }, t("look.own_hint")),
      text(state, "html", "textarea", { rows: 6, maxlength: 8000, spellcheck: "false", class: "code" }),
      text(state, "css", "textarea", { rows: 6, maxlength: 16000, spellcheck: "false", class: "code" }),
    ),
    h(
      "div",
      { class: "button-row" },
      button(t("common.save"), { kind: "primary", action: "save-look", type: "submit" }),
      button(t("look.reset"), { action: "reset-look", onClick: (event) => reset(state, event.currentTarget) }),
    ),
  );
}

function changed(state, changes, { clean = false } = {}) {
  Object.assign(state.draft, changes);
  paint(state);
  if (!clean) return;
  clearTimeout(state.timer);
  state.timer = setTimeout(() => cleanAgain(state), CLEAN_MS);
}

/** What the service would keep of the HTML and CSS. */
async function cleanAgain(state) {
  const { app, signal } = state;
  await app.shell.act(null, async () => {
    state.cleaned = await app.api.call("saveLook", { query: { preview: true }, body: state.draft, signal });
    paint(state);
    showRemoved(state);
  });
}

function showRemoved(state) {
  const removed = state.cleaned.removed ?? [];
  replace(
    state.removed,
    removed.length
      ? bar("warning", [h("p", null, t("look.removed")), h("ul", { class: "limits" }, removed.map((each) => h("li", null, said(each))))])
      : null,
  );
}

/** The cleaned CSS reaches nothing but `.look`; while it is tried out, the stored one is switched off. */
function useCss(css, signal) {
  if (signal.aborted) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css ?? "");
  document.adoptedStyleSheets = [sheet];
  const stored = document.getElementById("look-css");
  if (stored) stored.disabled = true;
  signal.addEventListener("abort", () => {
    document.adoptedStyleSheets = [];
    if (stored) stored.disabled = false;
  });
}

function paint(state) {
  const { draft, cleaned, preview, app } = state;
  useCss(cleaned.css, state.signal);
  const body = h(
    "div",
    { class: "stage" },
    h(
      "div",
      { class: "brand" },
      draft.logo && h("img", { class: "brand-logo", src: draft.logo, alt: "" }),
      h("div", null, h("p", { class: "brand-name" }, draft.name || "OroCRM"), draft.welcome && h("p", null, draft.welcome)),
    ),
    h("div", { class: "sample-tabs" }, draft.sections.map((name) => h("span", { class: "sample-tab" }, icon(name)))),
    h("span", { class: "button button-primary" }, t("status.sync_now")),
    lookNode(cleaned.html),
  );
  app.theme.paint(body, draft.accent);
  replace(preview, body);
}

function text(state, name, tag, props) {
  const control = h(tag, {
    id: uid(name),
    name,
    ...(tag === "input" ? { type: "text" } : {}),
    ...props,
    value: state.draft[name],
    on: { input: (event) => changed(state, { [name]: event.currentTarget.value }, { clean: ["html", "css"].includes(name) }) },
  });
  return field(t(`look.${name}`), control, { error: state.errors[name] && said(state.errors[name]) });
}

function accentField(state) {
  const id = uid("accent");
  const control = h("input", {
    type: "color",
    id,
    name: "accent",
    value: state.draft.accent ?? ACCENT,
    on: { input: (event) => changed(state, { accent: event.currentTarget.value }) },
  });
  const clear = button(t("look.accent_default"), {
    kind: "subtle",
    small: true,
    action: "clear-accent",
    onClick: () => {
      control.value = ACCENT;
      changed(state, { accent: null });
    },
  });
  return field(t("look.accent"), control, { hint: t("look.accent_hint"), error: state.errors.accent, after: clear });
}

function logoField(state) {
  const id = uid("logo");
  const control = h("input", { type: "file", id, name: "logo", accept: LOGO_TYPES.join(",") });
  control.addEventListener("change", async () => {
    const [file] = control.files;
    if (!file) return;
    if (!LOGO_TYPES.includes(file.type) || file.size > LOGO_BYTES) {
      state.errors.logo = t("look.logo_refused");
      draw(state);
      announce(state.errors.logo);
      return;
    }
    delete state.errors.logo;
    changed(state, { logo: await dataUrl(file) });
    draw(state);
  });
  const clear = state.draft.logo
    ? button(t("look.logo_remove"), { kind: "subtle", small: true, action: "clear-logo", onClick: () => (changed(state, { logo: null }), draw(state)) })
    : null;
  return field(t("look.logo"), control, { hint: t("look.logo_hint"), error: state.errors.logo, after: clear });
}

function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}

/** Sections with a check mark each, moved up and down by buttons: works by keyboard. */
function sectionsField(state) {
  const { draft } = state;
  const order = [...draft.sections, ...SECTIONS.filter((name) => !draft.sections.includes(name))];
  const move = (name, by) => {
    const sections = [...draft.sections];
    const at = sections.indexOf(name);
    [sections[at], sections[at + by]] = [sections[at + by], sections[at]];
    changed(state, { sections });
    draw(state);
    state.form.querySelector(`[data-action="${by < 0 ? "up" : "down"}-${name}"]:not(:disabled)`)?.focus();
    announce(t("look.moved", { name: t(`tab.${name}`), n: sections.indexOf(name) + 1 }));
  };
  const toggle = (name) => (event) => {
    const sections = event.currentTarget.checked ? [...draft.sections, name] : draft.sections.filter((each) => each !== name);
    changed(state, { sections });
    draw(state);
    state.form.querySelector(`[data-section="${name}"] input`).focus();
  };
  return h(
    "fieldset",
    { class: "card group" },
    h("legend", null, t("look.sections")),
    order.map((name) => {
      const id = uid("section");
      const at = draft.sections.indexOf(name);
      const fixed = name === "settings"; // or nobody could bring the others back
      return h(
        "div",
        { class: "section-row", data: { section: name } },
        h("input", { type: "checkbox", id, checked: at >= 0, disabled: fixed && at >= 0, on: { change: toggle(name) } }),
        h("label", { for: id }, t(`tab.${name}`)),
        iconButton(t("look.up", { name: t(`tab.${name}`) }), "up", { action: `up-${name}`, disabled: at < 1, onClick: () => move(name, -1) }),
        iconButton(t("look.down", { name: t(`tab.${name}`) }), "down", { action: `down-${name}`, disabled: at < 0 || at === draft.sections.length - 1, onClick: () => move(name, 1) }),
      );
    }),
  );
}

async function save(state) {
  const { app, signal, form } = state;
  await app.shell.act(form.querySelector('[data-action="save-look"]'), async () => {
    try {
      state.cleaned = await app.api.call("saveLook", { body: state.draft, signal });
    } catch (error) {
      if (!(error instanceof Refused) || !error.problem.errors?.length) throw error;
      state.errors = Object.fromEntries(error.problem.errors.map(({ field: name, message }) => [name.split(".")[0], message]));
      draw(state);
      throw error;
    }
    state.errors = {};
    use(state, state.cleaned);
    form.querySelector('[data-action="save-look"]').focus({ preventScroll: true });
    notice("success", h("p", null, t("look.saved")));
  });
}

async function reset(state, control) {
  const { app } = state;
  const sure = await confirmDialog({
    title: t("look.reset_title"),
    body: h("p", null, t("look.reset_text")),
    confirm: t("look.reset"),
    cancel: t("common.cancel"),
    danger: true,
  });
  if (!sure) return;
  await app.shell.act(control, async () => {
    state.cleaned = await app.api.call("resetLook");
    use(state, state.cleaned);
    state.form.querySelector('[data-action="reset-look"]').focus({ preventScroll: true });
    notice("success", h("p", null, t("look.was_reset")));
  });
}

function use(state, stored) {
  state.draft = draftOf(stored);
  state.app.useLook(stored);
  showRemoved(state);
  draw(state);
  paint(state);
}

export const views = { "admin-look": { render } };
