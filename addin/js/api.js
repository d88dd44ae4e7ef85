/**
 * The service's REST API: one table of endpoints, bearer header, time-outs, typed errors. A token the service refuses
 * is renewed once, with the claims challenge it asked for; what else to do about an error is decided by who called.
 */

import { errorOf, Offline, NotSignedIn, ServerError, TimedOut } from "./errors.js";
import { readEvents } from "./event-stream.js";

const ENDPOINTS = {
  me: "GET /me",
  status: "GET /status",
  connection: "GET /connection",
  connectionOptions: "GET /connection/options",
  saveConnection: "PUT /connection",
  checkConnection: "POST /connection/check",
  authorizeConnection: "POST /connection/authorize",
  removeConnection: "DELETE /connection",
  settings: "GET /settings",
  saveSettings: "PATCH /settings",
  startSync: "POST /syncs",
  startResync: "POST /resyncs",
  runs: "GET /syncs",
  run: "GET /syncs/{run}",
  runOps: "GET /syncs/{run}/ops",
  runEvents: "GET /syncs/{run}/events",
  approveRun: "POST /syncs/{run}/approve",
  cancelRun: "POST /syncs/{run}/cancel",
  undoRun: "POST /syncs/{run}/undo",
  conflicts: "GET /conflicts",
  resolveConflict: "POST /conflicts/{id}/resolve",
  resolveAllConflicts: "POST /conflicts/resolve",
  quarantine: "GET /quarantine",
  retryQuarantined: "POST /quarantine/{id}/retry",
  retryAllQuarantined: "POST /quarantine/retry",
  explanation: "GET /records/{side}/{id}/explanation",
  look: "GET /look",
  context: "GET /context",
  contextRecords: "GET /context/records",
  createRecord: "POST /context/records",
  adminSettings: "GET /admin/settings",
  saveAdminSettings: "PATCH /admin/settings",
  adminAccounts: "GET /admin/accounts",
  changeAccount: "PATCH /admin/accounts/{id}",
  removeAccount: "DELETE /admin/accounts/{id}",
  adminLook: "GET /admin/look",
  saveLook: "PUT /admin/look",
  resetLook: "DELETE /admin/look",
};

const TIMEOUT_MS = 20_000;
const SLOW_TIMEOUT_MS = 60_000; // these ask OroCRM and Outlook before they answer
const SLOW = new Set(["checkConnection", "saveConnection", "context", "contextRecords", "createRecord"]);
const POLL_MS = 2_000;
const OVER = new Set(["done", "held", "failed", "suspended", "cancelled"]);

export function isOver(run) {
  return OVER.has(run.state);
}

/** root: "/api/v1". auth: `token()` and `renew({claims})` -> a bearer token; both may throw NotSignedIn. */
export function createApi({ root, auth, fetch = globalThis.fetch.bind(globalThis), pollMs = POLL_MS }) {
  async function send(name, { path = {}, query = {}, body, headers = {}, signal, stream = false } = {}) {
    const [method, template] = ENDPOINTS[name].split(" ");
    const address = root + filled(template, path) + queryString(query);
    const init = { method, headers: { Accept: stream ? "text/event-stream" : "application/json", ...headers } };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers["Content-Type"] = "application/json";
    }
    const limit = SLOW.has(name) ? SLOW_TIMEOUT_MS : TIMEOUT_MS;
    const attempt = async (token) => {
      init.headers.Authorization = `Bearer ${token}`;
      return timed(address, init, limit, signal);
    };
    const first = await attempt(await auth.token());
    if (first.ok) return first;
    const problem = await problemOf(first);
    if (first.status !== 401 || problem.code === "consent_needed") throw problem;
    const second = await attempt(await auth.renew({ claims: problem.problem.claims }));
    if (second.ok) return second;
    throw await problemOf(second);
  }

  async function timed(address, init, limit, signal) {
    const controller = new AbortController();
    const leave = () => controller.abort(signal.reason);
    if (signal?.aborted) leave();
    signal?.addEventListener("abort", leave, { once: true });
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      controller.abort();
    }, limit);
    try {
      return await fetch(address, { ...init, signal: controller.signal, credentials: "omit", cache: "no-store" });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw over ? new TimedOut("The service took too long to answer.") : new Offline("The service cannot be reached.");
    } finally {
      clearTimeout(timer); // the signal stays tied to the request: leaving a view also ends a stream
    }
  }

  /** {data, etag, status}. Throws the classes of errors.js. */
  async function request(name, options) {
    const response = await send(name, options);
    const etag = response.headers.get("ETag");
    if (response.status === 204) return { data: null, etag, status: 204 };
    try {
      return { data: await response.json(), etag, status: response.status };
    } catch (error) {
      if (options?.signal?.aborted) throw error;
      throw new ServerError("The service's answer could not be read.", { status: response.status });
    }
  }

  async function call(name, options) {
    return (await request(name, options)).data;
  }

  /** Reports the run on every change, until it is over; resolves to its last state. */
  async function follow(run, onRun, signal) {
    let last = null;
    const take = (seen) => {
      last = seen;
      onRun(seen);
    };
    try {
      const response = await send("runEvents", { path: { run }, signal, stream: true });
      await readEvents(response, ({ event, data }) => event === "run" && take(JSON.parse(data)));
    } catch (error) {
      if (signal?.aborted || error instanceof NotSignedIn) throw error;
    }
    while (!last || !isOver(last)) {
      take(await call("run", { path: { run }, signal }));
      if (!isOver(last)) await pause(pollMs, signal);
    }
    return last;
  }

  return { call, request, follow };
}

function filled(template, path) {
  return template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name]));
}

/** Arrays become repeated parameters; null and undefined are left out. */
function queryString(query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) if (each !== null && each !== undefined) parameters.append(name, each);
  }
  const text = parameters.toString();
  return text && `?${text}`;
}

async function problemOf(response) {
  const problem = await response.json().catch(() => null);
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return errorOf(response.status, problem, {
    retryAfter: Number.isNaN(seconds) ? null : seconds,
    requestId: response.headers.get("X-Request-Id") ?? "",
  });
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
