/** What the page does for a person who asks it to: each of these can be done by hand in the pane or in the columns. */

import { isOver } from "../js/api.js";

const LOOK_MS = 250;
const JOBS = ["Head of Sales", "Sales Director", "Key Account Manager", "Regional Manager"];
const DIFFERENT = [
  ["Head of Procurement", "Chief Buyer"],
  ["Managing Partner", "Owner"],
  ["Technical Director", "Plant Manager"],
];

/** Through the API, with what stands in the simulated OroCRM for everybody to see. */
export async function connect(world) {
  const { url, user, key } = world.facts.orocrm;
  const body = { orocrm_url: url, orocrm_auth: "wsse", orocrm_user: user, secret: key };
  await world.api.call("saveConnection", { body });
  await world.poll();
}

export async function preview(world) {
  if (!world.account.connected) await connect(world);
  await finished(world, await world.api.call("startSync", { body: { preview: true } }));
}

/** What the newest preview has shown, and nothing else; anew if there is none. */
export async function firstSync(world) {
  if (!newestPlan(world)) await preview(world);
  const plan = newestPlan(world);
  await finished(world, await world.api.call("startSync", { body: plan ? { approve: plan.plan_hash } : {} }));
}

function newestPlan(world) {
  return world.account.runs.find((run) => run.mode === "preview" && run.state === "done" && run.plan_hash);
}

/** A job title of a linked contact. Resolves to the records of both sides. */
export async function editInOutlook(world, wanted) {
  const pair = linkedContact(world, wanted);
  const now = jobOf(pair.outlook);
  const value = JOBS.find((job) => job !== now && job !== jobOf(pair.oro));
  await world.edit(pair.outlook, { jobTitle: value });
  return pair;
}

/** The same field, changed differently on both sides before a run can see only one of them. */
export async function causeConflict(world, wanted) {
  const pair = linkedContact(world, wanted);
  const taken = new Set([jobOf(pair.outlook), jobOf(pair.oro)]);
  const [inOutlook, inOro] = DIFFERENT.find((both) => !both.some((job) => taken.has(job)));
  const automatic = world.facts.automatic;
  await world.setAutomatic(false);
  try {
    await world.edit(pair.outlook, { jobTitle: inOutlook });
    await world.edit(pair.oro, { jobTitle: inOro });
  } finally {
    if (automatic) await world.setAutomatic(true);
  }
  if (!automatic) await finished(world, await world.api.call("startSync", { body: {} }));
  return pair;
}

/** The oldest that waits. */
export async function choose(world, take) {
  const [conflict] = world.openConflicts().slice(-1);
  await world.api.call("resolveConflict", { path: { id: conflict.id }, body: { take } });
  if (!world.facts.automatic) await finished(world, await world.api.call("startSync", { body: {} }));
  await world.poll();
}

/** The newest run that changed something. */
export async function undoNewest(world) {
  const run = undoable(world);
  await finished(world, await world.api.call("undoRun", { path: { run: run.run }, body: {} }));
}

export function undoable(world) {
  return world.account?.runs.find((run) => run.can_undo) ?? null;
}

async function finished(world, { run }) {
  for (;;) {
    if (isOver(await world.api.call("run", { path: { run } }))) break;
    await new Promise((resolve) => window.setTimeout(resolve, LOOK_MS));
  }
  await world.poll();
}

function jobOf(record) {
  return record.fields.find((field) => field.name === "job").value;
}

/** The wanted contact if it is linked and at peace, else one whose name everybody can read. */
function linkedContact(world, wanted) {
  const torn = new Set(world.openConflicts().map((each) => each.oro_id));
  const pairs = world.pairs("contact").filter(({ oro }) => !torn.has(oro.id));
  const same = wanted && pairs.find((pair) => pair[wanted.side].id === wanted.id);
  const readable = pairs.find(({ oro }) => /^[A-Za-z' -]+$/.test(oro.title));
  const found = same || readable || pairs[0];
  if (!found) throw new Error("There is no linked contact (any more). Reset the demonstration.");
  return found;
}
