import assert from "node:assert/strict";
import { test } from "node:test";
import { eventParser, readEvents } from "../../../addin/js/event-stream.js";

function parsed(...chunks) {
  const events = [];
  const feed = eventParser((event) => events.push(event));
  chunks.forEach(feed);
  return events;
}

test("events are told apart whatever ends their lines", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = ["event: run", "data: 1", "", "event: end", "data: 2", "", ":x", ""].join(end);
    assert.deepEqual(parsed(text), [{ event: "run", data: "1" }, { event: "end", data: "2" }]);
  }
});

test("an event may arrive in pieces cut anywhere", () => {
  const text = ': hello\r\nevent: run\r\ndata: {"a":1}\r\ndata: x\r\n\r\n';
  for (let cut = 0; cut <= text.length; cut += 1) {
    assert.deepEqual(parsed(text.slice(0, cut), text.slice(cut)), [{ event: "run", data: '{"a":1}\nx' }], `cut at ${cut}`);
  }
});

test("comments and blank lines are no events", () => {
  assert.deepEqual(parsed(":\n\n: keep-alive\n\n\n"), []);
});

test("letters of two bytes survive a cut between them", async () => {
  const bytes = new TextEncoder().encode("data: Käthe\n\n");
  const at = bytes.indexOf(0xc3) + 1;
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.slice(0, at));
      controller.enqueue(bytes.slice(at));
      controller.close();
    },
  });
  const events = [];
  await readEvents({ body }, (event) => events.push(event.data));
  assert.deepEqual(events, ["Käthe"]);
});

test("a stream that falls silent is given up", async () => {
  const body = new ReadableStream({ start() {} });
  await assert.rejects(readEvents({ body }, () => {}, { silenceMs: 5 }), /silent/);
});
