// What is still to be reported, kept until the endpoint has acknowledged it.
//
// Everything is written to disk before it is sent, and leaves only when the
// endpoint has named its id. When the queue is full, events become counts: names
// and URLs are lost then, how many there were is not.

import { result, transact } from './database.js';
import { uuidV7 } from './uuid.js';

/**
 * One event as it is sent (docs/endpoint.md).
 * @typedef {object} Event
 * @property {string} id
 * @property {string} kind
 * @property {string} at RFC 3339.
 * @property {number} count
 * @property {Record<string, unknown> | null} [reason]
 * @property {Record<string, unknown> | null} [period]
 * @property {string | null} [cohort]
 * @property {string | null} [type]
 * @property {string | null} [subject]
 * @property {unknown} [url]
 * @property {string | null} [entry_key]
 * @property {string | null} [comment]
 * @property {string | null} [policy_version]
 * @property {string | null} [pack_version]
 * @property {string | null} [extension_version]
 */

/** @typedef {Omit<Event, 'id' | 'at'>} EventBody */
/**
 * @typedef {object} EventRow One event on disk.
 * @property {string} id
 * @property {Event} event As it is sent.
 * @property {number} not_before_ms Not sent before: the endpoint could not read it.
 */
/** @typedef {{key: string, first_at: string, body: EventBody}} CountRow */

/** Most events kept as they are; what comes later is counted. */
export const MAX_EVENTS = 5_000;

/** Most different counts kept apart; what comes later is counted by its kind alone. */
export const MAX_COUNTS = 500;

/** Most events the endpoint takes at once. */
export const MAX_BATCH_EVENTS = 100;

/** Most bytes the endpoint takes at once, less what surrounds the events. */
export const MAX_BATCH_BYTES = 250 * 1024;

/**
 * Adds one event, on disk when the promise resolves.
 * @param {EventBody} body
 * @param {number} now_ms
 */
export async function add(body, now_ms) {
  const at = new Date(now_ms).toISOString();
  await transact(['events', 'counts'], 'readwrite', async (store) => {
    const kept = await result(store('events').count());
    if (body.kind !== 'count' && kept < MAX_EVENTS) {
      store('events').put(rowOf(body, at, now_ms));
    } else {
      await addCount(store('counts'), asCount(body), at);
    }
  });
}

/**
 * Turns what was counted so far into events of kind `count`, ready to be sent.
 * @param {number} now_ms
 */
export async function sealCounts(now_ms) {
  await transact(['events', 'counts'], 'readwrite', async (store) => {
    /** @type {CountRow[]} */
    const rows = await result(store('counts').getAll());
    for (const row of rows) {
      store('events').put(rowOf(row.body, row.first_at, now_ms));
      store('counts').delete(row.key);
    }
  });
}

/**
 * The oldest events that fit one delivery, oldest first.
 * @param {number} max_events
 * @param {number} now_ms
 * @returns {Promise<Event[]>}
 */
export function nextBatch(max_events, now_ms) {
  return transact(['events'], 'readonly', (store) => {
    /** @type {Event[]} */
    const batch = [];
    let bytes = 0;
    const encoder = new TextEncoder();
    const cursor = store('events').openCursor();
    return new Promise((resolve, reject) => {
      cursor.onerror = () => reject(cursor.error);
      cursor.onsuccess = () => {
        const at = cursor.result;
        if (at === null) return resolve(batch);
        const { event, not_before_ms } = /** @type {EventRow} */ (at.value);
        if (not_before_ms <= now_ms) {
          bytes += encoder.encode(JSON.stringify(event)).length + 1;
          if (bytes > MAX_BATCH_BYTES && batch.length > 0) return resolve(batch);
          batch.push(event);
          if (batch.length >= Math.min(max_events, MAX_BATCH_EVENTS)) return resolve(batch);
        }
        return at.continue();
      };
    });
  });
}

/**
 * Puts one event aside, so that it does not hold up those behind it.
 * @param {string} id
 * @param {number} not_before_ms
 */
export async function putAside(id, not_before_ms) {
  await transact(['events'], 'readwrite', async (store) => {
    /** @type {EventRow | undefined} */
    const row = await result(store('events').get(id));
    if (row !== undefined) store('events').put({ ...row, not_before_ms });
  });
}

/**
 * Drops exactly these events.
 * @param {string[]} ids
 */
export async function drop(ids) {
  if (ids.length === 0) return;
  await transact(['events'], 'readwrite', (store) => {
    for (const id of ids) store('events').delete(id);
  });
}

/** How many events wait, counts that are not sealed yet included. */
export async function waiting() {
  return transact(['events', 'counts'], 'readonly', async (store) => {
    const events = result(store('events').count());
    const counts = result(store('counts').count());
    return (await events) + (await counts);
  });
}

/**
 * The nameless count of an event: no subject, no URL, no words.
 * @param {EventBody} body
 * @returns {EventBody}
 */
export function asCount(body) {
  return { ...body, kind: 'count', subject: null, url: null, entry_key: null, comment: null };
}

/**
 * @param {EventBody} body
 * @param {string} at
 * @param {number} now_ms
 * @returns {EventRow}
 */
function rowOf(body, at, now_ms) {
  const id = uuidV7(now_ms);
  return { id, event: { ...body, id, at }, not_before_ms: 0 };
}

/**
 * Adds to a count in the transaction of `store`.
 * @param {IDBObjectStore} store
 * @param {EventBody} body
 * @param {string} at
 */
async function addCount(store, body, at) {
  let key = countKey(body, at);
  /** @type {CountRow | undefined} */
  let row = await result(store.get(key));
  if (row === undefined && (await result(store.count())) >= MAX_COUNTS) {
    body = { ...body, reason: null, period: null, cohort: null, type: null };
    key = countKey(body, at);
    row = await result(store.get(key));
  }
  if (row === undefined) {
    store.put({ key, first_at: at, body });
  } else {
    row.body.count += body.count;
    store.put(row);
  }
}

/**
 * What is counted together: the same reason, cohort, period and type on one day.
 * @param {EventBody} body
 * @param {string} at
 */
function countKey(body, at) {
  return JSON.stringify([
    at.slice(0, 10),
    body.reason ?? null,
    body.period ?? null,
    body.cohort ?? null,
    body.type ?? null,
    body.policy_version ?? null,
    body.pack_version ?? null,
  ]);
}
