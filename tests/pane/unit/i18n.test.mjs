import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, pickLanguage, relative, setTexts, t, tOr } from "../../../addin/js/i18n.js";

test("the first wanted language that there are texts for is taken, whatever its region", () => {
  assert.equal(pickLanguage(["de-CH", "fr"]), "de");
  assert.equal(pickLanguage(["xx", null, undefined, "uk_UA"]), "uk");
  assert.equal(pickLanguage(["eng-x", "zz"]), "en");
  assert.equal(pickLanguage([]), "en");
});

test("numbers choose the plural form of the language", () => {
  setTexts("uk", { run: { one: "{n} запуск", few: "{n} запуски", many: "{n} запусків", other: "{n} запусків" } });
  assert.deepEqual([1, 3, 5, 21, 22, 111].map((n) => t("run", { n })), ["1 запуск", "3 запуски", "5 запусків", "21 запуск", "22 запуски", "111 запусків"]);
});

test("numbers are written as usual in the language, and missing values leave no gap sign", () => {
  setTexts("de", { many: { one: "{n}", other: "{n} Kontakte" }, name: "Hallo {name}" });
  assert.equal(t("many", { n: 12345 }), "12.345 Kontakte");
  assert.equal(t("name", {}), "Hallo ");
});

test("a value that looks like a placeholder is not filled in again", () => {
  setTexts("en", { title: "{a}{b}" });
  assert.equal(t("title", { a: "{b}", b: "x" }), "{b}x");
});

test("the first known key counts, else the words given instead", () => {
  setTexts("en", { known: "yes" });
  assert.equal(tOr(["unknown", "known"], "no"), "yes");
  assert.equal(tOr("unknown", "no"), "no");
});

test("times are told as people do", () => {
  setTexts("en", {});
  const now = Date.parse("2026-11-21T12:00:00Z");
  assert.equal(relative("2026-11-21T11:59:55Z", now), "now");
  assert.equal(relative("2026-11-21T11:57:00Z", now), "3 minutes ago");
  assert.equal(relative("2026-11-21T14:30:00Z", now), "in 2 hours");
  assert.equal(relative("2026-11-18T12:00:00Z", now), "3 days ago");
  assert.equal(duration(3_725), "1 hr 2 min");
  assert.equal(duration(0), "0 sec");
});
