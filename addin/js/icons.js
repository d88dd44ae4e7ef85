/** The pane's icons, drawn for it on a 20-unit grid; decorative, so hidden from screen readers. */

const PATHS = {
  status: "M4 10a6 6 0 0 1 10.4-4.1L16 7.5M16 4v3.5h-3.5M16 10a6 6 0 0 1-10.4 4.1L4 12.5M4 16v-3.5h3.5",
  crm: "M3 5.5h14v9H3zM3.5 6l6.5 5 6.5-5",
  conflicts: "M3 6.5h10M10 3.5l3 3-3 3M17 13.5H7M10 10.5l-3 3 3 3",
  activity: "M10 3.5a6.5 6.5 0 1 1-6.3 5M3.5 4.5v4h4M10 6.5V10l2.5 2",
  problems: "M10 3.5 17.5 16.5h-15zM10 8v4M10 14.2v.1",
  settings: "M3 6h8M15 6h2M3 14h2M9 14h8M13 4.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6M7 12.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6",
  contact: "M10 3.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6M4 16.5c0-3 2.5-4.5 6-4.5s6 1.5 6 4.5",
  task: "M4 4h12v12H4zM7 10l2.2 2.2L13.5 8",
  event: "M3.5 5h13v11.5h-13zM3.5 8.5h13M7 3v3.5M13 3v3.5",
  lead: "M10 2.8l2.2 4.5 5 .7-3.6 3.5.9 5-4.5-2.4-4.5 2.4.9-5L2.8 8l5-.7z",
  opportunity: "M3 16.5V12M8 16.5V9M13 16.5V6M3 8l5-3.5 3.5 1.5L17 2.5",
  case: "M3.5 6.5h13v9.5h-13zM7.5 6.5V4h5v2.5M3.5 11h13",
  account: "M4 17V4h8v13M12 8h4v9M2.5 17h15M7 7h2M7 10h2M7 13h2",
  check: "M4 10.5l4 4 8-9",
  error: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M7.5 7.5l5 5M12.5 7.5l-5 5",
  warning: "M10 3.5 17.5 16.5h-15zM10 8v4M10 14.2v.1",
  info: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M10 9v4.5M10 6.5v.1",
  back: "M12 4l-6 6 6 6",
  forward: "M8 4l6 6-6 6",
  down: "M4 7.5l6 6 6-6",
  up: "M4 12.5l6-6 6 6",
  open: "M8 4.5H4.5v11h11V12M11.5 4h4.5v4.5M16 4l-6.5 6.5",
  close: "M5 5l10 10M15 5L5 15",
  refresh: "M16 10a6 6 0 1 1-1.8-4.3L16 7.5M16 4v3.5h-3.5",
  undo: "M4 8.5h8a4 4 0 0 1 0 8H8M4 8.5 7.5 5M4 8.5 7.5 12",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  pencil: "M4 16l1-4 8.5-8.5 3 3L8 15z",
  link: "M8.5 11.5l3-3M9 6l2-2a3.5 3.5 0 0 1 5 5l-2 2M11 14l-2 2a3.5 3.5 0 0 1-5-5l2-2",
  lock: "M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  people: "M7.5 4a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5M2.5 16c0-3 2-4.5 5-4.5s5 1.5 5 4.5M13 4.5a2.2 2.2 0 1 1 .5 4.3M14.5 11.5c2 .3 3 1.8 3 4",
  palette: "M10 3a7 7 0 1 0 0 14c1.5 0 1.8-1 1.3-2-.6-1.2.2-2.2 1.5-2.2H15c1.3 0 2-1 2-2.5C17 6 14 3 10 3M6.5 10v.1M8.5 6.7v.1M12.5 6.7v.1",
  plug: "M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v3",
  offline: "M3 3l14 14M3 8.5a11 11 0 0 1 4-2.3M10 5.6c2.6 0 5 1 7 2.9M5.8 11.5a6.5 6.5 0 0 1 3-1.7M12.5 10.2c.7.3 1.3.7 1.8 1.3M10 15.5v.1",
  play: "M6 4l10 6-10 6z",
  stop: "M5 5h10v10H5z",
  dots: "M5 10v.1M10 10v.1M15 10v.1",
};

const SVG = "http://www.w3.org/2000/svg";

export function icon(name, className = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.info);
  svg.append(path);
  return svg;
}
