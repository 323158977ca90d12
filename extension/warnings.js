// A warning before open pages close, so that nobody loses an essay to the bell.

import { keepForSession, notify, openTabs, readSession, uiLanguage } from './chrome.js';
import { now } from './clock.js';
import { decide, verdict } from './engine.js';
import { message } from './messages.js';

/** How long before a change there is a warning, longest first. */
export const WARN_BEFORE_MS = [5 * 60_000, 60_000];

const WARNED = 'warned';

/**
 * Warns when pages that are open now will close at the next change, once for each
 * of the times before it.
 * @param {number} change_at_ms
 */
export async function warnBeforeChange(change_at_ms) {
  const now_ms = now();
  const before_ms = dueWarning(change_at_ms - now_ms);
  if (before_ms === null) return;
  const warning = `${change_at_ms} ${before_ms}`;
  if ((await readSession([WARNED]))[WARNED] === warning) return;
  await keepForSession({ [WARNED]: warning });

  const closing = (await openTabs())
    .map((tab) => tab.url ?? '')
    .filter((url) => /^https?:/.test(url) && closesAt(url, now_ms, change_at_ms));
  const [first] = closing;
  if (first === undefined) return;
  const at = decide(first, 'main_frame', undefined, now_ms).next_change_at;
  const language = uiLanguage();
  await notify('closing', {
    title: message('warning_title', { time: at?.slice(11, 16) ?? '' }, language),
    text: message(before_ms > 60_000 ? 'warning_minutes' : 'warning_minute', { minutes: String(before_ms / 60_000) }, language),
  });
}

/**
 * The warning that is due so long before a change; null for none.
 * @param {number} remaining_ms
 */
export function dueWarning(remaining_ms) {
  if (remaining_ms <= 0) return null;
  return WARN_BEFORE_MS.filter((before_ms) => remaining_ms <= before_ms).at(-1) ?? null;
}

/**
 * @param {string} url
 * @param {number} now_ms
 * @param {number} change_at_ms
 */
function closesAt(url, now_ms, change_at_ms) {
  return (
    verdict(url, 'main_frame', undefined, now_ms) === 'allow' &&
    verdict(url, 'main_frame', undefined, change_at_ms) === 'block'
  );
}
