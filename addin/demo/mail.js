/**
 * Mails to open beside the pane. The simulated mailbox keeps none, because the product reads none: these are made of
 * the people in OroCRM, and of a stranger, and only say who wrote.
 */

import { h, replace } from "../js/dom.js";
import { icon } from "../js/icons.js";

const LETTERS = [
  ["Your offer of last week", "Thank you for the offer. Could you send us the delivery dates for the first batch as well?", "09:42"],
  ["Question about an invoice", "We have received the invoice twice. Which of the two shall we pay?", "09:15"],
  ["Sample for the trade fair", "The sample arrived today and looks very good. Let us talk about quantities.", "08:58"],
  ["Re: Our appointment", "That suits me well. I will bring our technician along.", "Yesterday"],
  ["Price list for next year", "Is the new price list out already? We are planning our budget.", "Yesterday"],
];
const STRANGER = {
  name: "Paula Sommer",
  address: "paula.sommer@newcomer.example",
  subject: "Interested in your products",
  text: "A colleague told me about you. Could somebody call me back next week?",
  time: "Monday",
};
const SHORT_NOTE = ["A short question", "Do you have five minutes for me this week?", "Just now"];

export class MailBox {
  /** onOpen({from: {name, address}, subject}): as the pane takes it. */
  constructor({ world, onOpen }) {
    Object.assign(this, { world, onOpen });
    this.node = h("ul", { class: "records", data: { list: "mail" } });
    this.card = h("article", { class: "card", tabindex: "-1", "aria-label": "The open mail" });
    this.forget();
  }

  forget() {
    this.open = null;
    this.more = [];
    this.made = null;
    this.drawn = "";
  }

  list() {
    const people = this.world.list("oro", "contact").filter((each) => each.mail);
    if (!this.made && people.length) {
      this.made = LETTERS.slice(0, people.length).map(([subject, text, time], at) => {
        const person = people[Math.floor((at * people.length) / LETTERS.length)];
        return { name: person.title, address: person.mail, subject, text, time };
      });
    }
    return [...this.more, ...(this.made ?? []), STRANGER];
  }

  openFrom({ name, address }) {
    const there = this.list().find((each) => each.address === address);
    if (there) return this.show(there);
    const [subject, text, time] = SHORT_NOTE;
    const mail = { name, address, subject, text, time };
    this.more.unshift(mail);
    return this.show(mail);
  }

  show(mail) {
    this.open = mail;
    this.onOpen({ from: { name: mail.name, address: mail.address }, subject: mail.subject });
    this.draw();
  }

  /** For a pane that was loaded anew. */
  item() {
    return this.open ? { from: { name: this.open.name, address: this.open.address }, subject: this.open.subject } : null;
  }

  draw() {
    const mails = this.list();
    const signature = JSON.stringify([mails.map((each) => each.address), this.open?.address]);
    if (signature === this.drawn) return;
    this.drawn = signature;
    const at = [...this.node.querySelectorAll("button")].indexOf(document.activeElement);
    replace(this.node, mails.map((mail) => this.row(mail)));
    if (at >= 0) this.node.querySelectorAll("button")[at]?.focus();
    this.drawCard();
  }

  row(mail) {
    return h(
      "li",
      null,
      h(
        "button",
        {
          type: "button",
          class: "record",
          "aria-current": mail === this.open ? "true" : null,
          data: { action: "open-mail", address: mail.address },
          on: { click: () => this.show(mail) },
        },
        h(
          "span",
          { class: "record-words" },
          h("bdi", { class: "record-title" }, mail.name),
          h("span", { class: "record-line" }, mail.subject),
        ),
        h("span", { class: "time" }, mail.time),
      ),
    );
  }

  drawCard() {
    const mail = this.open;
    if (!mail) {
      replace(this.card, h("p", { class: "quiet center" }, "Open a mail: the pane shows what OroCRM knows about its sender."));
      return;
    }
    replace(
      this.card,
      h("div", { class: "card-head" }, h("span", { class: "kind-symbol" }, icon("crm")), h("h3", { class: "card-name" }, mail.subject)),
      h("p", { class: "mail-from" }, h("bdi", null, h("strong", null, mail.name)), ` <${mail.address}>`),
      h("p", { class: "mail-text" }, mail.text),
      h("p", { class: "note" }, icon("info"), h("span", null, "It is open in Outlook now: look at OroCRM in the pane.")),
    );
  }
}
