/**
 * All the page knows: both systems' records, the account and its runs, read again and again from public endpoints.
 * Tells who subscribes what changed, and where a record changed without this page having done it: it arrived.
 */

import { createApi } from "../js/api.js";
import { createAuth } from "../js/auth.js";
import { created, KINDS, recordOf, SIDES } from "./records.js";
import { useZone } from "./zone.js";

const POLL_MS = 1_500;
const FIRST_RUNS = 200;
const RUNS = 30;
const TIMEOUT_MS = 10_000;
const MANY = { contact: "contacts", task: "tasks", event: "events" };

/** A simulated system, or the demonstration itself, did not do what was asked; `message` is for people. */
export class Refusal extends Error {}

export async function createWorld() {
  const world = new World();
  await world.begin();
  return world;
}

class World {
  constructor() {
    this.facts = null;
    this.records = Object.fromEntries(SIDES.map((side) => [side, null])); // side -> kind -> Map(id -> record)
    this.account = null; // {connected, status, runs, conflicts}
    this.links = noLinks();
    this.readRuns = new Set(); // whose ops are in `links`
    this.halves = {}; // kind -> Map(OroCRM's id -> Outlook's record), as long as nothing changes
    this.known = { preview: false, synced: false, travelled: false, chosen: false, undone: false };
    this.offline = false;
    this.listeners = new Set();
    this.written = 0; // a poll that was under way while something was written is no news
    this.busy = false;
    this.again = false;
    this.firstRead = true;
  }

  async begin() {
    this.takeFacts(await ask("GET", "/demo/facts"));
    const config = { sign_in: "local" };
    this.auth = createAuth({ config, outlook: { supports: () => false } });
    this.api = createApi({ root: "/api/v1", auth: this.auth });
    await this.auth.signIn({ person: this.facts.person });
    window.setInterval(() => document.visibilityState === "visible" && this.poll(), POLL_MS);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.poll());
    await this.poll();
  }

  takeFacts(facts) {
    this.facts = facts;
    useZone(facts.mailbox.time_zone);
  }

  subscribe(listener) {
    this.listeners.add(listener);
  }

  tell(news) {
    this.halves = {};
    for (const listener of this.listeners) listener(news);
  }

  // ---- reading ----------------------------------------------------------------------------------------------------

  /** Reads everything once; never two at a time. Resolves when what was there at the call has been read. */
  async poll() {
    if (this.busy) {
      this.again = true;
      return this.busy;
    }
    this.busy = this.read().finally(() => {
      this.busy = false;
      if (this.again) {
        this.again = false;
        this.poll();
      }
    });
    return this.busy;
  }

  async read() {
    const written = this.written;
    try {
      // the account comes last, because it has to know of the run that wrote what was just read; and where it tells of
      // another run since, what that one wrote has to be read as well before its step is called done
      let [oro, outlook] = await this.readSides();
      const account = await this.readAccount();
      if (newestWrite(account) !== newestWrite(this.account)) [oro, outlook] = await this.readSides();
      const links = await this.linksOf(account.runs);
      if (written !== this.written) {
        this.again = true;
        return;
      }
      const arrivals = [...this.takeSide("oro", oro), ...this.takeSide("outlook", outlook)];
      this.takeAccount(account);
      for (const { entity, outlook_id: item, oro_id: record } of links) this.links[entity].set(item, record);
      const back = this.offline;
      this.offline = false;
      this.tell({ arrivals, back });
    } catch (error) {
      if (written !== this.written) return;
      this.offline = true;
      this.tell({ arrivals: [], error });
    }
  }

  readSides() {
    return Promise.all(SIDES.map((side) => this.readSide(side)));
  }

  async readSide(side) {
    const lists = await Promise.all(KINDS.map((kind) => ask("GET", this.address(side, kind))));
    const mine = side === "oro" ? this.ownCalendar(lists) : lists.map((list) => list.value);
    return Object.fromEntries(KINDS.map((kind, at) => [kind, toMap(side, kind, mine[at])]));
  }

  /** Other people's calendars are not what the mailbox is kept in step with. */
  ownCalendar([contacts, tasks, events]) {
    return [contacts, tasks, events.filter((each) => each.organizerEmail === this.facts.mailbox.address || each.parentEventId)];
  }

  async readAccount() {
    const me = await this.api.call("me");
    if (!me.connected) return { connected: false, status: null, runs: [], conflicts: [] };
    const [status, runs, conflicts] = await Promise.all([
      this.api.call("status"),
      this.api.call("runs", { query: { limit: this.firstRead ? FIRST_RUNS : RUNS } }),
      this.api.call("conflicts", { query: { state: "all", limit: 50 } }),
    ]);
    return { connected: true, status, runs: runs.items, conflicts: conflicts.items };
  }

  /** What runs said they made, because a meeting carries no stamp: writing one would be a change of the meeting. */
  async linksOf(runs) {
    const fresh = runs.filter((run) => run.state === "done" && run.written > 0 && run.mode !== "undo" && !this.readRuns.has(run.run));
    const found = [];
    for (const { run } of fresh) {
      for (let cursor = null, more = true; more; more = Boolean(cursor)) {
        const page = await this.api.call("runOps", { path: { run }, query: { verb: "create", limit: 200, cursor } });
        found.push(...page.items.filter((op) => op.outlook_id && op.oro_id));
        cursor = page.next;
      }
      this.readRuns.add(run);
    }
    return found;
  }

  takeSide(side, fresh) {
    const before = this.records[side];
    this.records[side] = fresh;
    if (!before) return [];
    return KINDS.flatMap((kind) => differences(side, kind, before[kind], fresh[kind]));
  }

  takeAccount(account) {
    this.account = account;
    this.firstRead = !account.connected;
    const { known } = this;
    const { runs, conflicts, status } = account;
    const done = runs.filter((run) => run.state === "done");
    known.preview ||= done.some((run) => run.mode === "preview");
    known.synced ||= Boolean(status?.first_sync_done);
    const first = runs.findLastIndex((run) => run.mode === "sync" && run.state === "done");
    known.travelled ||= runs.some((run, at) => run.mode === "sync" && run.state === "done" && at < first && writes(run, "oro") > 0);
    known.chosen ||= conflicts.some((each) => each.rule === "chosen" && each.choice && !each.waiting_for_run);
    known.undone ||= done.some((run) => run.mode === "undo");
  }

  // ---- looking ----------------------------------------------------------------------------------------------------

  list(side, kind) {
    return [...(this.records[side]?.[kind].values() ?? [])];
  }

  find(side, kind, id) {
    return this.records[side]?.[kind].get(id) ?? null;
  }

  /** The same record on the other side, by the stamp that the sync left on Outlook's item; null if it is not linked. */
  partnerOf(record) {
    if (record.side === "outlook") return this.find("oro", record.kind, this.oroIdOf(record));
    this.halves[record.kind] ??= new Map(this.list("outlook", record.kind).map((each) => [this.oroIdOf(each), each]));
    return this.halves[record.kind].get(record.id) ?? null;
  }

  oroIdOf(item) {
    return item.partner ?? this.links[item.kind].get(item.id) ?? null;
  }

  pairs(kind) {
    const found = this.list("outlook", kind).map((outlook) => ({ outlook, oro: this.partnerOf(outlook) }));
    return found.filter(({ oro }) => oro && !oro.locked);
  }

  openConflicts() {
    return (this.account?.conflicts ?? []).filter((each) => !each.choice);
  }

  // ---- what a person does in one of the systems -----------------------------------------------------------------------

  address(side, kind, id) {
    const { orocrm, mailbox } = this.facts;
    const base = side === "oro" ? `${orocrm.control}/${MANY[kind]}` : `${mailbox.control}/${kind}`;
    return id ? `${base}/${encodeURIComponent(id)}` : base;
  }

  /** Throws Refusal. */
  async edit(record, body) {
    const path = this.address(record.side, record.kind, record.id) + (record.side === "oro" ? this.asUser() : "");
    await this.writing(async () => {
      const item = await ask("PATCH", path, body);
      this.put(record.side, record.kind, item);
      this.tell({ arrivals: [], own: record });
    });
  }

  async create(draft, values) {
    const path = this.address(draft.side, draft.kind);
    return this.writing(async () => {
      const { id } = await ask("POST", path + (draft.side === "oro" ? this.asUser() : ""), created(draft, values));
      this.put(draft.side, draft.kind, await ask("GET", this.address(draft.side, draft.kind, String(id))));
      return String(id);
    });
  }

  async remove(record) {
    await this.writing(async () => {
      await ask("DELETE", this.address(record.side, record.kind, record.id));
      this.records[record.side][record.kind].delete(record.id);
    });
  }

  asUser() {
    return `?as=${encodeURIComponent(this.facts.orocrm.user)}`;
  }

  put(side, kind, item) {
    const record = recordOf(side, kind, item);
    this.records[side][kind].set(record.id, record);
  }

  async writing(action) {
    this.written += 1;
    try {
      return await action();
    } finally {
      this.written += 1;
      this.tell({ arrivals: [] });
      this.poll();
    }
  }

  // ---- what the demonstration itself can do ------------------------------------------------------------------------------

  async setAutomatic(on) {
    this.takeFacts(await ask("POST", "/demo/automatic", { on }));
    this.tell({ arrivals: [] });
  }

  /** Everything as in the beginning. */
  async reset() {
    await this.busy;
    this.written += 1;
    this.takeFacts(await ask("POST", "/demo/reset"));
    this.written += 1;
    this.records = Object.fromEntries(SIDES.map((side) => [side, null]));
    for (const name of Object.keys(this.known)) this.known[name] = false;
    this.links = noLinks();
    this.readRuns.clear();
    this.firstRead = true;
    await this.poll();
  }
}

function newestWrite(account) {
  return account?.runs.find((run) => run.written > 0)?.run;
}

function noLinks() {
  return Object.fromEntries(KINDS.map((kind) => [kind, new Map()]));
}

function writes(run, side) {
  return Object.values(run.entities).reduce((sum, counts) => sum + counts[side].updated + counts[side].created, 0);
}

function toMap(side, kind, items) {
  return new Map(items.map((item) => recordOf(side, kind, item)).map((record) => [record.id, record]));
}

function differences(side, kind, before, after) {
  const found = [];
  for (const record of after.values()) {
    const former = before.get(record.id);
    if (!former) found.push({ what: "new", side, kind, id: record.id, title: record.title, fields: [] });
    else {
      const values = new Map(former.fields.map((field) => [field.name, field.value]));
      const fields = record.fields.filter((field) => (values.get(field.name) ?? "") !== field.value);
      if (fields.length) found.push({ what: "changed", side, kind, id: record.id, title: record.title, fields });
    }
  }
  for (const former of before.values()) {
    if (!after.has(former.id)) found.push({ what: "gone", side, kind, id: former.id, title: former.title, fields: [] });
  }
  return found;
}

/** JSON of an address of our own origin, or null for an empty answer. Throws Refusal; TypeError without an answer. */
async function ask(method, path, body) {
  const init = { method, headers: { Accept: "application/json" }, credentials: "omit", cache: "no-store" };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["Content-Type"] = "application/json";
  }
  const response = await fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const said = answer?.detail ?? answer?.error?.message ?? answer?.error;
  throw new Refusal(typeof said === "string" ? said : `It was refused (${response.status}).`);
}
