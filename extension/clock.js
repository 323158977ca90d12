// The time, and how far it can be believed.
//
// A device's clock may be wrong or may have been moved. The school's own servers
// state the time in every answer; a difference beyond a few minutes is added to what
// the device believes. A clock that ran backwards while nobody could be asked is in
// doubt: lesson rules hold then, and nobody is named.

import { keep, readKept } from './chrome.js';

/** @typedef {{state: 'trusted'} | {state: 'corrected', offset_ms: number} | {state: 'doubtful'}} ClockState */

/** Differences up to this are the network's, not the clock's. */
export const TOLERANCE_MS = 120_000;

/** A doubt nobody could settle ends by itself, else a device without a server stays in lesson rules. */
export const LONGEST_DOUBT_MS = 12 * 3_600_000;

const KEY = 'clock';

/**
 * @typedef {object} ClockNotes
 * @property {number} offset_ms What is added to the device's time.
 * @property {number} last_seen_ms The latest device time that was seen.
 * @property {number | null} doubted_at_ms Device time at which it was found to have run backwards.
 */

/** @type {ClockNotes} */
let notes = { offset_ms: 0, last_seen_ms: 0, doubted_at_ms: null };

/** Reads what earlier workers noted. */
export async function loadClock() {
  const kept = (await readKept([KEY]))[KEY];
  if (typeof kept === 'object' && kept !== null) notes = { ...notes, ...kept };
  await tick(Date.now());
}

/** Now, in Unix epoch milliseconds, corrected where a correction is known. */
export function now() {
  return Date.now() + notes.offset_ms;
}

/** How far `now` can be believed. */
export function clockState() {
  return stateOf(notes);
}

/**
 * Notes the device's time; true when the state of the clock has changed.
 * @param {number} device_ms
 */
export async function tick(device_ms) {
  const before = stateOf(notes).state;
  notes = afterTick(notes, device_ms);
  await keep({ [KEY]: notes });
  return stateOf(notes).state !== before;
}

/**
 * Takes the time from a server of the school; true when the clock's state changed.
 * @param {number} server_ms
 * @param {number} device_ms
 */
export async function hearTime(server_ms, device_ms) {
  const before = stateOf(notes);
  notes = afterServerTime(notes, server_ms, device_ms);
  await keep({ [KEY]: notes });
  const after = stateOf(notes);
  return JSON.stringify(after) !== JSON.stringify(before);
}

/**
 * @param {ClockNotes} notes
 * @param {number} device_ms
 * @returns {ClockNotes}
 */
export function afterTick(notes, device_ms) {
  const ran_back = device_ms < notes.last_seen_ms - TOLERANCE_MS;
  if (ran_back) {
    return { offset_ms: 0, last_seen_ms: device_ms, doubted_at_ms: device_ms };
  }
  const settled = notes.doubted_at_ms !== null && device_ms - notes.doubted_at_ms >= LONGEST_DOUBT_MS;
  return {
    ...notes,
    last_seen_ms: Math.max(notes.last_seen_ms, device_ms),
    doubted_at_ms: settled ? null : notes.doubted_at_ms,
  };
}

/**
 * @param {ClockNotes} _notes
 * @param {number} server_ms
 * @param {number} device_ms
 * @returns {ClockNotes}
 */
export function afterServerTime(_notes, server_ms, device_ms) {
  const offset_ms = server_ms - device_ms;
  return {
    offset_ms: Math.abs(offset_ms) > TOLERANCE_MS ? offset_ms : 0,
    last_seen_ms: device_ms,
    doubted_at_ms: null,
  };
}

/**
 * @param {ClockNotes} notes
 * @returns {ClockState}
 */
export function stateOf(notes) {
  if (notes.doubted_at_ms !== null) return { state: 'doubtful' };
  return notes.offset_ms === 0 ? { state: 'trusted' } : { state: 'corrected', offset_ms: notes.offset_ms };
}
