// The school's settings and policy: from managed storage to the engine.
//
// After a browser start Chrome hands out managed settings only seconds later, and
// at first installation none at all: "not there yet" is not "not set". So the last
// settings and the last policy that was valid are kept here and used at once.

import { keep, managedSettings, readKept } from './chrome.js';
import { setPolicy } from './engine.js';

/**
 * The managed keys; null where one is absent or unusable.
 * @typedef {object} Settings
 * @property {string | null} policy
 * @property {string | null} cohort
 * @property {string | null} user
 * @property {string | null} network
 * @property {string | null} endpoint
 * @property {string | null} enrolment_key
 * @property {string | null} pack_url
 * @property {string | null} pack_keys
 * @property {number} pack_floor The lowest sequence of a list pack that may be used.
 * @property {string | null} iwf_url
 * @property {string | null} iwf_key
 * @property {string | null} ctiru_url
 * @property {string | null} ctiru_key
 * @property {string | null} tenant
 */

/** @typedef {import('./engine.js').PolicyReport} PolicyReport */

const SETTINGS = 'settings';
const GOOD_POLICY = 'good_policy';

/** @type {Settings} */
let settings = settingsFrom({});
/** @type {string | null} */
let tried_policy = null;
/** @type {PolicyReport | null} */
let last_report = null;
let has_policy = false;

/** Uses what was kept from earlier; quick, so that a start can wait for it. */
export async function loadPolicy() {
  const kept = await readKept([SETTINGS, GOOD_POLICY]);
  if (isRecord(kept[SETTINGS])) settings = settingsFrom(kept[SETTINGS]);
  const good = kept[GOOD_POLICY];
  if (typeof good !== 'string') return;
  const report = setPolicy(good);
  has_policy = report.ok;
  // The same text again is nothing new.
  if (report.ok && good === settings.policy) {
    tried_policy = good;
    last_report = report;
  }
}

/**
 * Takes over what the administrator pushed; true when anything changed.
 */
export async function refreshPolicy() {
  const pushed = await managedSettings();
  if (Object.keys(pushed).length === 0) return false;
  const next = settingsFrom(pushed);
  const changed = JSON.stringify(next) !== JSON.stringify(settings);
  settings = next;
  if (changed) await keep({ [SETTINGS]: next });
  const policy_changed = next.policy !== null && next.policy !== tried_policy && (await take(next.policy));
  return changed || policy_changed;
}

/** The settings in force. */
export function currentSettings() {
  return settings;
}

/** What the core said of the newest policy; null before one has arrived. */
export function policyReport() {
  return last_report;
}

/** Whether a valid policy holds. */
export function hasPolicy() {
  return has_policy;
}

/**
 * Hands a policy to the engine and keeps it when it is valid.
 * @param {string} text
 */
async function take(text) {
  tried_policy = text;
  last_report = setPolicy(text);
  if (!last_report.ok) {
    console.warn('bellgate: the policy has errors, the last good one holds', last_report.errors);
    return false;
  }
  has_policy = true;
  await keep({ [GOOD_POLICY]: text });
  return true;
}

/**
 * Reads the managed keys; what is not usable is left out.
 * @param {Record<string, unknown>} pushed
 * @returns {Settings}
 */
export function settingsFrom(pushed) {
  return {
    policy: text(pushed['policy']),
    cohort: text(pushed['cohort']),
    user: text(pushed['user']),
    network: text(pushed['network']),
    endpoint: serverUrl(pushed['endpoint']),
    enrolment_key: text(pushed['enrolment_key']),
    pack_url: serverUrl(pushed['pack_url']),
    pack_keys: text(pushed['pack_keys']),
    pack_floor: wholeNumber(pushed['pack_floor']),
    iwf_url: serverUrl(pushed['iwf_url']),
    iwf_key: text(pushed['iwf_key']),
    ctiru_url: serverUrl(pushed['ctiru_url']),
    ctiru_key: text(pushed['ctiru_key']),
    tenant: text(pushed['tenant']),
  };
}

/**
 * A server that may be talked to: https, or http on this very machine.
 * @param {unknown} value
 */
export function serverUrl(value) {
  const written = text(value);
  if (written === null || !URL.canParse(written)) return null;
  const { protocol, hostname, username, password } = new URL(written);
  if (username !== '' || password !== '') return null;
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && loopback) ? written : null;
}

/**
 * A whole number as managed storage holds it, in digits; 0 where there is none.
 * @param {unknown} value
 */
function wholeNumber(value) {
  // Settings that were kept are read again, as numbers.
  const number = Number(typeof value === 'number' ? value : text(value));
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

/** @param {unknown} value */
function text(value) {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isRecord(value) {
  return typeof value === 'object' && value !== null;
}
