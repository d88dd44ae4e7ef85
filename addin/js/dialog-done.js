/**
 * The page a sign-in window ends on. It reads its result from the address fragment (`#code=…`, or `#error=…&message=…`;
 * `kind` overrides the page's own), takes it out of the address, and hands it to the pane of the same origin.
 */

import { pickLanguage, t, useLanguage } from "./i18n.js";

const OFFICE_MS = 8_000;

function result(fragment, kind) {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  const code = values.get("code");
  if (code && !values.get("error")) return { kind: values.get("kind") ?? kind, code };
  const error = values.get("error") ?? "failed";
  return { kind: "error", error, message: values.get("message") ?? "" };
}

/**
 * True when somebody was told. A pane in Outlook hears Office.js alone, a pane without Outlook (demonstration) its own
 * window alone; an opener there is in both cases, because Outlook on the web opens its dialogs as windows.
 */
async function hand(message) {
  const targetOrigin = window.location.origin;
  const { opener } = window;
  opener?.postMessage(message, targetOrigin);
  const office = await new Promise((resolve) => {
    const until = Date.now() + OFFICE_MS;
    const look = () => {
      if (window.Office?.onReady || Date.now() > until) resolve(window.Office);
      else setTimeout(look, 50);
    };
    look();
  });
  if (!office?.onReady) return Boolean(opener);
  const { host } = await office.onReady();
  if (!office.context?.ui?.messageParent || (opener && !host)) return Boolean(opener);
  office.context.ui.messageParent(message, { targetOrigin });
  return true;
}

const found = result(window.location.hash, document.body.dataset.kind);
window.location.hash = ""; // Office.js takes the history functions away, so this is the way to forget the code
await useLanguage(pickLanguage(navigator.languages ?? [navigator.language])).catch(() => {});
const told = await hand(JSON.stringify(found)).catch(() => false);
const good = told && found.kind !== "error";
document.querySelector(".spinner")?.remove();
document.getElementById("heading").textContent = t(good ? "done.heading" : "done.failed");
document.getElementById("text").textContent = t(good ? "done.text" : told ? "done.failed_text" : "done.nobody");
document.body.dataset.state = good ? "done" : "failed";
