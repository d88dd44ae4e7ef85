/**
 * The frame around the views: tabs, the open view, what happens when something fails, notices. A view is
 * {name, render({app, panel, signal, params})}: `render` fills the panel and may throw; the shell shows what was thrown.
 */

import { announce, button, h, iconButton, replace } from "./dom.js";
import {
  AlreadyRunning,
  ConsentNeeded,
  NotConnected,
  NotSignedIn,
  Offline,
  PaneError,
  SignInCancelled,
  TryLater,
} from "./errors.js";
import { currentLanguage, duration, t, tOr } from "./i18n.js";
import { icon } from "./icons.js";

const content = () => document.getElementById("content");
const header = () => document.getElementById("bar");

/** Names what is shown: `data-screen` on body is the named state, `data-view` the section it belongs to. */
export function named(screen, view = "") {
  document.body.dataset.screen = screen;
  document.body.dataset.view = view;
}

/** Words of the service, which writes English. */
export function said(text, props = {}) {
  return h("span", { ...props, lang: currentLanguage() === "en" ? null : "en" }, text);
}

/** What went wrong, for people: the service's own words where it has some. */
export function wordsOf(error) {
  const key = `error.${error.code}`;
  const known = tOr([key], null);
  if (known) return [h("p", null, known)];
  if (error instanceof Offline) return [h("p", null, t(navigator.onLine ? "error.unreachable_service" : "error.offline"))];
  if (!(error instanceof PaneError)) return [h("p", null, t("error.unexpected"))];
  const parts = [h("p", null, said(error.detail))];
  if (error.remedy) parts.push(h("p", null, said(error.remedy)));
  if (error instanceof TryLater && error.retryAfter) {
    parts.push(h("p", null, t("error.retry_after", { time: duration(error.retryAfter) })));
  }
  return parts;
}

/** sections: names of views, in order. views: name -> view. onSession: what to do when the session itself is at fault. */
export function createShell({ views, onSession }) {
  let sections = [];
  let current = null; // {view, params, controller}
  let app = null;
  const badges = new Map();

  function showTabs(names) {
    sections = names;
    const tabs = names.map((name) => {
      const badge = h("span", { class: "badge", hidden: true, data: { badge: name } });
      badges.set(name, badge);
      return h(
        "button",
        {
          type: "button",
          role: "tab",
          class: "tab",
          id: `tab-${name}`,
          "aria-selected": "false",
          "aria-controls": "panel",
          tabindex: "-1",
          data: { action: `open-${name}`, tab: name },
          on: { click: () => open(name), keydown: (event) => moveAlong(event, name) },
        },
        h("span", { class: "tab-symbol" }, icon(name), badge),
        h("span", { class: "tab-label" }, t(`tab.${name}`)),
      );
    });
    replace(header(), h("div", { role: "tablist", class: "tabs", "aria-label": t("tab.all") }, tabs));
    header().hidden = false;
  }

  function hideTabs() {
    sections = [];
    header().hidden = true;
    header().replaceChildren();
  }

  function moveAlong(event, name) {
    const at = sections.indexOf(name);
    const last = sections.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    document.getElementById(`tab-${sections[to]}`).focus();
    open(sections[to]);
  }

  function markTab(section) {
    for (const name of sections) {
      const tab = document.getElementById(`tab-${name}`);
      tab.setAttribute("aria-selected", String(name === section));
      tab.tabIndex = name === section ? 0 : -1;
    }
  }

  /** number: shown at the tab when above zero; label says it in words. */
  function setBadge(name, amount, label) {
    const badge = badges.get(name);
    if (!badge) return;
    badge.hidden = amount === 0;
    badge.textContent = amount > 99 ? "99+" : String(amount);
    const tab = document.getElementById(`tab-${name}`);
    if (amount) tab?.setAttribute("aria-label", `${t(`tab.${name}`)}, ${label}`);
    else tab?.removeAttribute("aria-label");
  }

  /** focus: move it to the view's heading (for views that are not opened by their tab). */
  async function open(name, params = {}, { focus = false } = {}) {
    const view = views[name];
    const section = view.section ?? name;
    current?.controller.abort(new DOMException("left", "AbortError"));
    const controller = new AbortController();
    current = { view, params, controller };
    hideNotice();
    const tabbed = sections.includes(section);
    if (tabbed) markTab(section);
    const panel = h("section", {
      class: "panel",
      id: "panel",
      role: tabbed ? "tabpanel" : null,
      "aria-labelledby": tabbed ? `tab-${section}` : null,
      data: { view: name, state: "loading" },
    });
    replace(content(), panel);
    window.scrollTo(0, 0);
    await fill(panel, view, params, controller.signal, focus);
  }

  async function fill(panel, view, params, signal, focus) {
    named(view.name, view.section ?? view.name);
    const waiting = h(
      "div",
      null,
      h("h1", { class: "unseen" }, t("common.loading")),
      h("div", { class: "skeleton", role: "status", "aria-label": t("common.loading") }, h("span"), h("span"), h("span")),
    );
    if (!panel.childElementCount) panel.append(waiting);
    try {
      panel.dataset.state = "loading";
      await view.render({ app, panel, signal, params });
      waiting.remove();
      if (panel.dataset.state === "loading") panel.dataset.state = "ready";
      if (focus && !signal.aborted) focusHeading(panel);
    } catch (error) {
      if (signal.aborted) return;
      if (endsSession(error)) return;
      showFailure(panel, error, () => {
        panel.replaceChildren();
        fill(panel, view, params, signal, true);
      });
    }
  }

  /** acting: the view is there, and what was typed into it. */
  function endsSession(error, { acting = false } = {}) {
    const session = [ConsentNeeded, NotSignedIn, NotConnected].some((Kind) => error instanceof Kind);
    if (session) onSession(error, { acting });
    return session;
  }

  function showFailure(panel, error, retry) {
    const offline = error instanceof Offline;
    if (!(error instanceof PaneError)) console.warn("unexpected:", error);
    named(offline ? "offline" : "server-error", document.body.dataset.view);
    panel.dataset.state = "error";
    replace(panel, failure(error, retry));
    if (offline) window.addEventListener("online", retry, { once: true, signal: current.controller.signal });
    announce(panel.querySelector("h1, h2").textContent);
  }

  /** Leaves whatever view is open, for a screen of its own. */
  function leave() {
    current?.controller.abort(new DOMException("left", "AbortError"));
    current = null;
    hideNotice();
  }

  /** Runs an action started by a control: busy while it lasts, a notice when it fails. Resolves to its value or undefined. */
  async function act(control, action) {
    if (control?.getAttribute("aria-busy") === "true") return undefined;
    control?.setAttribute("aria-busy", "true");
    hideNotice();
    try {
      return await action();
    } catch (error) {
      if (error?.name === "AbortError" || error instanceof SignInCancelled) return undefined;
      if (endsSession(error, { acting: Boolean(control) })) return undefined;
      if (!(error instanceof PaneError)) console.warn("unexpected:", error);
      const actions =
        error instanceof AlreadyRunning && sections.includes("status")
          ? [button(t("common.show_run"), { small: true, action: "show-running", onClick: () => open("status") })]
          : [button(t("common.retry"), { small: true, action: "retry", onClick: () => act(control, action) })];
      notice("danger", [...wordsOf(error), reference(error)], actions);
      return undefined;
    } finally {
      control?.removeAttribute("aria-busy");
    }
  }

  return {
    attach: (made) => {
      app = made;
    },
    showTabs,
    hideTabs,
    setBadge,
    open,
    leave,
    act,
    sections: () => sections,
    current: () => current?.view.name ?? null,
    place: () => current && { name: current.view.name, params: current.params },
  };
}

/** The body of a failed view or screen. */
export function failure(error, retry) {
  const offline = error instanceof Offline;
  const kind = offline ? "offline" : "server_error";
  return h(
    "div",
    { class: "screen", data: { error: error.code || (offline ? "offline" : "server") } },
    h("span", { class: "screen-symbol" }, icon(offline ? "offline" : "error")),
    h("h1", { tabindex: "-1" }, t(`screen.${kind}.title`)),
    h("div", { class: "screen-text" }, wordsOf(error)),
    button(t("common.retry"), { kind: "primary", symbol: "refresh", action: "retry", onClick: retry }),
    reference(error),
  );
}

/** The request's id, for whoever reads the logs. */
export function reference(error) {
  return error.requestId ? h("p", { class: "reference" }, t("error.reference", { id: error.requestId })) : null;
}

/** Whether the person did anything here yet. Before that the focus is Outlook's, and is not taken from it. */
export function wasUsed() {
  return navigator.userActivation?.hasBeenActive ?? false;
}

/** Only for somebody who is in the pane: an answer that comes late must not take the focus from the mail they went back to. */
export function focusHeading(node) {
  const heading = node.querySelector("h1, h2");
  if (!heading || !document.hasFocus()) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** A message at the lower edge; stays until it is closed, replaced, or the view is left. */
export function notice(tone, children, actions = []) {
  const node = document.getElementById("notice");
  node.setAttribute("role", tone === "danger" ? "alert" : "status");
  node.hidden = false;
  replace(
    node,
    h(
      "div",
      { class: `notice-inner notice-${tone}`, data: { notice: tone } },
      icon({ success: "check", danger: "error", info: "info", warning: "warning" }[tone]),
      h("div", { class: "notice-body" }, [children].flat(), actions.length ? h("div", { class: "bar-actions" }, actions) : null),
      iconButton(t("common.close"), "close", { action: "close-notice", onClick: hideNotice }),
    ),
  );
  // What sticks to the lower edge moves up by this much, so that a notice never covers a button one needs.
  document.documentElement.style.setProperty("--notice-height", `${node.offsetHeight}px`);
}

export function hideNotice() {
  const node = document.getElementById("notice");
  node.hidden = true;
  node.replaceChildren();
  document.documentElement.style.removeProperty("--notice-height");
}

/** A view's first line: back button where there is somewhere to go back to, title, and what stands at its right. */
export function titleLine(title, { back, right } = {}) {
  return h(
    "div",
    { class: "title-line" },
    back && iconButton(t("common.back"), "back", { action: "back", onClick: back }),
    h("h1", { tabindex: "-1" }, title),
    right && h("div", { class: "title-right" }, right),
  );
}

/** Nothing to show, said kindly. level: "h1" where it is all that the view shows. */
export function empty(symbol, title, text, actions = [], level = "h2") {
  return h(
    "div",
    { class: "empty", data: { empty: "true" } },
    h("span", { class: "screen-symbol screen-symbol-calm" }, icon(symbol)),
    h(level, null, title),
    text && h("p", null, text),
    actions,
  );
}
