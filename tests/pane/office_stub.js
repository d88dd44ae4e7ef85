/**
 * Plays Office.js for the browser tests: as much of Outlook as the pane uses, as strict as Outlook where a mistake would
 * show only there. Seeded by `window.__seed`, driven by `window.__outlook`; see office.py.
 */
(() => {
  const seed = { host: true, sets: { Mailbox: 1.15 }, language: "en-US", dark: false, item: null, ...window.__seed };
  const handlers = {};
  const shown = new Map(); // notifications of the open message
  const dialogs = [];
  let { item, dark } = seed;
  let selected = item ? 1 : 0;
  let bound = null;

  const done = (callback, value) => callback?.({ status: "succeeded", value });
  const failed = (callback, code) => callback?.({ status: "failed", error: { code } });
  const tell = (type, args = {}) => (handlers[type] ?? []).forEach((handler) => handler({ type, ...args }));

  const notificationMessages = {
    replaceAsync(key, { type, message, icon, persistent }, callback) {
      const informs = type === "informationalMessage";
      if (key.length > 32 || message.length > 150) throw new Error("parameter too long");
      if (informs !== (icon !== undefined && typeof persistent === "boolean")) throw new Error("wrong members for this type");
      shown.set(key, message);
      done(callback);
    },
    removeAsync(key, callback) {
      if (shown.delete(key)) done(callback);
      else failed(callback, 9020);
    },
  };

  /** Read: plain members. Compose: the same names are objects with getAsync. */
  function asItem(facts) {
    if (!facts) return null;
    const { compose = false, itemType = "message", ...members } = facts;
    const wrapped = (value) => ({ getAsync: (callback) => done(callback, value), setAsync() {} });
    const own = Object.entries(members).map(([name, value]) => [name, compose ? wrapped(value) : value]);
    return { itemType, notificationMessages, addHandlerAsync, ...Object.fromEntries(own) };
  }

  function addHandlerAsync(type, handler, callback) {
    (handlers[type] ??= []).push(handler);
    done(callback);
  }

  /** As in Outlook on the web: a window of its own that has the pane as its opener. */
  function displayDialogAsync(url, options, callback) {
    dialogs.push(url);
    if (new URL(url).origin !== window.location.origin) return failed(callback, 12004);
    if (seed.dialogFails) return failed(callback, seed.dialogFails);
    const heard = {};
    const opened = window.open(url, "_blank", "popup,width=400,height=500");
    const watch = setInterval(() => {
      if (!opened.closed) return;
      clearInterval(watch);
      heard.dialogEventReceived?.({ error: 12006 });
    }, 50);
    window.addEventListener("message", ({ data, origin, source }) => {
      if (source === opened && data?.throughOffice) heard.dialogMessageReceived?.({ message: data.throughOffice, origin });
    });
    const close = () => (clearInterval(watch), opened.close());
    return done(callback, { close, addEventHandler: (type, handler) => (heard[type] = handler) });
  }

  window.Office = {
    onReady: () => Promise.resolve(seed.host ? { host: "Outlook", platform: "OfficeOnline" } : { host: null, platform: null }),
    EventType: {
      ItemChanged: "itemChanged",
      SelectedItemsChanged: "selectedItemsChanged",
      RecipientsChanged: "recipientsChanged",
      OfficeThemeChanged: "officeThemeChanged",
      DialogMessageReceived: "dialogMessageReceived",
      DialogEventReceived: "dialogEventReceived",
    },
    MailboxEnums: { ItemNotificationMessageType: { InformationalMessage: "informationalMessage" } },
    context: seed.host && {
      displayLanguage: seed.language,
      get officeTheme() {
        return dark ? { bodyBackgroundColor: "#212121" } : { bodyBackgroundColor: "#ffffff" };
      },
      requirements: { isSetSupported: (set, version = "1.1") => weight(seed.sets[set]) >= weight(version) },
      ui: {
        displayDialogAsync,
        messageParent: (message, { targetOrigin }) => window.opener.postMessage({ throughOffice: message }, targetOrigin),
      },
      mailbox: {
        userProfile: { emailAddress: seed.address ?? "boris@contoso.example" },
        addHandlerAsync,
        getSelectedItemsAsync: (callback) => done(callback, Array.from({ length: selected }, (_, at) => ({ itemId: `${at}` }))),
        get item() {
          return bound?.facts === item ? bound.made : (bound = { facts: item, made: asItem(item) }).made;
        },
      },
    },
  };

  /** "1.15" is later than "1.5". */
  function weight(version) {
    const [major, minor] = String(version ?? 0).split(".").map(Number);
    return major * 1000 + (minor ?? 0);
  }

  window.__outlook = {
    select(facts) {
      item = facts;
      selected = facts ? 1 : 0;
      shown.clear();
      tell("itemChanged");
    },
    selectSeveral(amount) {
      item = null;
      selected = amount;
      tell("selectedItemsChanged");
    },
    setDark(wanted) {
      dark = wanted;
      tell("officeThemeChanged");
    },
    alerts: () => [...shown.values()],
    dialogs: () => dialogs,
  };
})();
