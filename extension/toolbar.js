// What the toolbar shows: how the web stands for this pupil, never what was blocked.

import { showOnToolbar, uiLanguage } from './chrome.js';
import { now } from './clock.js';
import { clockState } from './clock.js';
import { standing, trapCount } from './engine.js';
import { pace } from './delivery.js';
import { faultCount } from './gate.js';
import { message } from './messages.js';
import { packState } from './pack.js';
import { currentSettings, hasPolicy, policyReport } from './policy.js';

/** @typedef {import('./messages.js').MessageKey} MessageKey */

/**
 * What the pop-up shows.
 * @typedef {object} ToolbarState
 * @property {string} language
 * @property {string} tone
 * @property {string} heading
 * @property {string} more
 * @property {string | null} until
 * @property {string[]} problems
 * @property {boolean} can_report
 */

const BADGES = /** @type {const} */ ({ closed: '■', exam: 'EX', allowlist: '…', notice: '', filtered: '', open: '' });
const DELIVERY_FAILURES_SHOWN = 5;

/** Shows the present state on the toolbar icon. */
export async function refreshToolbar() {
  const state = await toolbarState();
  const degraded = state.problems.length > 0;
  const held = standing(now());
  await showOnToolbar({
    title: degraded ? `${message('product')} · ${state.problems[0]}` : `${message('product')} · ${state.heading}`,
    badge: degraded ? '!' : BADGES[held.mode],
    colour: degraded ? '#9a3412' : '#4c5868',
  });
}

/** @returns {Promise<ToolbarState>} */
export async function toolbarState() {
  const language = uiLanguage();
  const say = (/** @type {MessageKey} */ key, /** @type {Record<string, string>} */ values = {}) =>
    message(key, values, language);
  const now_ms = now();
  const held = standing(now_ms);
  const kind = held.doubt === null ? held.mode : 'doubt';
  return {
    language,
    tone: kind,
    heading: say(`popup_${kind}`),
    more: say(`popup_${kind}_more`),
    until: held.period === null ? null : say('popup_until', { time: timeOf(held.period.ends_at, language) }),
    problems: (await problems()).map((key) => say(key)),
    can_report: held.managed && currentSettings().endpoint !== null,
  };
}

/** @returns {Promise<MessageKey[]>} */
async function problems() {
  /** @type {MessageKey[]} */
  const found = [];
  if (trapCount() + faultCount() > 0) found.push('popup_problem_faults');
  if (policyReport()?.ok === false) found.push('popup_problem_policy');
  if (!hasPolicy()) found.push('popup_problem_no_policy');
  if (packState().problem !== null) found.push('popup_problem_pack');
  if (clockState().state !== 'trusted') found.push('popup_problem_clock');
  if ((await pace()).failures >= DELIVERY_FAILURES_SHOWN) found.push('popup_problem_delivery');
  return found;
}

/**
 * @param {string} at RFC 3339 in the school's zone.
 * @param {string} _language
 */
function timeOf(at, _language) {
  return at.slice(11, 16);
}
