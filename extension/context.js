// Who is asking, from where, and with what leave: what the core cannot know.

import { deviceAddress, keep, profileEmail, readKept } from './chrome.js';
import { clockState } from './clock.js';

/** @typedef {import('./policy.js').Settings} Settings */

/**
 * The context of a decision, in the core's shape.
 * @typedef {object} Context
 * @property {string} [cohort]
 * @property {string} [user]
 * @property {{state: 'unknown'} | {state: 'address', address: string, proof: 'device' | 'stated'}} place
 * @property {import('./clock.js').ClockState} clock
 * @property {Acknowledgement[]} acknowledgements
 * @property {string} [accepted_version]
 */

/** @typedef {{category: string, at_ms: number}} Acknowledgement */

const ACKNOWLEDGEMENTS = 'acknowledgements';
const ACCEPTED = 'accepted_version';
const LAST_EMAIL = 'last_email';
/** Older acknowledgements hold for no policy. */
const ACKNOWLEDGED_FOR_MS = 32 * 24 * 3_600_000;

/** @type {string | null} */
let email = null;
/** @type {string | null} */
let address = null;
/** @type {Acknowledgement[]} */
let acknowledgements = [];
/** @type {string | null} */
let accepted_version = null;

/** Reads what is kept of the context; quick, so that a start can wait for it. */
export async function loadContext() {
  const kept = await readKept([ACCEPTED, ACKNOWLEDGEMENTS, LAST_EMAIL]);
  const list = kept[ACKNOWLEDGEMENTS];
  if (Array.isArray(list)) acknowledgements = list;
  const accepted = kept[ACCEPTED];
  if (typeof accepted === 'string') accepted_version = accepted;
  const last = kept[LAST_EMAIL];
  if (typeof last === 'string') email = last;
}

/**
 * Asks the browser who is signed in and where the device is; true when either
 * differs from what was known.
 */
export async function refreshContext() {
  const [found_email, found_address] = await Promise.all([profileEmail(), deviceAddress()]);
  const changed = found_email !== email || found_address !== address;
  if (found_email !== email) await keep({ [LAST_EMAIL]: found_email });
  email = found_email;
  address = found_address;
  return changed;
}

/**
 * Notes that a notice was acknowledged.
 * @param {string} category
 * @param {number} now_ms
 */
export async function acknowledge(category, now_ms) {
  acknowledgements = [
    ...acknowledgements.filter(
      (one) => one.category !== category && now_ms - one.at_ms < ACKNOWLEDGED_FOR_MS,
    ),
    { category, at_ms: now_ms },
  ];
  await keep({ [ACKNOWLEDGEMENTS]: acknowledgements });
}

/**
 * Notes that a version of the acceptable use policy was accepted.
 * @param {string} version
 */
export async function accept(version) {
  accepted_version = version;
  await keep({ [ACCEPTED]: version });
}

/**
 * The context for the core. What Chrome itself says beats what is stated.
 * @param {Settings} settings
 * @returns {Context}
 */
export function contextFor(settings) {
  const user = email ?? settings.user;
  /** @type {Context} */
  const context = { place: placeOf(settings), clock: clockState(), acknowledgements };
  if (settings.cohort !== null) context.cohort = settings.cohort;
  if (user !== null) context.user = user;
  if (accepted_version !== null) context.accepted_version = accepted_version;
  return context;
}

/**
 * @param {Settings} settings
 * @returns {Context['place']}
 */
function placeOf(settings) {
  if (address !== null) return { state: 'address', address, proof: 'device' };
  if (settings.network !== null) return { state: 'address', address: settings.network, proof: 'stated' };
  return { state: 'unknown' };
}
