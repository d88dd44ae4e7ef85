/**
 * How the pane starts, and the order of its screens: Outlook, sign-in, connection, first sync, sections. What each of
 * them looks like is in `screens.js` and `views/`.
 */

import { createApi } from "./api.js";
import { createAuth } from "./auth.js";
import { announce, button } from "./dom.js";
import { ConsentNeeded, errorOf, NotConnected, NotSignedIn, Offline } from "./errors.js";
import { currentLanguage, pickLanguage, t, useLanguage } from "./i18n.js";
import { createOutlook, NO_HOST, UNREACHABLE } from "./outlook.js";
import {
  showConsentMissing,
  showFailed,
  showLoading,
  showNoOffice,
  showNotConnected,
  showNotSignedIn,
  showOfficeUnreachable,
} from "./screens.js";
import { createShell, notice, wasUsed } from "./shell.js";
import { createState } from "./state.js";
import { createTheme } from "./theme.js";

const OFFICE_MS = 6_000;
const OFFICE_DEMO_MS = 1_500; // the demonstration needs no Outlook, so it hardly waits for one
const STATUS_MS = 30_000;
const SECTIONS = ["status", "crm", "conflicts", "activity", "problems", "settings"];

/** Views are fetched when they are first opened, so that the first paint needs none of them. */
function lazy(file, name, section) {
  return {
    name,
    section,
    render: async (context) => (await fetched(file)).views[name].render(context),
  };
}

/** A module that cannot be fetched is a TypeError: the network is at fault, and trying again may help. */
async function fetched(file) {
  try {
    return await import(`./views/${file}.js`);
  } catch (error) {
    throw error instanceof TypeError ? new Offline("A part of the pane could not be fetched.") : error;
  }
}

const VIEWS = Object.fromEntries(
  [
    ["status", "status"],
    ["crm", "crm"],
    ["conflicts", "conflicts"],
    ["activity", "activity"],
    ["run", "run", "activity"],
    ["problems", "problems"],
    ["settings", "settings"],
    ["account", "account", "settings"],
    ["connect", "connect", "settings"],
    ["first-sync", "first-sync", "status"],
    ["admin", "admin", "settings"],
    ["admin-settings", "admin", "settings"],
    ["admin-accounts", "admin-accounts", "settings"],
    ["admin-look", "admin-look", "settings"],
  ].map(([name, file, section]) => [name, lazy(file, name, section)]),
);

const query = new URLSearchParams(window.location.search);
const outlook = createOutlook();
const state = createState({ me: null, look: null, status: null, item: { kind: "none", people: [] } });
const shell = createShell({ views: VIEWS, onSession });
let looks = 0;
const app = { config: null, api: null, auth: null, outlook, theme: null, state, shell };
shell.attach(app);

async function readConfig() {
  const response = await fetch("/addin/config.json", { cache: "no-store", credentials: "omit" }).catch(() => {
    throw new Offline("The service cannot be reached.");
  });
  const config = response.ok ? await response.json().catch(() => null) : null;
  if (!config) throw errorOf(response.status, null, { requestId: response.headers.get("X-Request-Id") ?? "" });
  return config;
}

async function start() {
  const wanted = [query.get("language"), ...(navigator.languages ?? [navigator.language])];
  const language = useLanguage(pickLanguage(wanted)).catch(() => {});
  try {
    app.config ??= await readConfig();
  } catch (error) {
    await language;
    app.theme ??= createTheme({ outlook });
    showFailed(error, error instanceof Offline ? "offline" : "server-error", start);
    return;
  }
  const { demo } = app.config;
  const host = await outlook.start(demo ? OFFICE_DEMO_MS : OFFICE_MS);
  const forced = demo && ["light", "dark"].includes(query.get("theme")) ? query.get("theme") : null;
  app.theme = createTheme({ outlook, forced });
  outlook.onThemeChanged(() => app.theme.show());
  await language;
  const shown = pickLanguage([query.get("language"), outlook.displayLanguage(), ...wanted]);
  if (shown !== currentLanguage()) await useLanguage(shown).catch(() => {});
  if (!demo && host === UNREACHABLE) return showOfficeUnreachable(() => window.location.reload());
  if (!demo && host === NO_HOST) return showNoOffice();
  followItem(demo);
  app.auth = createAuth({ config: app.config, outlook, onExpired: askToSignInAgain });
  app.api = createApi({ root: app.config.api, auth: app.auth });
  window.setInterval(() => document.visibilityState === "visible" && refreshQuietly(), STATUS_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refreshQuietly());
  await signInSilently();
}

function followItem(demo) {
  let asked = 0;
  const read = async () => {
    asked += 1;
    const mine = asked;
    const item = await outlook.item().catch(() => ({ kind: "none" }));
    if (mine === asked) state.set({ item: { people: [], ...item } });
  };
  outlook.onItemChanged(() => (outlook.onRecipientsChanged(read), read()));
  outlook.onRecipientsChanged(read);
  if (demo) outlook.acceptDemoItems(read);
  read();
}

async function signInSilently() {
  const person = query.get("person");
  if (person && app.config.sign_in === "local") {
    try {
      await app.auth.signIn({ person });
    } catch (error) {
      return onSession(error);
    }
  }
  return enter();
}

/** Who is it, and where do they stand: the screen that follows from it. place: where they were before they had to sign
 * in again. */
async function enter({ place = null } = {}) {
  showLoading();
  try {
    const me = await app.api.call("me");
    state.set({ me });
    useLook(me.look);
    if (!me.connected) throw new NotConnected("");
    await refreshStatus();
    showSections();
    if (place) return await shell.open(place.name, place.params, { focus: true });
    const { first_sync_done: begun, running } = state.get("status");
    return await shell.open(begun || running ? shell.sections()[0] : "first-sync", {}, { focus: wasUsed() });
  } catch (error) {
    return onSession(error);
  }
}

function useLook(look) {
  state.set({ look });
  app.theme.setAccent(look?.accent ?? null);
  let link = document.getElementById("look-css");
  if (!link) {
    link = document.createElement("link");
    link.id = "look-css";
    link.rel = "stylesheet";
    document.head.append(link);
  }
  looks += 1; // the same address again would not be fetched again
  link.href = `/addin/look.css?${new URLSearchParams({ organisation: state.get("me")?.organisation ?? "", v: looks })}`;
}

function showSections() {
  const chosen = state.get("look")?.sections ?? SECTIONS;
  const sections = chosen.filter((name) => SECTIONS.includes(name));
  // Whoever can hide sections must be able to bring them back.
  if (!sections.includes("settings") && (state.get("me").is_admin || !sections.length)) sections.push("settings");
  shell.showTabs(sections);
  showAttention(state.get("status"));
}

async function refreshStatus(signal) {
  const status = await app.api.call("status", { signal });
  state.set({ status });
  showAttention(status);
  return status;
}

async function refreshQuietly() {
  if (!shell.sections().length) return;
  await refreshStatus().catch((error) => {
    if (error instanceof NotSignedIn) askToSignInAgain();
  });
}

/** Numbers at the tabs, and a line in the open message when something waits for the person. */
function showAttention(status) {
  if (!status) return;
  const { open_conflicts: conflicts, quarantined, held, account } = status;
  const suspended = account.state === "suspended";
  const problems = quarantined + (held ? 1 : 0) + (suspended ? 1 : 0);
  shell.setBadge("conflicts", conflicts, t("status.conflicts", { n: conflicts }));
  shell.setBadge("problems", problems, t("tab.problems_waiting", { n: problems }));
  const parts = [
    suspended && t("alert.suspended"),
    held && t("alert.held"),
    conflicts && t("status.conflicts", { n: conflicts }),
    quarantined && t("status.quarantined", { n: quarantined }),
  ].filter(Boolean);
  outlook.alert(status.show_alerts && parts.length ? t("alert.text", { what: parts.join(", ") }) : null);
}

/** The view stays as it is, with what was typed into it. */
function askToSignInAgain() {
  if (!shell.sections().length) return;
  const before = document.activeElement;
  const again = async (event) => {
    await signIn(event.currentTarget, undefined, { stay: true });
    if (before?.isConnected) before.focus({ preventScroll: true });
  };
  notice("warning", t("signin.expired"), [button(t("signin.again"), { small: true, action: "sign-in", onClick: again })]);
}

async function signIn(control, person, { consent = false, stay = false, place = null } = {}) {
  await shell.act(control, async () => {
    await app.auth.signIn({ person, consent });
    if (stay && (await isTheSamePerson())) await refreshQuietly();
    else await enter({ place });
  });
}

/** Or what somebody typed would be sent in another's name. */
async function isTheSamePerson() {
  return (await app.api.call("me")).address === state.get("me")?.address;
}

async function signOut() {
  await app.auth.signOut();
  state.set({ me: null, status: null });
  outlook.alert(null);
  await askToSignIn({ again: true });
}

async function askToSignIn({ again = false } = {}) {
  const place = again || !shell.sections().length ? null : shell.place();
  shell.leave();
  shell.hideTabs();
  let people = null;
  try {
    people = await app.auth.people();
  } catch (error) {
    return onSession(error);
  }
  return showNotSignedIn({ people, again, onSignIn: (control, person) => signIn(control, person, { place }) });
}

/** The screen for what stands between the person and the sections. */
function onSession(error, { acting = false } = {}) {
  if (error instanceof NotSignedIn && !(error instanceof ConsentNeeded)) {
    return acting && shell.sections().length ? askToSignInAgain() : askToSignIn();
  }
  shell.leave();
  shell.hideTabs();
  if (error instanceof ConsentNeeded) {
    const onConsent = (control) => signIn(control, undefined, { consent: true });
    return showConsentMissing({ error, onConsent, onSignOut: signOut });
  }
  if (error instanceof NotConnected) return showWelcome();
  return showFailed(error, error instanceof Offline ? "offline" : "server-error", enter);
}

function showWelcome() {
  shell.leave();
  shell.hideTabs();
  const { name } = state.get("me") ?? { name: "" };
  const onConnect = () => shell.open("connect", { first: true }, { focus: true });
  showNotConnected({ look: state.get("look"), name, onConnect, onSignOut: signOut });
  announce(document.querySelector("h1").textContent);
}

Object.assign(app, { enter, refreshStatus, showSections, showWelcome, signIn, signOut, useLook });

start();
