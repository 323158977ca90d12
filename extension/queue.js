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
      store('events').put({ ...body, id: uuidV7(now_ms), at });
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
      store('events').put({ ...row.body, id: uuidV7(now_ms), at: row.first_at });
      store('counts').delete(row.key);
    }
  });
}

/**
 * The oldest events that fit one delivery, oldest first.
 * @param {number} max_events
 * @returns {Promise<Event[]>}
 */
export async function nextBatch(max_events = MAX_BATCH_EVENTS) {
  /** @type {Event[]} */
  const oldest = await transact(['events'], 'readonly', (store) =>
    result(store('events').getAll(null, Math.min(max_events, MAX_BATCH_EVENTS))),
  );
  const batch = [];
  let bytes = 0;
  const encoder = new TextEncoder();
  for (const event of oldest) {
    bytes += encoder.encode(JSON.stringify(event)).length + 1;
    if (bytes > MAX_BATCH_BYTES && batch.length > 0) break;
    batch.push(event);
  }
  return batch;
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
