// The list pack: the last good one from disk at start, a newer one when the
// school's server has it, the built-in one until then.

import { currentSettings } from './policy.js';
import { result, transact } from './database.js';
import { setSchoolPack } from './engine.js';
import { dateOf } from './endpoint.js';

/**
 * @typedef {object} KeptPack
 * @property {Blob} blob
 * @property {string} url Where it came from.
 * @property {string} keys The keys it was verified with.
 * @property {string | null} etag
 * @property {number} fetched_at_ms
 */

const CURRENT = 'current';
const MAX_PACK_BYTES = 128 * 1024 * 1024;
const FETCH_TIMEOUT_MS = 5 * 60_000;
export const FETCH_EVERY_MS = 60 * 60_000;
/** As often in a row the server may be out of reach before anybody is told. */
const UNANSWERED_SHOWN = 3;

let unanswered = 0;

/** @type {{version: string | null, problem: string | null, checked_at_ms: number}} */
const state = { version: null, problem: null, checked_at_ms: 0 };

/** The pack in use and what was wrong with the last one offered. */
export function packState() {
  return { ...state };
}

/** Opens the pack that is kept on disk, if there is one. */
export async function loadPack() {
  const kept = await readKept();
  if (kept === null) return;
  const bytes = new Uint8Array(await kept.blob.arrayBuffer());
  // A school that changed its keys no longer vouches for what the old ones signed.
  const report = setSchoolPack(bytes, currentSettings().pack_keys ?? kept.keys);
  note(report);
}

/**
 * Fetches the school's pack if it is newer; true when another one is in use now.
 * @param {number} now_ms
 * @param {(server_ms: number) => void} heard_time
 */
export async function fetchPack(now_ms, heard_time) {
  const { pack_url, pack_keys } = currentSettings();
  if (pack_url === null || pack_keys === null) return false;
  const kept = await readKept();
  const same = kept !== null && kept.url === pack_url && kept.keys === pack_keys;
  state.checked_at_ms = now_ms;
  const answered = await ask(pack_url, same ? kept.etag : null);
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
  const before = state.version;
  const report = setSchoolPack(new Uint8Array(await blob.arrayBuffer()), pack_keys);
  note(report);
  if (!report.ok) return false;
  /** @type {KeptPack} */
  const fresh = { blob, url: pack_url, keys: pack_keys, etag: response.headers.get('etag'), fetched_at_ms: now_ms };
  await transact(['packs'], 'readwrite', (store) => {
    store('packs').put(fresh, CURRENT);
  });
  // A server without ETags sends the same pack again and again.
  return report.version !== before;
}

/**
 * Asks the school's server; null when there is no way to it, which is no fault of this
 * device: what it has holds, and only after a while is that worth telling.
 * @param {string} url
 * @param {string | null} etag Of the pack that is here.
 */
async function ask(url, etag) {
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
    unanswered = 0;
    return { response, blob };
  } catch (error) {
    unanswered += 1;
    if (unanswered >= UNANSWERED_SHOWN) state.problem = `the pack's server did not answer: ${error}`;
    return null;
  }
}

/** @returns {Promise<KeptPack | null>} */
async function readKept() {
  return (await transact(['packs'], 'readonly', (store) => result(store('packs').get(CURRENT)))) ?? null;
}

/** @param {import('./engine.js').PackReport} report */
function note(report) {
  if (report.ok) {
    state.version = report.version;
    state.problem = null;
  } else {
    state.problem = report.error;
    console.warn('bellgate: the pack was refused, the last good one holds:', report.error);
  }
}
