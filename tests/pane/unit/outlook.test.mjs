import assert from "node:assert/strict";
import { test } from "node:test";
import { createOutlook, DialogClosed, DialogFailed, HOST, NO_HOST, UNREACHABLE } from "../../../addin/js/outlook.js";

const ORIGIN = "https://sync.example.com";

/** A window whose Office.js behaves as asked: {host, item, selected, supported, dialog}. */
function windowWith({ host = "Outlook", item = null, selected, supported = () => true, dialog } = {}) {
  const office = {
    onReady: async () => ({ host }),
    EventType: { DialogMessageReceived: "message", DialogEventReceived: "event" },
    context: {
      mailbox: { item, getSelectedItemsAsync: (done) => done({ status: "succeeded", value: selected ?? [] }) },
      requirements: { isSetSupported: supported },
      ui: { displayDialogAsync: dialog },
    },
  };
  return { Office: office, location: { origin: ORIGIN }, document: {}, addEventListener() {} };
}

async function started(options) {
  const outlook = createOutlook({ window: windowWith(options) });
  assert.equal(await outlook.start(1_000), HOST);
  return outlook;
}

const person = (displayName, emailAddress) => ({ displayName, emailAddress });
const later = (value, status = "succeeded") => ({ getAsync: (done) => done({ status, value }) });

test("without a host the pane is told so, and without Office.js it does not wait for ever", async () => {
  assert.equal(await createOutlook({ window: windowWith({ host: null }) }).start(1_000), NO_HOST);
  const silent = { document: { querySelector: () => ({ addEventListener() {} }), addEventListener() {} }, addEventListener() {}, location: {} };
  assert.equal(await createOutlook({ window: silent }).start(5), UNREACHABLE);
});

test("an Office.js that failed to load is known at once", async () => {
  const listeners = {};
  const script = { addEventListener: (name, listener) => (listeners[name] = listener) };
  const outlook = createOutlook({ window: { document: { querySelector: () => script, addEventListener() {} }, addEventListener() {}, location: {} } });
  const start = outlook.start(60_000);
  listeners.error();
  assert.equal(await start, UNREACHABLE);
});

test("people of a read message come once each, sender first", async () => {
  const outlook = await started({
    item: {
      itemType: "message",
      subject: "Offer",
      from: person("Bogdan", "b@x.example"),
      sender: person("", "B@X.example"),
      to: [person("Maria", "m@y.example"), person("A list", "")],
      cc: [person("", "c@z.example")],
    },
  });
  const item = await outlook.item();
  assert.deepEqual(item.people, [
    { name: "Bogdan", address: "b@x.example" },
    { name: "Maria", address: "m@y.example" },
    { name: "c@z.example", address: "c@z.example" },
  ]);
  assert.deepEqual([item.kind, item.subject, item.compose], ["mail", "Offer", false]);
});

test("a draft is asked for its people, and what cannot be read is left out", async () => {
  const outlook = await started({
    item: {
      itemType: "appointment",
      subject: { ...later("Kick-off"), setAsync() {} },
      requiredAttendees: later([person("Nina", "n@x.example")]),
      optionalAttendees: later(null, "failed"),
    },
  });
  const item = await outlook.item();
  assert.deepEqual([item.kind, item.subject, item.compose, item.people.length], ["appointment", "Kick-off", true, 1]);
});

test("no item and several items are told apart", async () => {
  assert.equal((await (await started({ item: null })).item()).kind, "none");
  assert.equal((await (await started({ item: null, selected: [1, 2] })).item()).kind, "several");
});

test("a dialog settles when it is closed, fails, or answers from our own origin", async () => {
  const opened = async (then) => {
    const handlers = {};
    const dialog = (_url, _options, done) =>
      done({ status: "succeeded", value: { addEventHandler: (type, handler) => (handlers[type] = handler), close() {} } });
    const answer = (await started({ dialog })).openDialog(`${ORIGIN}/auth/start`);
    then(handlers);
    return answer;
  };
  await assert.rejects(opened(({ event }) => event({ error: 12006 })), DialogClosed);
  await assert.rejects(opened(({ event }) => event({ error: 12003 })), DialogFailed);
  const answer = await opened(({ message }) => {
    message({ message: '{"kind":"entra","code":"stolen"}', origin: "https://evil.example" });
    message({ message: '{"kind":"entra","code":"ours"}', origin: ORIGIN });
  });
  assert.equal(answer.code, "ours");
  const refused = await started({ dialog: (_url, _options, done) => done({ status: "failed", error: { code: 12007 } }) });
  await assert.rejects(refused.openDialog("x"), (error) => error instanceof DialogFailed && error.code === 12007);
});
