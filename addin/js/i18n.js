/**
 * Words, numbers and times in the person's language. Texts are in `locales/<language>.json`: a string, or an object of
 * plural forms chosen by `{n}`. All languages carry the same keys, so that nothing is ever mixed.
 */

export const LANGUAGES = ["en", "de", "fr", "uk"];

let language = "en";
// For the one case in which no file can be read at all.
let texts = {
  "common.close": "Close",
  "common.loading": "Loading",
  "common.retry": "Try again",
  "error.offline": "This device is not connected to a network.",
  "error.unreachable_service": "The sync service does not answer. Try again in a moment.",
  "error.unexpected": "Something unexpected happened in the pane.",
  "screen.offline.title": "No connection",
  "screen.server_error.title": "That did not work",
};
let plurals = new Intl.PluralRules("en");

/** The first of the wanted tags ("de-CH") whose language there is a file for; else English. */
export function pickLanguage(wanted) {
  for (const tag of wanted) {
    const found = LANGUAGES.find((each) => each === String(tag ?? "").toLowerCase().split(/[-_]/)[0]);
    if (found) return found;
  }
  return "en";
}

/** Fetches the texts and makes the language the page's own. A file that cannot be read leaves English. */
export async function useLanguage(wanted) {
  const response = await fetch(new URL(`../locales/${wanted}.json`, import.meta.url));
  if (!response.ok) {
    if (wanted !== "en") await useLanguage("en");
    return;
  }
  setTexts(wanted, await response.json());
}

export function setTexts(chosen, loaded) {
  language = chosen;
  texts = loaded;
  plurals = new Intl.PluralRules(chosen);
  if (typeof document !== "undefined") document.documentElement.lang = chosen;
}

export function currentLanguage() {
  return language;
}

export function hasText(key) {
  return key in texts;
}

/** The text of a key with its `{values}` filled in. `n` chooses the plural form. Numbers are written as usual there. */
export function t(key, values = {}) {
  const entry = texts[key];
  if (entry === undefined) return key;
  const text = typeof entry === "string" ? entry : (entry[plurals.select(values.n ?? 0)] ?? entry.other);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value ?? "");
  });
}

/** The first key that there is a text for, else `otherwise`. */
export function tOr(keys, otherwise, values) {
  const key = [keys].flat().find(hasText);
  return key === undefined ? otherwise : t(key, values);
}

const made = new Map();

function formatter(Kind, options) {
  const key = `${Kind.name} ${language} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Kind(language, options));
  return made.get(key);
}

export function number(value, options = {}) {
  return formatter(Intl.NumberFormat, options).format(value);
}

export function list(values) {
  return formatter(Intl.ListFormat, { style: "long", type: "conjunction" }).format(values);
}

/** A time of day when it is today, else date and time. */
export function when(iso) {
  const at = new Date(iso);
  const today = new Date().toDateString() === at.toDateString();
  const options = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return formatter(Intl.DateTimeFormat, options).format(at);
}

export function clockTime(iso) {
  return formatter(Intl.DateTimeFormat, { timeStyle: "short" }).format(new Date(iso));
}

/** "2026-11-21" as a date of no time zone. */
export function day(iso) {
  const [year, month, date] = iso.slice(0, 10).split("-").map(Number);
  return formatter(Intl.DateTimeFormat, { dateStyle: "medium" }).format(new Date(year, month - 1, date));
}

const STEPS = [
  [60, "second", 1],
  [3_600, "minute", 60],
  [86_400, "hour", 3_600],
  [Infinity, "day", 86_400],
];

/** "3 minutes ago", "in 2 minutes"; "now" within ten seconds. */
export function relative(iso, now = Date.now()) {
  const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
  const relativeTime = formatter(Intl.RelativeTimeFormat, { numeric: "auto" });
  if (Math.abs(seconds) < 10) return relativeTime.format(0, "second");
  const [, unit, size] = STEPS.find(([limit]) => Math.abs(seconds) < limit);
  return relativeTime.format(Math.trunc(seconds / size), unit);
}

/** A length of time in the two largest units: "1 hr, 5 min". */
export function duration(seconds) {
  const parts = [
    ["hour", Math.floor(seconds / 3600)],
    ["minute", Math.floor((seconds % 3600) / 60)],
    ["second", Math.round(seconds % 60)],
  ].filter(([, amount]) => amount > 0);
  const words = (parts.length ? parts : [["second", 0]])
    .slice(0, 2)
    .map(([unit, amount]) => number(amount, { style: "unit", unit, unitDisplay: "short" }));
  return formatter(Intl.ListFormat, { style: "narrow", type: "unit" }).format(words);
}
