import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "../../../addin/js/api.js";
import * as errors from "../../../addin/js/errors.js";

const json = (body, init = {}) =>
  new Response(body === null ? null : JSON.stringify(body), { headers: { "Content-Type": "application/json", ...init.headers }, status: init.status ?? 200 });

/** answers: responses, or functions of (address, init), one for each request in order. */
function served(...answers) {
  const requests = [];
  const renewals = [];
  const auth = {
    token: async () => "first",
    renew: async (request) => {
      renewals.push(request);
      return "second";
    },
  };
  const fetch = async (address, init) => {
    requests.push({ address, ...init, headers: { ...init.headers } });
    const answer = answers.shift();
    return typeof answer === "function" ? answer(address, init) : answer;
  };
  return { api: createApi({ root: "/api/v1", auth, fetch, pollMs: 1 }), requests, renewals };
}

test("a request carries the token, its path and its parameters, and no cookie", async () => {
  const { api, requests } = served(json({ people: [] }));
  await api.call("context", { query: { address: ["a@x", "b@y"], nothing: null } });
  assert.equal(requests[0].address, "/api/v1/context?address=a%40x&address=b%40y");
  assert.equal(requests[0].headers.Authorization, "Bearer first");
  assert.equal(requests[0].credentials, "omit");
});

test("what stands in a path is escaped", async () => {
  const { api, requests } = served(json({ found: {} }));
  await api.call("explanation", { path: { side: "outlook", id: "AA/B=?" } });
  assert.equal(requests[0].address, "/api/v1/records/outlook/AA%2FB%3D%3F/explanation");
});

test("a refused token is renewed once, with the claims that were asked for", async () => {
  const refusal = { status: 401, headers: {} };
  const { api, requests, renewals } = served(json({ code: "not_signed_in", claims: "{}" }, refusal), json({ name: "Anna" }));
  assert.deepEqual(await api.call("me"), { name: "Anna" });
  assert.deepEqual(renewals, [{ claims: "{}" }]);
  assert.deepEqual(requests.map((each) => each.headers.Authorization), ["Bearer first", "Bearer second"]);
});

test("a token that is refused again is not renewed for ever", async () => {
  const refusal = () => json({ code: "not_signed_in", detail: "no" }, { status: 401 });
  const { api, requests } = served(refusal(), refusal());
  await assert.rejects(api.call("me"), errors.NotSignedIn);
  assert.equal(requests.length, 2);
});

test("missing consent is told apart and asks for no new token", async () => {
  const { api, renewals } = served(json({ code: "consent_needed", detail: "no" }, { status: 401 }));
  await assert.rejects(api.call("me"), errors.ConsentNeeded);
  assert.deepEqual(renewals, []);
});

for (const [status, body, Kind] of [
  [404, { code: "not_connected" }, errors.NotConnected],
  [404, { code: "not_found" }, errors.NotFound],
  [403, { code: "not_allowed" }, errors.NotAllowed],
  [409, { code: "already_running", run: "r" }, errors.AlreadyRunning],
  [409, { code: "conflict" }, errors.Refused],
  [412, { code: "precondition_failed" }, errors.Stale],
  [422, { code: "invalid", errors: [] }, errors.Refused],
  [429, { code: "too_many_requests" }, errors.TryLater],
  [503, { code: "throttled" }, errors.TryLater],
  [502, { code: "side_failing" }, errors.ServerError],
  [500, null, errors.ServerError],
]) {
  test(`${status} ${body?.code ?? "without a body"} becomes ${Kind.name}`, async () => {
    const { api } = served(json(body, { status, headers: { "X-Request-Id": "abc", "Retry-After": "7" } }));
    await assert.rejects(api.call("status"), (error) => {
      assert.equal(error.constructor, Kind);
      assert.equal(error.requestId, "abc");
      assert.equal(error.retryAfter, 7);
      return true;
    });
  });
}

test("no answer is Offline, and an answer that is no JSON a ServerError", async () => {
  const { api } = served(
    () => Promise.reject(new TypeError("Failed to fetch")),
    new Response("<html>", { status: 200 }),
  );
  await assert.rejects(api.call("me"), errors.Offline);
  await assert.rejects(api.call("me"), errors.ServerError);
});

test("leaving a view ends its request and is no error of its own", async () => {
  const controller = new AbortController();
  const { api } = served(
    (_, init) =>
      new Promise((_resolve, reject) => {
        const leave = () => reject(init.signal.reason);
        if (init.signal.aborted) leave();
        init.signal.addEventListener("abort", leave);
      }),
  );
  const asked = api.call("me", { signal: controller.signal });
  controller.abort(new DOMException("left", "AbortError"));
  await assert.rejects(asked, { name: "AbortError" });
});

test("a run is followed by its events", async () => {
  const stream = new Response('event: run\ndata: {"run":"r","state":"running"}\n\nevent: run\ndata: {"run":"r","state":"done"}\n\nevent: end\ndata: {}\n\n');
  const { api, requests } = served(stream);
  const seen = [];
  const last = await api.follow("r", (run) => seen.push(run.state));
  assert.deepEqual(seen, ["running", "done"]);
  assert.equal(last.state, "done");
  assert.equal(requests.length, 1);
  assert.equal(requests[0].headers.Accept, "text/event-stream");
});

test("where events do not come through, the run is asked for until it is over", async () => {
  const { api, requests } = served(
    json({ code: "side_failing" }, { status: 502 }),
    json({ run: "r", state: "running" }),
    json({ run: "r", state: "held" }),
  );
  const last = await api.follow("r", () => {});
  assert.equal(last.state, "held");
  assert.deepEqual(requests.map((each) => each.address), ["/api/v1/syncs/r/events", "/api/v1/syncs/r", "/api/v1/syncs/r"]);
});

test("a stream that breaks off in the middle goes on by asking", async () => {
  const { api } = served(new Response('event: run\ndata: {"run":"r","state":"running"}\n\n'), json({ run: "r", state: "done" }));
  assert.equal((await api.follow("r", () => {})).state, "done");
});
