// List packs: the last good ones from disk at start, newer ones when their server has
// them, the built-in one until then.
//
// There are three slots: the school's pack, and the two lists of the locked illegal
// layer. What is in those stays, whatever becomes of the settings that brought it.

import { currentSettings } from './policy.js';
import { result, transact } from './database.js';
import { attachSchoolPack, lockList, openSchoolPack, setSchoolPack } from './engine.js';
import { dateOf } from './endpoint.js';

/** @typedef {import('./engine.js').LockedSlot} LockedSlot */
/** @typedef {import('./engine.js').PackReport} PackReport */
/** @typedef {'school' | LockedSlot} Slot */

/**
 * @typedef {object} KeptPack
 * @property {Blob} blob
 * @property {string} url Where it came from.
 * @property {string} keys The keys it was verified with.
 * @property {string | null} secret The key of its entries; null for the school's pack.
 * @property {number} sequence
 * @property {number} head_bytes How much of it is the first part.
 * @property {string | null} etag
 * @property {number} fetched_at_ms
 */

/** Where a slot's pack is to be had, and what opens it. @typedef {{url: string, keys: string, secret: string | null}} Source */

/**
 * @typedef {object} SlotState What is known of a slot.
 * @property {string | null} version
 * @property {string | null} problem
 * @property {number | null} built_at_ms
 * @property {number} unanswered How often in a row its server could not be reached.
 */

/** @type {readonly Slot[]} */
const SLOTS = ['school', 'iwf', 'ctiru'];
/** @type {readonly LockedSlot[]} */
const LOCKED_SLOTS = ['iwf', 'ctiru'];
const MAX_PACK_BYTES = 128 * 1024 * 1024;
const FETCH_TIMEOUT_MS = 5 * 60_000;
export const FETCH_EVERY_MS = 60 * 60_000;
/** As often in a row a server may be out of reach before anybody is told. */
const UNANSWERED_SHOWN = 3;
/** The publishers renew the locked lists twice a day. */
const STALE_AFTER_MS = 48 * 60 * 60_000;

/** @type {Record<Slot, SlotState>} */
const states = {
  school: { version: null, problem: null, built_at_ms: null, unanswered: 0 },
  iwf: { version: null, problem: null, built_at_ms: null, unanswered: 0 },
  ctiru: { version: null, problem: null, built_at_ms: null, unanswered: 0 },
};
let checked_at_ms = 0;
/** @type {Promise<void>} */
let whole = Promise.resolve();

/** The pack in use and what was wrong with the last one offered. */
export function packState() {
  return { version: states.school.version, problem: states.school.problem, checked_at_ms };
}

/**
 * The lists of the locked layer that are set up or loaded: how old each is, and whether
 * something about it is wrong.
 * @param {number} now_ms
 */
export function lockedState(now_ms) {
  return LOCKED_SLOTS.filter((slot) => sourceOf(slot) !== null || states[slot].version !== null).map((slot) => {
    const { built_at_ms, problem } = states[slot];
    const age_ms = built_at_ms === null ? null : Math.max(0, now_ms - built_at_ms);
    return { slot, age_ms, problem, stale: age_ms === null || age_ms > STALE_AFTER_MS };
  });
}

/** Opens the packs that are kept on disk; the school's by its first part. */
export async function loadPack() {
  await whole;
  // The lists that hold at every hour come first.
  for (const slot of [...LOCKED_SLOTS, /** @type {const} */ ('school')]) {
    const kept = await readKept(slot);
    if (kept === null) continue;
    const report = slot === 'school' ? await openKept(kept) : use(slot, await bytesOf(kept.blob), kept, 0);
    note(slot, report);
    if (!report.ok) await distrust(slot, kept);
  }
}

/** Settles once every part of the packs in use is there. */
export function wholePack() {
  return whole;
}

/**
 * Opens the school's pack as far as the first requests need it: what is not listed, as
 * nearly everything is, is known by then, and the rest follows.
 * @param {KeptPack} kept
 */
async function openKept(kept) {
  const { pack_keys, pack_floor } = currentSettings();
  // A school that changed its keys no longer vouches for what the old ones signed.
  const keys = pack_keys ?? kept.keys;
  if (!kept.head_bytes) return use('school', await bytesOf(kept.blob), { keys, secret: null }, pack_floor);
  const report = openSchoolPack(await bytesOf(kept.blob.slice(0, kept.head_bytes)), keys, pack_floor);
  if (report.ok) whole = attachRest(kept, kept.head_bytes);
  return report;
}

/**
 * @param {KeptPack} kept
 * @param {number} from
 */
async function attachRest(kept, from) {
  /** @type {string | null} */
  let error;
  try {
    // What cannot be read fits no pack, so that nothing waits for it for ever.
    error = attachSchoolPack(await bytesOf(kept.blob.slice(from)).catch(() => new Uint8Array()));
  } catch (trapped) {
    error = String(trapped);
  }
  if (error === null) return;
  states.school.problem = error;
  console.warn('bellgate: the rest of the list pack could not be read, the built-in lists hold:', error);
  await distrust('school', kept);
}

/**
 * A copy that is no good any more must not be taken for the newest.
 * @param {Slot} slot
 * @param {KeptPack} kept
 */
async function distrust(slot, kept) {
  if (kept.etag !== null) await write(slot, { ...kept, etag: null });
}

/** @param {Blob} blob */
async function bytesOf(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}

/**
 * Fetches what is newer; true when another pack is in use now.
 * @param {number} now_ms
 * @param {(server_ms: number) => void} heard_time
 */
export async function fetchPack(now_ms, heard_time) {
  checked_at_ms = now_ms;
  let changed = false;
  for (const slot of SLOTS) {
    const source = sourceOf(slot);
    if (source === null) continue;
    changed = (await fetchSlot(slot, source, now_ms, heard_time)) || changed;
  }
  return changed;
}

/**
 * @param {Slot} slot
 * @param {Source} source
 * @param {number} now_ms
 * @param {(server_ms: number) => void} heard_time
 */
async function fetchSlot(slot, source, now_ms, heard_time) {
  const state = states[slot];
  const kept = await readKept(slot);
  const same = kept !== null && kept.url === source.url && kept.keys === source.keys && kept.secret === source.secret;
  const answered = await ask(source.url, same ? kept.etag : null, state);
  if (answered === null) return false;
  const { response, blob } = answered;
  const server_ms = dateOf(response);
  if (server_ms !== null) heard_time(server_ms);
  if (response.status === 304) {
    state.problem = null;
    return false;
  }
  if (!response.ok) {
    state.problem = `the pack's server answered ${response.status}`;
    return false;
  }
  if (blob.size > MAX_PACK_BYTES) {
    state.problem = 'the pack is too large';
    return false;
  }
  // What is still being attached belongs to the pack before.
  await whole;
  const before = state.version;
  // Sequences count for as long as the keys that sign them.
  const held = kept !== null && kept.keys === source.keys ? kept.sequence : 0;
  const min_sequence = Math.max(currentSettings().pack_floor, held);
  const report = use(slot, await bytesOf(blob), source, min_sequence);
  note(slot, report);
  if (!report.ok) return false;
  /** @type {KeptPack} */
  const fresh = { ...source, blob, sequence: report.sequence ?? 0, head_bytes: report.head_bytes ?? 0, etag: response.headers.get('etag'), fetched_at_ms: now_ms };
  await write(slot, fresh);
  // A server without ETags sends the same pack again and again.
  return report.version !== before;
}

/**
 * Asks a list's server; null when there is no way to it, which is no fault of this
 * device: what it has holds, and only after a while is that worth telling.
 * @param {string} url
 * @param {string | null} etag Of the pack that is here.
 * @param {SlotState} state
 */
async function ask(url, etag, state) {
  try {
    const response = await fetch(url, {
      headers: etag === null ? {} : { 'if-none-match': etag },
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    const blob = await response.blob();
    state.unanswered = 0;
    return { response, blob };
  } catch (error) {
    state.unanswered += 1;
    if (state.unanswered >= UNANSWERED_SHOWN) state.problem = `the list's server did not answer: ${error}`;
    return null;
  }
}

/**
 * @param {Slot} slot
 * @param {Uint8Array} bytes
 * @param {{keys: string, secret: string | null}} source
 * @param {number} min_sequence
 * @returns {PackReport}
 */
function use(slot, bytes, { keys, secret }, min_sequence) {
  return slot === 'school' ? setSchoolPack(bytes, keys, min_sequence) : lockList(slot, bytes, keys, secret ?? '');
}

/**
 * Where the settings say that a slot's pack is; null where they do not.
 * @param {Slot} slot
 * @returns {Source | null}
 */
function sourceOf(slot) {
  const settings = currentSettings();
  const keys = settings.pack_keys;
  if (keys === null) return null;
  if (slot === 'school') return settings.pack_url === null ? null : { url: settings.pack_url, keys, secret: null };
  const [url, secret] = slot === 'iwf' ? [settings.iwf_url, settings.iwf_key] : [settings.ctiru_url, settings.ctiru_key];
  return url === null || secret === null ? null : { url, keys, secret };
}

/** @param {Slot} slot */
function keyOf(slot) {
  return slot === 'school' ? 'current' : slot;
}

/**
 * @param {Slot} slot
 * @returns {Promise<KeptPack | null>}
 */
async function readKept(slot) {
  return (await transact(['packs'], 'readonly', (store) => result(store('packs').get(keyOf(slot))))) ?? null;
}

/**
 * @param {Slot} slot
 * @param {KeptPack} pack
 */
async function write(slot, pack) {
  await transact(['packs'], 'readwrite', (store) => {
    store('packs').put(pack, keyOf(slot));
  });
}

/**
 * @param {Slot} slot
 * @param {PackReport} report
 */
function note(slot, report) {
  const state = states[slot];
  if (report.ok) {
    Object.assign(state, { version: report.version, built_at_ms: report.built_at_ms, problem: null });
  } else {
    state.problem = report.error;
    console.warn(`bellgate: the list ${slot} was refused, the last good one holds:`, report.error);
  }
}
