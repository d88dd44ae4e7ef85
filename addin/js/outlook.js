/**
 * The only file that knows Office.js: host, open item, theme, dialog, alerts. Everything is asked for guarded, because
 * the pane also runs without a host (demonstration) and in Outlooks that offer little.
 */

export const HOST = "host";
export const NO_HOST = "no-host";
export const UNREACHABLE = "unreachable";

const DIALOG_MINUTES = 10;
const CLOSED_BY_PERSON = 12006;
const ALERT_KEY = "orosync";
const ALERT_ICON = "Icon.16"; // resource id of the manifest
const ALERT_LENGTH = 150;

/** A dialog that was closed before it had an answer. */
export class DialogClosed extends Error {}
/** A dialog that could not be opened or shown; `code` is Office's. */
export class DialogFailed extends Error {
  constructor(code) {
    super(`The sign-in window could not be opened (${code}).`);
    this.code = code;
  }
}

/** window: for tests. demo: a page of the same origin may play Outlook by messages. */
export function createOutlook({ window = globalThis.window } = {}) {
  let host = NO_HOST;
  let demoItem = null;
  const loaded = scriptLoaded(window); // listened to from the first moment, or a quick failure would go unheard
  loaded.catch(() => {});
  const office = () => window.Office;
  const mailbox = () => (host === HOST ? office()?.context?.mailbox : undefined);

  function supports(set, version) {
    return host === HOST && Boolean(office().context.requirements?.isSetSupported(set, version));
  }

  /** HOST, NO_HOST, or UNREACHABLE when Office.js did not come within the time. */
  async function start(timeoutMs) {
    const ready = loaded.then(() => office().onReady());
    const info = await Promise.race([ready, sleep(timeoutMs).then(() => null)]).catch(() => null);
    host = info === null ? UNREACHABLE : info.host && office().context?.mailbox ? HOST : NO_HOST;
    return host;
  }

  function listen(eventName, listener) {
    const type = office()?.EventType?.[eventName];
    if (type && mailbox()) mailbox().addHandlerAsync(type, listener, () => {});
  }

  function onItemChanged(listener) {
    if (supports("Mailbox", "1.5")) listen("ItemChanged", listener);
    if (supports("Mailbox", "1.13")) listen("SelectedItemsChanged", listener);
  }

  function onThemeChanged(listener) {
    if (supports("Mailbox", "1.14")) listen("OfficeThemeChanged", listener);
  }

  /** From a page of the same origin that frames the pane: {kind: "orosync-demo-item", item: {from, subject} | null}. */
  function acceptDemoItems(listener) {
    window.addEventListener("message", (event) => {
      if (event.origin !== window.location.origin || event.data?.kind !== "orosync-demo-item") return;
      demoItem = event.data.item ?? null;
      listener();
    });
  }

  /**
   * The open item: {kind: "none" | "several" | "mail" | "appointment", subject, compose, people: [{name, address}]}.
   * People are in the order sender, recipients; each address once.
   */
  async function item() {
    if (host !== HOST) return demoItem ? fromDemo(demoItem) : { kind: "none" };
    if (await severalSelected()) return { kind: "several" };
    const open = mailbox().item;
    if (!open) return { kind: "none" };
    const appointment = open.itemType === "appointment";
    const names = appointment
      ? ["organizer", "requiredAttendees", "optionalAttendees"]
      : ["from", "sender", "to", "cc"];
    const groups = await Promise.all(names.map((name) => read(open[name])));
    const subject = await read(open.subject);
    return {
      kind: appointment ? "appointment" : "mail",
      compose: typeof open.subject?.setAsync === "function",
      subject: typeof subject === "string" ? subject : "",
      people: unique(groups.flat()),
    };
  }

  async function severalSelected() {
    if (!supports("Mailbox", "1.13") || !mailbox().getSelectedItemsAsync) return false;
    const selected = await settled((done) => mailbox().getSelectedItemsAsync(done));
    return Array.isArray(selected) && selected.length > 1;
  }

  /** Calls back when recipients of the open draft change. */
  function onRecipientsChanged(listener) {
    const open = mailbox()?.item;
    if (open && typeof open.subject?.setAsync === "function" && supports("Mailbox", "1.7")) {
      open.addHandlerAsync?.(office().EventType.RecipientsChanged, listener, () => {});
    }
  }

  /** Light or dark by Outlook's own background, "#rrggbb", or null where Outlook does not say. */
  function background() {
    return supports("Mailbox", "1.14") ? (office().context.officeTheme?.bodyBackgroundColor ?? null) : null;
  }

  /** Opens a page of our own origin and resolves to the object it sends back; always settles. */
  function openDialog(url) {
    return host === HOST ? officeDialog(office(), window, url) : browserDialog(window, url);
  }

  /** At most 150 characters in the open message's notification bar; null takes it away. */
  function alert(text) {
    const messages = mailbox()?.item?.notificationMessages;
    if (!messages || !supports("Mailbox", "1.3")) return;
    try {
      if (text === null) {
        messages.removeAsync(ALERT_KEY, () => {});
        return;
      }
      const type = office().MailboxEnums.ItemNotificationMessageType.InformationalMessage;
      const message = text.length > ALERT_LENGTH ? `${text.slice(0, ALERT_LENGTH - 1)}…` : text;
      messages.replaceAsync(ALERT_KEY, { type, message, icon: ALERT_ICON, persistent: false }, () => {});
    } catch {
      // An Outlook that refuses a notification still shows everything in the pane.
    }
  }

  return {
    start,
    supports,
    item,
    alert,
    background,
    openDialog,
    onItemChanged,
    onThemeChanged,
    onRecipientsChanged,
    acceptDemoItems,
    displayLanguage: () => (host === HOST ? office().context.displayLanguage : null),
    loginHint: () => mailbox()?.userProfile?.emailAddress ?? null,
  };
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves when Office.js is there; rejects when its script failed to load. */
function scriptLoaded(window) {
  if (window.Office?.onReady) return Promise.resolve();
  const script = window.document.querySelector('script[src*="office.js"]');
  return new Promise((resolve, reject) => {
    const judge = () => (window.Office?.onReady ? resolve() : reject(new Error("Office.js could not be loaded")));
    if (!script || window.document.readyState === "complete") judge();
    for (const event of ["load", "error"]) script?.addEventListener(event, judge);
    // It may have failed before anybody listened; deferred scripts are settled by then in any case.
    window.document.addEventListener("DOMContentLoaded", judge);
    window.addEventListener("load", judge);
  });
}

/** The value of an `…Async(callback)` call, or null when it fails. */
function settled(start) {
  return new Promise((resolve) => {
    try {
      start((result) => resolve(result?.status === "succeeded" ? result.value : null));
    } catch {
      resolve(null);
    }
  });
}

/** A property of an item that is read, or its `getAsync` while the item is being written. */
async function read(property) {
  if (typeof property?.getAsync !== "function") return property ?? [];
  return (await settled((done) => property.getAsync(done))) ?? [];
}

function unique(details) {
  const seen = new Map();
  for (const each of details) {
    const address = (each?.emailAddress ?? "").trim();
    const key = address.toLowerCase();
    if (address.includes("@") && !seen.has(key)) seen.set(key, { name: each.displayName || address, address });
  }
  return [...seen.values()];
}

function fromDemo(item) {
  const people = [item.from, ...(item.to ?? [])].map((each) => ({ displayName: each?.name, emailAddress: each?.address }));
  return { kind: "mail", compose: false, subject: String(item.subject ?? ""), people: unique(people) };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { kind: "error", message: "" };
  }
}

function officeDialog(Office, window, url) {
  return new Promise((resolve, reject) => {
    const options = { height: 60, width: 30, promptBeforeOpen: false };
    Office.context.ui.displayDialogAsync(url, options, (result) => {
      if (result.status !== "succeeded") {
        reject(new DialogFailed(result.error?.code ?? 0));
        return;
      }
      const dialog = result.value;
      const close = () => {
        clearTimeout(timer);
        try {
          dialog.close();
        } catch {
          // it is closed already
        }
      };
      const timer = setTimeout(() => (close(), reject(new DialogClosed("time is over"))), DIALOG_MINUTES * 60_000);
      dialog.addEventHandler(Office.EventType.DialogMessageReceived, ({ message, origin }) => {
        if (origin && origin !== window.location.origin) return;
        close();
        resolve(parsed(message));
      });
      dialog.addEventHandler(Office.EventType.DialogEventReceived, ({ error }) => {
        close();
        reject(error === CLOSED_BY_PERSON ? new DialogClosed("closed") : new DialogFailed(error));
      });
    });
  });
}

/** Without Outlook (demonstration) an ordinary window does. */
function browserDialog(window, url) {
  return new Promise((resolve, reject) => {
    const popup = window.open(url, "_blank", "popup,width=480,height=640");
    if (!popup) {
      reject(new DialogFailed("popup blocked"));
      return;
    }
    const end = () => {
      clearInterval(watch);
      clearTimeout(timer);
      window.removeEventListener("message", hear);
      popup.close();
    };
    const hear = (event) => {
      if (event.origin !== window.location.origin || event.source !== popup) return;
      end();
      resolve(parsed(event.data));
    };
    const watch = setInterval(() => popup.closed && (end(), reject(new DialogClosed("closed"))), 500);
    const timer = setTimeout(() => (end(), reject(new DialogClosed("time is over"))), DIALOG_MINUTES * 60_000);
    window.addEventListener("message", hear);
  });
}
