/** Says whether the installation works, and says it again when that changes. */

const EVERY_MS = 15_000;
const WORDS = {
  ready: "It works.",
  "not-ready": "It runs, but its database does not answer or needs an update. Operators: run orosync doctor.",
  silent: "It does not answer. Check your connection, or try again later.",
};

const place = document.getElementById("health");
const words = document.getElementById("health-words");

async function ask() {
  try {
    const answer = await fetch("readyz", { cache: "no-store" });
    return answer.ok ? "ready" : "not-ready";
  } catch {
    return "silent";
  }
}

async function show() {
  const state = await ask();
  if (place.dataset.state !== state) {
    place.dataset.state = state;
    words.textContent = WORDS[state]; // a change alone is announced
  }
  setTimeout(show, EVERY_MS);
}

show();
