import assert from "node:assert/strict";
import { test } from "node:test";
import { accentShades, contrast, isDark, luminance, parseColour } from "../../../addin/js/theme.js";

test("colours are read in both spellings, and nothing else is a colour", () => {
  assert.deepEqual(parseColour("#0f6cbd"), [15, 108, 189]);
  assert.deepEqual(parseColour("FFF"), [255, 255, 255]);
  for (const text of ["", null, "red", "#12345", "#12345g", "url(x)"]) assert.equal(parseColour(text), null);
});

test("contrast is WCAG's", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(Math.round(contrast([118, 118, 118], [255, 255, 255]) * 100) / 100, 4.54);
  assert.equal(luminance([255, 255, 255]), 1);
});

test("Outlook's background decides; without it the system does", () => {
  assert.equal(isDark("#1f1f1f", false), true);
  assert.equal(isDark("#ffffff", true), false);
  assert.equal(isDark("#f0f0f0", true), false);
  assert.equal(isDark(null, true), true);
  assert.equal(isDark("nonsense", false), false);
});

test("any accent colour stays readable, in light and in dark, also while hovered and pressed", () => {
  const steps = [0, 51, 102, 153, 204, 255];
  for (const r of steps) for (const g of steps) for (const b of steps) {
    const accent = `#${[r, g, b].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
    for (const dark of [false, true]) {
      const shades = accentShades(accent, dark);
      const on = parseColour(shades["--accent-on-fill"]);
      for (const fill of ["--accent-fill", "--accent-fill-hover", "--accent-fill-pressed"]) {
        assert.ok(contrast(parseColour(shades[fill]), on) >= 4.5, `${accent} ${fill} dark=${dark}`);
      }
      const text = parseColour(shades["--accent-text"]);
      const grounds = [dark ? "#292929" : "#ffffff", dark ? "#3d3d3d" : "#f5f5f5", shades["--accent-soft"]];
      for (const ground of grounds) assert.ok(contrast(text, parseColour(ground)) >= 4.5, `${accent} on ${ground} dark=${dark}`);
    }
  }
});

test("without an accent nothing is changed", () => {
  assert.deepEqual(accentShades(null, false), {});
});
