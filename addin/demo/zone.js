/** Times of the mailbox's own time zone, as form controls have them: "2026-11-21" and "2026-11-21T09:30". */

const MINUTE_MS = 60_000;
let zone = "UTC";
let shown = {};

export function useZone(name) {
  zone = name;
  shown = {
    local: new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }),
    day: new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short" }),
    time: new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }),
  };
}

/** A moment of either system: "…Z", with an offset, or Graph's without one, which is UTC. */
export function moment(text) {
  if (!text) return null;
  const named = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text.slice(0, 19)}Z`;
  return new Date(named.replace(" ", "T"));
}

export function localMinute(date) {
  return date ? shown.local.format(date).replace(" ", "T") : "";
}

export function localDay(date) {
  return localMinute(date).slice(0, 10);
}

/** The moment a local "2026-11-21T09:30" stands for. */
export function fromLocal(text) {
  const wanted = Date.parse(`${text}Z`);
  const first = wanted - offset(wanted);
  return new Date(wanted - offset(first)); // twice: the offset may change between the two
}

function offset(utc) {
  return Date.parse(`${localMinute(new Date(utc))}Z`) - Math.floor(utc / MINUTE_MS) * MINUTE_MS;
}

export function dayInWords(date) {
  return date ? shown.day.format(date) : "";
}

export function timeInWords(date) {
  return date ? shown.time.format(date) : "";
}
