/** Server-sent events read from a fetch body, because EventSource cannot carry a bearer header. */

/** A parser fed with text in any pieces; calls `onEvent({event, data})` at each blank line. Comments only show life. */
export function eventParser(onEvent) {
  let rest = "";
  let event = "message";
  let data = [];
  const line = (text) => {
    if (text === "") {
      if (data.length) onEvent({ event, data: data.join("\n") });
      event = "message";
      data = [];
      return;
    }
    if (text.startsWith(":")) return;
    const colon = text.indexOf(":");
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
  };
  return (chunk) => {
    rest += chunk;
    // A lone CR at the end may be half of CRLF: it waits for the next piece.
    let match;
    while ((match = /\r\n|\n|\r(?!$)/.exec(rest))) {
      const text = rest.slice(0, match.index);
      rest = rest.slice(match.index + match[0].length);
      line(text);
    }
  };
}

/**
 * Reads a response to its end. Resolves when the stream ends. Rejects when it breaks, or is silent for `silenceMs`:
 * the service sends a comment every 15 seconds, so silence means that something in between swallows the stream.
 */
export async function readEvents(response, onEvent, { silenceMs = 40_000 } = {}) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const feed = eventParser(onEvent);
  for (;;) {
    let timer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("silent stream")), silenceMs);
    });
    try {
      const { done, value } = await Promise.race([reader.read(), silence]);
      if (done) return;
      feed(decoder.decode(value, { stream: true }));
    } catch (error) {
      reader.cancel().catch(() => {});
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
