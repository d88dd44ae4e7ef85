/** The pane in its frame: loads it, lets it look again, and plays Outlook's part of opening a mail. */

const PANE = "/addin/taskpane.html";

export class PaneFrame {
  constructor(frame) {
    this.frame = frame;
    this.item = null;
    frame.addEventListener("load", () => this.whenShown(() => this.item && this.post()));
  }

  /** person: who is signed in already; null lets them choose. */
  load(person) {
    const query = new URLSearchParams({ office: "none", ...(person && { person }) });
    // replace: the back button should leave this page, not walk through the pane's former addresses
    this.frame.contentWindow.location.replace(`${PANE}?${query}`);
  }

  /** Before everything starts anew, so that it does not ask for what is about to go. */
  leave() {
    this.item = null;
    this.frame.contentWindow.location.replace("about:blank");
  }

  /** {from: {name, address}, subject}: as if that mail were opened in Outlook. */
  openItem(item) {
    this.item = item;
    this.post();
  }

  post() {
    this.frame.contentWindow.postMessage({ kind: "orosync-demo-item", item: this.item }, window.location.origin);
  }

  /** It looks at its account whenever it comes into view again. */
  nudge() {
    this.frame.contentDocument?.dispatchEvent(new Event("visibilitychange"));
  }

  /** Once it shows its first screen; until then it hears no messages. */
  whenShown(then) {
    const body = this.frame.contentDocument?.body;
    if (!body?.dataset.screen || body.dataset.screen !== "loading") return then();
    const observer = new MutationObserver(() => {
      if (body.dataset.screen === "loading") return;
      observer.disconnect();
      then();
    });
    return observer.observe(body, { attributes: true, attributeFilter: ["data-screen"] });
  }
}
