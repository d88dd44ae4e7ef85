/** Light or dark, and the company's accent colour made readable in both. */

const WHITE = "#ffffff";
const BLACK = "#000000";
const READABLE = 4.5; // WCAG 2.2, 1.4.3

/** "#rgb" or "#rrggbb" -> [r, g, b], or null. */
export function parseColour(text) {
  const hex = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text ?? "")?.[1];
  if (!hex) return null;
  const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join("") : hex;
  return [0, 2, 4].map((at) => Number.parseInt(full.slice(at, at + 2), 16));
}

/** Relative luminance of WCAG, 0 (black) to 1 (white). */
export function luminance(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function mixed(rgb, towards, share) {
  return rgb.map((value, at) => Math.round(value + (towards[at] - value) * share));
}

function hex(rgb) {
  return `#${rgb.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** The nearest shade of a colour that can be read on all these backgrounds, which are all light or all dark. */
export function readableOn(rgb, backgrounds) {
  const towards = luminance(backgrounds[0]) > 0.18 ? [0, 0, 0] : [255, 255, 255];
  for (let share = 0; share < 1; share += 0.04) {
    const shade = mixed(rgb, towards, share);
    if (backgrounds.every((background) => contrast(shade, background) >= READABLE)) return shade;
  }
  return towards;
}

/** The custom properties that an accent colour sets, for light or dark. */
export function accentShades(accent, dark) {
  const rgb = parseColour(accent);
  if (!rgb) return {};
  const background = parseColour(dark ? "#292929" : WHITE);
  const hovered = parseColour(dark ? "#3d3d3d" : "#f5f5f5");
  const soft = mixed(background, rgb, dark ? 0.22 : 0.1);
  const white = contrast(rgb, parseColour(WHITE)) >= READABLE;
  const away = white ? [0, 0, 0] : [255, 255, 255]; // from the letters' colour, so that hovering stays readable
  return {
    "--accent-fill": hex(rgb),
    "--accent-fill-hover": hex(mixed(rgb, away, 0.14)),
    "--accent-fill-pressed": hex(mixed(rgb, away, 0.28)),
    "--accent-on-fill": white ? WHITE : BLACK,
    "--accent-text": hex(readableOn(rgb, [background, hovered, soft])),
    "--accent-soft": hex(soft),
    "--accent-stroke": hex(mixed(background, rgb, 0.45)),
  };
}

const PROPERTIES = Object.keys(accentShades("#0f6cbd", false));

/** background: Outlook's, or null: then the system's preference counts. */
export function isDark(background, prefersDark) {
  const rgb = parseColour(background);
  return rgb ? luminance(rgb) < 0.18 : prefersDark;
}

/** Keeps the page's theme in step with Outlook's (or the system's); `setAccent` adds the company's colour. */
export function createTheme({ outlook, forced = null, document = globalThis.document }) {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let accent = null;
  let dark = false;

  function show() {
    dark = forced ? forced === "dark" : isDark(outlook.background(), system.matches);
    root.dataset.theme = dark ? "dark" : "light";
    paint(root, accent);
  }

  function paint(node, colour) {
    for (const name of PROPERTIES) node.style.removeProperty(name);
    for (const [name, value] of Object.entries(accentShades(colour, dark))) node.style.setProperty(name, value);
  }

  system.addEventListener("change", show);
  show();
  return {
    show,
    paint,
    setAccent(colour) {
      accent = colour;
      paint(root, accent);
    },
  };
}
