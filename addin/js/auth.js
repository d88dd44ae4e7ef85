/**
 * Bearer tokens of the service, in memory only. Three ways, chosen by `config.json` and by what Outlook offers: nested
 * app authentication, a dialog with the authorisation code flow, and the demonstration's choice of a person.
 */

import { errorOf, ConsentNeeded, NotSignedIn, Offline, PaneError, SignInCancelled } from "./errors.js";
import { DialogClosed, DialogFailed } from "./outlook.js";

const RENEW_BEFORE_MS = 3 * 60_000;
const SILENT_MS = 15_000;
const MSAL = new URL("../vendor/msal-browser/msal-browser.min.js", import.meta.url);

/** onExpired: called when a token is over and cannot be renewed without its person. */
export function createAuth({ config, outlook, onExpired = () => {} }) {
  let held = null; // {value, until}
  let pendingClaims = null;
  let pendingToken = null;
  let timer = null;
  let strategy = null;

  async function chosen() {
    strategy ??= await chooseStrategy(config, outlook);
    return strategy;
  }

  function keep({ value, until }) {
    held = { value, until };
    pendingClaims = null;
    clearTimeout(timer);
    timer = setTimeout(() => renewed({}).catch(() => onExpired()), Math.max(5_000, until - Date.now() - RENEW_BEFORE_MS));
    return value;
  }

  /** One request at a time, however many ask. */
  function renewed({ claims }) {
    pendingToken ??= (async () => {
      const way = await chosen();
      return keep(await way.silent({ claims }));
    })().finally(() => {
      pendingToken = null;
    });
    return pendingToken;
  }

  return {
    /** Throws NotSignedIn when only the person can get a token. */
    async token() {
      if (held && held.until > Date.now() + 10_000) return held.value;
      return renewed({});
    },
    /** A new token, because the service refused the last one. claims: what it asked for. */
    async renew({ claims }) {
      pendingClaims = claims ?? null;
      held = null;
      return renewed({ claims });
    },
    /** By the person's own click. person: demonstration only. consent: ask for it again. */
    async signIn({ person, consent = false } = {}) {
      const way = await chosen();
      keep(await way.interactive({ person, consent, claims: pendingClaims }));
    },
    /** Forgets the token here; Outlook's own sign-in stays as it is. */
    async signOut() {
      clearTimeout(timer);
      held = null;
      (await chosen()).forget?.();
    },
    /** [{id, name, address}] in the demonstration, else null. */
    async people() {
      return (await chosen()).people?.() ?? null;
    },
    get expiresAt() {
      return held?.until ?? null;
    },
  };
}

async function chooseStrategy(config, outlook) {
  if (config.sign_in === "local") return localStrategy();
  if (outlook.supports("NestedAppAuth", "1.1")) {
    const nested = await nestedStrategy(config, outlook).catch(() => null);
    if (nested) return nested;
  }
  return dialogStrategy(outlook);
}

// ---- nested app authentication -----------------------------------------------------------------------------------

async function nestedStrategy(config, outlook) {
  await loadScript(MSAL);
  // Without Outlook's bridge msal would quietly become an ordinary client, which needs storage and redirects.
  if (!window.nestedAppAuthBridge) return null;
  const client = await window.msal.createNestablePublicClientApplication({
    auth: { clientId: config.client_id, authority: config.authority, clientCapabilities: ["CP1"] },
    cache: { cacheLocation: "memoryStorage" },
    system: { loggerOptions: { piiLoggingEnabled: false } },
  });
  const dialog = dialogStrategy(outlook);
  const asked = ({ claims, consent }) => ({
    scopes: [config.scope],
    ...(claims ? { claims } : {}),
    ...(consent ? { prompt: "consent" } : {}),
    ...(outlook.loginHint() ? { loginHint: outlook.loginHint() } : {}),
  });
  let signedOut = false;
  return {
    async silent({ claims }) {
      if (signedOut) throw new NotSignedIn("Signed out.");
      try {
        return fromMsal(await within(SILENT_MS, client.acquireTokenSilent(asked({ claims }))));
      } catch (error) {
        if (!claims) throw notSignedIn(error);
        return popup({ claims });
      }
    },
    async interactive(request) {
      const result = await popup(request);
      signedOut = false;
      return result;
    },
    forget() {
      signedOut = true;
    },
  };

  async function popup(request) {
    try {
      return fromMsal(await client.acquireTokenPopup(asked(request)));
    } catch (error) {
      if (error.errorCode === "user_cancelled") throw new SignInCancelled("Sign-in was cancelled.");
      if (needsConsent(error)) throw new ConsentNeeded(error.message, { code: "consent_needed" });
      return dialog.interactive(request);
    }
  }
}

function fromMsal(result) {
  return { value: result.accessToken, until: result.expiresOn.getTime() };
}

function needsConsent(error) {
  return error.subError === "consent_required" || /AADSTS(65001|90094|90008)/.test(error.message ?? "");
}

function notSignedIn(error) {
  if (needsConsent(error)) return new ConsentNeeded(error.message, { code: "consent_needed" });
  return new NotSignedIn("Sign-in is needed.");
}

function within(ms, promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("no answer in time")), ms));
  return Promise.race([promise, late]);
}

function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => reject(new Error("msal could not be loaded")));
    document.head.append(script);
  });
}

// ---- dialog with the authorisation code flow ----------------------------------------------------------------------

function dialogStrategy(outlook) {
  return {
    async silent() {
      throw new NotSignedIn("Sign-in is needed."); // the dialog's cookies are never seen by the pane
    },
    async interactive({ claims }) {
      const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
      const start = new URL("/auth/start", window.location.origin);
      start.searchParams.set("challenge", base64url(new Uint8Array(digest)));
      if (claims) start.searchParams.set("claims", claims);
      const answer = await dialogAnswer(outlook, start.href, "entra");
      return fromService(await post("/auth/token", { code: answer.code, verifier }));
    },
  };
}

/** The message of a sign-in window, of this kind. Throws SignInCancelled, or PaneError with words for people. */
export async function dialogAnswer(outlook, url, kind) {
  let answer;
  try {
    answer = await outlook.openDialog(url);
  } catch (error) {
    if (error instanceof DialogClosed) throw new SignInCancelled("The window was closed before it was done.");
    if (error instanceof DialogFailed) throw new PaneError(error.message, { code: "dialog_failed" });
    throw error;
  }
  if (answer?.kind === kind && answer.code) return answer;
  const message = String(answer?.message ?? "");
  if (answer?.error === "cancelled") throw new SignInCancelled(message);
  if (answer?.error === "consent_needed") throw new ConsentNeeded(message, { code: "consent_needed" });
  throw new PaneError(message || "Sign-in did not succeed.", { code: "sign_in_failed" });
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// ---- the demonstration's people -----------------------------------------------------------------------------------

function localStrategy() {
  let person = null;
  return {
    async people() {
      return (await get("/auth/local")).people;
    },
    async silent() {
      if (!person) throw new NotSignedIn("Choose a person.");
      return fromService(await post("/auth/local", { person }));
    },
    async interactive(request) {
      const result = fromService(await post("/auth/local", { person: request.person }));
      person = request.person;
      return result;
    },
    forget() {
      person = null;
    },
  };
}

// ---- the few requests that carry no token --------------------------------------------------------------------------

function fromService({ access_token: value, expires_in: seconds }) {
  return { value, until: Date.now() + seconds * 1000 };
}

function get(path) {
  return answerOf(path, { headers: { Accept: "application/json" } });
}

function post(path, body) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  return answerOf(path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function answerOf(path, init) {
  const signal = AbortSignal.timeout(SILENT_MS);
  const response = await fetch(path, { ...init, signal, cache: "no-store", credentials: "omit" }).catch(() => {
    throw new Offline("The service cannot be reached.");
  });
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  throw errorOf(response.status, body, { requestId: response.headers.get("X-Request-Id") ?? "" });
}
