/**
 * What both systems have, in one shape: {side, kind, id, title, lines, tags, partner, locked, fields}. A field is
 * {name, label, type, value, write}: `write(value)` gives what to send to that system's control interface; without it
 * the field is only shown. `name` is the same on both sides, so that a change can be followed.
 */

import { dayInWords, fromLocal, localDay, localMinute, moment, timeInWords } from "./zone.js";

export const SIDES = ["oro", "outlook"];
export const KINDS = ["contact", "task", "event"];
export const NAMES = { oro: "OroCRM", outlook: "Outlook" };
export const KIND_NAMES = { contact: ["Contact", "Contacts"], task: ["Task", "Tasks"], event: ["Appointment", "Calendar"] };

const STAMP = /\bOroCRM_id$/;
const PRIMARY_PHONE = "String 0x3a1a";
const DUE_UTC = "T16:00:00Z";
const ORO_STATUSES = { open: "Open", in_progress: "In progress", closed: "Closed" };
const OUTLOOK_STATUSES = {
  notStarted: "Not started",
  inProgress: "In progress",
  completed: "Completed",
  waitingOnOthers: "Waiting on someone else",
  deferred: "Deferred",
};
const PRIORITIES = { low: "Low", normal: "Normal", high: "High" };
const HOUR_MS = 3_600_000;

/** item: as a control interface has it. */
export function recordOf(side, kind, item) {
  return { side, kind, id: String(item.id), ...SHAPES[side][kind](item) };
}

/** A record that does not exist yet, and what its fields' values make: `create(values)`. */
export function blank(side, kind) {
  const record = { side, kind, id: "", ...SHAPES[side][kind](BLANKS[side][kind]()) };
  record.fields = record.fields.filter((field) => field.write && field.name !== "notes");
  return record;
}

/** One body for a new record, from the fields of a blank one and the values that were typed. */
export function created(record, values) {
  const body = { ...BASES[record.side][record.kind] };
  for (const field of record.fields) if (values[field.name]) merge(body, field.write(values[field.name], values));
  return body;
}

function merge(body, more) {
  for (const [name, value] of Object.entries(more)) {
    body[name] = value && typeof value === "object" && !Array.isArray(value) ? { ...body[name], ...value } : value;
  }
}

// ---- small pieces -------------------------------------------------------------------------------------------------

function text(name, label, value, write, more) {
  return { name, label, type: "text", value: value ?? "", write, ...more };
}

function choice(name, label, value, options, write) {
  return { name, label, type: "select", value, options: Object.entries(options), write };
}

function shownOnly(name, label, value) {
  return value ? [{ name, label, type: "shown", value }] : [];
}

function plain(html) {
  if (!html) return "";
  const body = new DOMParser().parseFromString(html.replace(/<\/(p|li|div|tr)>|<br\s*\/?>/gi, "$&\n"), "text/html").body;
  return body.textContent.replace(/\n\s*\n+/g, "\n").trim();
}

function html(words) {
  const lines = words.split("\n").map((line) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    return paragraph.outerHTML;
  });
  return words ? lines.join("") : "";
}

function first(list, value) {
  const rest = (list ?? []).slice(1);
  return value ? [value, ...rest] : rest;
}

function joined(parts, by = " · ") {
  return parts.filter(Boolean).join(by);
}

function stampIn(item) {
  const key = Object.keys(item.extended ?? {}).find((each) => STAMP.test(each));
  return key ? String(item.extended[key]) : null;
}

// ---- contacts -----------------------------------------------------------------------------------------------------

function oroContact(item) {
  const address = (each) => joined([each.street, joined([each.postalCode, each.city], " ")], ", ") + (each.types.length ? ` (${each.types.join(", ")})` : "");
  return {
    title: joined([item.firstName, item.lastName], " ") || "No name",
    lines: [joined([item.jobTitle, item.emails[0]])],
    mail: item.emails[0] ?? "",
    fields: [
      text("first", "First name", item.firstName, (value) => ({ firstName: value })),
      text("last", "Last name", item.lastName, (value) => ({ lastName: value })),
      text("job", "Job title", item.jobTitle, (value) => ({ jobTitle: value })),
      text("email", "E-mail", item.emails[0], (value) => ({ emails: first(item.emails, value) }), { type: "email" }),
      ...shownOnly("emails", "More e-mails", item.emails.slice(1).join("\n")),
      text("phone", "Phone", item.phones[0], (value) => ({ phones: first(item.phones, value) }), { type: "tel" }),
      text("birthday", "Birthday", item.birthday, (value) => ({ birthday: value || null }), { type: "date" }),
      ...shownOnly("addresses", "Addresses", item.addresses.map(address).join("\n")),
      text("notes", "Description", plain(item.description), (value) => ({ description: html(value) }), { type: "long" }),
    ],
  };
}

function outlookContact(item) {
  const [mail, ...more] = item.emailAddresses;
  const shownName = joined([item.givenName, item.surname], " ");
  const address = (each, name) => (each?.street || each?.city ? `${joined([each.street, joined([each.postalCode, each.city], " ")], ", ")} (${name})` : "");
  const named = (value) => (value ? [{ name: shownName || value, address: value }, ...more] : more);
  return {
    title: shownName || item.displayName || "No name",
    lines: [joined([item.jobTitle, mail?.address])],
    mail: mail?.address ?? "",
    partner: stampIn(item),
    tags: item.categories ?? [],
    fields: [
      text("first", "First name", item.givenName, (value) => ({ givenName: value })),
      text("last", "Last name", item.surname, (value) => ({ surname: value })),
      text("job", "Job title", item.jobTitle, (value) => ({ jobTitle: value })),
      text("email", "E-mail", mail?.address, (value) => ({ emailAddresses: named(value) }), { type: "email" }),
      ...shownOnly("emails", "More e-mails", more.map((each) => each.address).join("\n")),
      text("phone", "Primary phone", item.extended?.[PRIMARY_PHONE], (value) => ({ extended: { primary_phone: value || null } }), { type: "tel" }),
      ...shownOnly("mobile", "Mobile", item.mobilePhone),
      text("birthday", "Birthday", item.birthday?.slice(0, 10), (value) => ({ birthday: value ? `${value}T11:59:00Z` : null }), { type: "date" }),
      ...shownOnly("addresses", "Addresses", joined([address(item.businessAddress, "business"), address(item.homeAddress, "home"), address(item.otherAddress, "other")], "\n")),
      text("notes", "Notes", (item.personalNotes ?? "").trim().replace(/\r\n/g, "\n"), (value) => ({ personalNotes: value }), { type: "long" }),
    ],
  };
}

// ---- tasks --------------------------------------------------------------------------------------------------------

function due(date) {
  return date ? `due ${dayInWords(date)}` : "no due date";
}

function oroTask(item) {
  const at = moment(item.dueDate);
  return {
    title: item.subject,
    lines: [joined([ORO_STATUSES[item.status], due(at)])],
    done: item.status === "closed",
    fields: [
      text("title", "Subject", item.subject, (value) => ({ subject: value })),
      choice("status", "Status", item.status, ORO_STATUSES, (value) => ({ status: value })),
      choice("priority", "Priority", item.taskPriority, PRIORITIES, (value) => ({ taskPriority: value })),
      text("due", "Due", localDay(at), (value) => ({ dueDate: value ? value + DUE_UTC : null }), { type: "date" }),
      text("notes", "Description", plain(item.description), (value) => ({ description: html(value) }), { type: "long" }),
    ],
  };
}

function outlookTask(item) {
  const at = moment(item.dueDateTime?.dateTime);
  return {
    title: item.title,
    lines: [joined([OUTLOOK_STATUSES[item.status], due(at)])],
    done: item.status === "completed",
    partner: item.linkedResources?.find((each) => each.applicationName === "OroCRM")?.externalId ?? null,
    fields: [
      text("title", "Title", item.title, (value) => ({ title: value })),
      choice("status", "Status", item.status, OUTLOOK_STATUSES, (value) => ({ status: value })),
      choice("priority", "Importance", item.importance, PRIORITIES, (value) => ({ importance: value })),
      text("due", "Due", localDay(at), (value) => (value ? { due_by_user: value } : { dueDateTime: null }), { type: "date" }),
      text("notes", "Notes", bodyOf(item), (value) => ({ body: { contentType: "text", content: value } }), { type: "long" }),
    ],
  };
}

function bodyOf(item) {
  const { contentType, content } = item.body ?? {};
  return contentType === "html" ? plain(content) : (content ?? "").trim().replace(/\r\n/g, "\n");
}

// ---- appointments -------------------------------------------------------------------------------------------------

function span(start, end, whole) {
  if (!start) return "";
  return whole ? `${dayInWords(start)}, all day` : `${dayInWords(start)}, ${timeInWords(start)} – ${timeInWords(end)}`;
}

/** Moving the start moves the end along. write(start, end) -> body. */
function times(start, end, whole, write) {
  if (whole) return shownOnly("start", "When", span(start, end, true));
  const length = start && end ? end - start : HOUR_MS;
  return [
    text("start", "Starts", localMinute(start), (value) => (value ? write(fromLocal(value), new Date(fromLocal(value).getTime() + length)) : {}), { type: "datetime-local" }),
    text("end", "Ends", localMinute(end), (value, all) => (value ? write(all?.start ? fromLocal(all.start) : start, fromLocal(value)) : {}), { type: "datetime-local" }),
  ];
}

function oroEvent(item) {
  const [start, end] = [moment(item.start), moment(item.end)];
  const write = (from, to) => ({ start: from.toISOString(), end: to.toISOString() });
  const fields = [
    text("title", "Title", item.title, (value) => ({ title: value })),
    ...times(start, end, item.allDay, write),
    ...shownOnly("guests", "Guests", (item.attendees ?? []).map((each) => each.displayName || each.email).join("\n")),
    text("notes", "Description", plain(item.description), (value) => ({ description: html(value) }), { type: "long" }),
  ];
  return {
    title: item.title,
    lines: [span(start, end, item.allDay)],
    order: start?.getTime() ?? 0,
    locked: item.editable ? "" : `An invitation of ${item.organizerDisplayName || "somebody else"}: only they can change it.`,
    fields: item.editable ? fields : fields.map(({ write: _, ...field }) => ({ ...field, type: "shown", value: field.type === "datetime-local" ? field.value.replace("T", " ") : field.value })),
  };
}

function outlookEvent(item) {
  const [start, end] = [moment(item.start?.dateTime), moment(item.end?.dateTime)];
  const utc = (date) => ({ dateTime: date.toISOString().slice(0, 19), timeZone: "UTC" });
  const write = (from, to) => ({ start: utc(from), end: utc(to) });
  const hidden = item.sensitivity !== "normal";
  return {
    title: item.subject,
    lines: [span(start, end, item.isAllDay)],
    order: start?.getTime() ?? 0,
    partner: stampIn(item),
    tags: hidden ? ["private"] : [],
    note: hidden ? "Private: it never leaves the mailbox." : item.isOrganizer ? "" : `An invitation of ${item.organizer?.emailAddress?.name ?? "somebody else"}.`,
    fields: [
      text("title", "Title", item.subject, (value) => ({ subject: value })),
      ...times(start, end, item.isAllDay, write),
      ...shownOnly("place", "Location", item.location?.displayName),
      ...shownOnly("guests", "Guests", (item.attendees ?? []).map((each) => each.emailAddress.name).join("\n")),
    ],
  };
}

const SHAPES = {
  oro: { contact: oroContact, task: oroTask, event: oroEvent },
  outlook: { contact: outlookContact, task: outlookTask, event: outlookEvent },
};

// ---- new ones -----------------------------------------------------------------------------------------------------

function tomorrow(hour) {
  const day = localDay(new Date(Date.now() + 24 * HOUR_MS));
  return fromLocal(`${day}T${hour}:00`).toISOString();
}

const BLANKS = {
  oro: {
    contact: () => ({ emails: [], phones: [], addresses: [] }),
    task: () => ({ status: "open", taskPriority: "normal" }),
    event: () => ({ start: tomorrow("10"), end: tomorrow("11"), editable: true }),
  },
  outlook: {
    contact: () => ({ emailAddresses: [], extended: {} }),
    task: () => ({ status: "notStarted", importance: "normal" }),
    event: () => ({ start: { dateTime: tomorrow("10") }, end: { dateTime: tomorrow("11") }, sensitivity: "normal", isOrganizer: true }),
  },
};

const BASES = { oro: { contact: {}, task: {}, event: { allDay: false } }, outlook: { contact: {}, task: {}, event: { isAllDay: false } } };
