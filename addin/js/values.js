/** Values of records as people read them: dates, addresses, lists, and the names of fields. */

import { day, t, tOr, when } from "./i18n.js";
import { h } from "./dom.js";

const ADDRESS_PARTS = ["street", "postal_code", "city", "region", "country"];

export function fieldName(entity, name) {
  return tOr([`field.${entity}.${name}`, `field.${name}`], name.replace(/_/g, " "));
}

export function entityName(entity) {
  return tOr([`entity.${entity}.one`], entity);
}

/** Lines of text; none for what is empty. */
export function linesOf(value, name = "") {
  if (value === null || value === undefined || value === "") return [];
  if (typeof value === "boolean") return [t(value ? "common.yes" : "common.no")];
  if (Array.isArray(value)) return value.flatMap((each) => linesOf(each, name));
  if (typeof value === "object") return ofObject(value);
  const text = String(value);
  const known = tOr([`value.${name}.${text}`], null);
  if (known) return [known];
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return [day(text)];
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text)) return [when(text)];
  return text.split("\n");
}

function ofObject(value) {
  if (ADDRESS_PARTS.some((part) => part in value)) {
    const { street, postal_code: code, city, region, country } = value;
    return [...linesOf(street), [code, city].filter(Boolean).join(" "), region, country].filter(Boolean);
  }
  return Object.entries(value)
    .filter(([, each]) => each !== null)
    .map(([key, each]) => `${key.replace(/_/g, " ")}: ${linesOf(each).join(", ")}`);
}

/** The value as an element; emptiness is said, not left blank. */
export function valueNode(value, name, props = {}) {
  const lines = linesOf(value, name);
  if (!lines.length) return h("span", { class: "value value-empty" }, t("value.empty"));
  return h("span", { class: "value", ...props }, lines.map((line, at) => [at ? h("br") : null, line]));
}
