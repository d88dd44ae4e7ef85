/**
 * The company's own piece of HTML. The service has cleaned it; here it is built anew from a short list of elements and
 * attributes, so that nothing else can enter the page whatever was stored.
 */

import { h } from "./dom.js";

const ELEMENTS = new Set(
  "a b blockquote br code dd div dl dt em h3 h4 hr i li ol p pre small span strong sub sup s u ul".split(" "),
);
const EVERYWHERE = ["class", "dir", "lang", "title"];
const LINK = /^\s*(https:|mailto:|tel:)/i;

export function look(html) {
  if (!html?.trim()) return null;
  const parsed = new DOMParser().parseFromString(html, "text/html"); // inert: runs nothing, loads nothing
  // `.look` is the only place that the company's style sheet reaches.
  return h("div", { class: "look", data: { part: "look" } }, [...parsed.body.childNodes].map(copied));
}

function copied(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  if (node.nodeType !== Node.ELEMENT_NODE) return null;
  const tag = node.localName;
  const children = [...node.childNodes].map(copied);
  if (!ELEMENTS.has(tag)) return ["script", "style", "template", "iframe", "object"].includes(tag) ? null : children;
  const attributes = {};
  for (const name of EVERYWHERE) if (node.hasAttribute(name)) attributes[name] = node.getAttribute(name);
  const href = tag === "a" ? node.getAttribute("href") : null;
  if (href !== null && LINK.test(href)) Object.assign(attributes, { href, target: "_blank", rel: "noopener noreferrer" });
  return h(tag, attributes, children);
}
