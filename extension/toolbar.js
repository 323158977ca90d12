// What the toolbar shows: how the web stands for this pupil, never what was blocked.

import { showOnToolbar, uiLanguage } from './chrome.js';
import { now } from './clock.js';
import { school, standing } from './engine.js';
import { problems } from './health.js';
import { message } from './messages.js';
import { currentSettings } from './policy.js';
import { productName } from './view.js';

/** @typedef {import('./messages.js').MessageKey} MessageKey */

/**
 * What the pop-up shows.
 * @typedef {object} ToolbarState
 * @property {string} language
 * @property {string} product The school's name, where it is known, and the product's.
 * @property {string} tone
 * @property {string} heading
 * @property {string} more
 * @property {string | null} until
 * @property {string[]} problems
 * @property {boolean} can_report
 */

const BADGES = /** @type {const} */ ({ closed: '■', exam: 'EX', allowlist: '…', notice: '', filtered: '', open: '' });

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
    product: productName(school(), language),
    tone: kind,
    heading: say(`popup_${kind}`),
    more: say(`popup_${kind}_more`),
    until: held.period === null ? null : say('popup_until', { time: held.period.ends_at.slice(11, 16) }),
    problems: (await problems()).map((problem) => say(`popup_problem_${problem}`)),
    can_report: held.managed && currentSettings().endpoint !== null,
  };
}
