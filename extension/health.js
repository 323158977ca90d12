// Signs of life (school hours only): the endpoint can tell a silent device from an
// absent pupil, and see what does not work. Nobody is named.

import { chromeVersion, keep, readKept } from './chrome.js';
import { clockState, now } from './clock.js';
import { pace } from './delivery.js';
import { trapCount } from './engine.js';
import { record } from './events.js';
import { backgroundFaults } from './faults.js';
import { faultCount } from './gate.js';
import { lockedState, packState } from './pack.js';
import { hasPolicy, policyReport } from './policy.js';
import { waiting } from './queue.js';

/** @typedef {'faults' | 'background' | 'policy' | 'no_policy' | 'pack' | 'locked' | 'clock' | 'delivery'} Problem */

export const HEARTBEAT_EVERY_MS = 15 * 60_000;
export const HEALTH_EVERY_MS = 60 * 60_000;

const KEY = 'health';
const FAILURES_SHOWN = 5;

/**
 * @typedef {object} HealthNotes What must outlive a worker.
 * @property {number} open_minutes Minutes with the browser open since the last report.
 * @property {number} degraded_minutes Those of them with a problem.
 * @property {number} worker_starts
 * @property {number} heartbeat_at_ms
 * @property {number} report_at_ms
 * @property {string} reported_problems
 */

let counted_start = false;

/** What does not work as it should; empty when all is well. */
export async function problems() {
  /** @type {Problem[]} */
  const found = [];
  if (trapCount() + faultCount() > 0) found.push('faults');
  if (backgroundFaults() > 0) found.push('background');
  if (policyReport()?.ok === false) found.push('policy');
  if (!hasPolicy()) found.push('no_policy');
  if (packState().problem !== null) found.push('pack');
  if (lockedState(now()).some(({ problem, stale }) => problem !== null || stale)) found.push('locked');
  if (clockState().state !== 'trusted') found.push('clock');
  if ((await pace()).failures >= FAILURES_SHOWN) found.push('delivery');
  return found;
}

/**
 * Counts the time since the last beat, and reports when it is due.
 * @param {number} now_ms
 * @param {number} beat_minutes How often this is called.
 * @param {boolean} in_school_hours
 */
export async function beat(now_ms, beat_minutes, in_school_hours) {
  const found = await problems();
  const notes = await readNotes();
  notes.open_minutes += beat_minutes;
  if (found.length > 0) notes.degraded_minutes += beat_minutes;
  if (!counted_start) notes.worker_starts += 1;
  counted_start = true;

  if (in_school_hours && isDue(notes.heartbeat_at_ms, now_ms, HEARTBEAT_EVERY_MS)) {
    if (record({ kind: 'heartbeat', count: 1 }, now_ms)) notes.heartbeat_at_ms = now_ms;
  }
  const listed = found.join(' ');
  if (in_school_hours && (listed !== notes.reported_problems || isDue(notes.report_at_ms, now_ms, HEALTH_EVERY_MS))) {
    const comment = JSON.stringify({
      chrome: chromeVersion(),
      background_faults: backgroundFaults(),
      clock: clockState(),
      degraded_minutes: Math.round(notes.degraded_minutes),
      faults: faultCount() + trapCount(),
      locked: lockedState(now_ms).map(({ slot, age_ms, stale }) => ({ slot, stale, age_hours: age_ms === null ? null : Math.round(age_ms / 3_600_000) })),
      open_minutes: Math.round(notes.open_minutes),
      problems: found,
      waiting: await waiting(),
      worker_starts: notes.worker_starts,
    });
    if (record({ kind: 'health', count: 1, comment }, now_ms)) {
      Object.assign(notes, { open_minutes: 0, degraded_minutes: 0, worker_starts: 0, report_at_ms: now_ms, reported_problems: listed });
    }
  }
  await keep({ [KEY]: notes });
}

/**
 * Whether something is due again; a clock that was set back makes it due too.
 * @param {number} last_ms
 * @param {number} now_ms
 * @param {number} every_ms
 */
export function isDue(last_ms, now_ms, every_ms) {
  return now_ms - last_ms >= every_ms || now_ms < last_ms;
}

/** @returns {Promise<HealthNotes>} */
async function readNotes() {
  const kept = (await readKept([KEY]))[KEY];
  return {
    open_minutes: 0,
    degraded_minutes: 0,
    worker_starts: 0,
    heartbeat_at_ms: 0,
    report_at_ms: 0,
    reported_problems: '',
    ...(typeof kept === 'object' ? kept : {}),
  };
}
