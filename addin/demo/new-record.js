/** The place of the card while a new record is written. */

import { h, replace } from "../js/dom.js";
import { newRecordForm } from "./record-card.js";
import { blank } from "./records.js";

export class NewRecord {
  /** onDone(id): created, or null when the person changed their mind. */
  constructor({ side, world, onDone }) {
    Object.assign(this, { side, world, onDone });
    this.draft = null;
    this.node = h("div", { class: "card-place" });
  }

  start(kind) {
    this.draft = blank(this.side, kind);
    const onCreate = async (values) => {
      const id = await this.world.create(this.draft, values);
      this.leave();
      this.onDone(id);
    };
    const onCancel = () => {
      this.leave();
      this.onDone(null);
    };
    replace(this.node, newRecordForm({ draft: this.draft, onCreate, onCancel }));
  }

  leave() {
    this.draft = null;
    this.node.replaceChildren();
  }
}
