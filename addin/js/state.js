/** What the pane knows now, in memory only. Views read it; who wants to hear of changes subscribes. */

export function createState(initial) {
  const listeners = new Set();
  const values = { ...initial };
  return {
    get: (name) => values[name],
    set(changes) {
      Object.assign(values, changes);
      for (const listener of [...listeners]) listener(changes);
    },
    /** Until the signal aborts. */
    subscribe(listener, signal) {
      listeners.add(listener);
      signal?.addEventListener("abort", () => listeners.delete(listener));
    },
  };
}
