// From blocks to what is recorded of them.
//
// What may be recorded is the core's decision (its `event`); here it gets the
// versions, waits until it is known whether the pupil opened the page, and goes into
// the queue. Without an endpoint nothing is kept at all.

import { ownVersion } from './chrome.js';
import { event, statement } from './engine.js';
import { reportFault } from './faults.js';
import { packState } from './pack.js';
import { currentSettings, policyReport } from './policy.js';
import { add } from './queue.js';

/** @typedef {import('./chrome.js').CommittedDetails} CommittedDetails */
/** @typedef {import('./engine.js').Navigation} Navigation */
/** @typedef {import('./queue.js').EventBody} EventBody */

/** A blocked page whose kind of navigation is not known yet. */
/** @typedef {{tab_id: number, url: string, at_ms: number, timer: ReturnType<typeof setTimeout>}} Attempt */

const MAX_COMMENT_LENGTH = 500;
const COMMIT_WITHIN_MS = 5_000;
/** The same address again in the same tab so soon is the same attempt. */
const SAME_ATTEMPT_MS = 10 * 60_000;

/** @type {Map<string, Attempt>} */
const attempts = new Map();
/** @type {Map<number, {url: string, at_ms: number}>} */
const last_by_tab = new Map();
/** Where this extension itself has just sent a tab. @type {Map<number, {url: string, at_ms: number}>} */
const sent_by_us = new Map();

/** @type {() => void} */
let onQueued = () => {};

/** @param {() => void} queued Called when something waits to be sent. */
export function startEvents(queued) {
  onQueued = queued;
}

/**
 * Notes a blocked or questioned page until its navigation has committed.
 * @param {string} token Of the block page it leads to.
 * @param {number} tab_id
 * @param {string} url
 * @param {number} at_ms
 */
export function noteAttempt(token, tab_id, url, at_ms) {
  const timer = setTimeout(() => settle(token, 'other'), COMMIT_WITHIN_MS);
  attempts.set(token, { tab_id, url, at_ms, timer });
}

/**
 * Says how the navigation to a block page came about.
 * @param {string} token
 * @param {CommittedDetails} details
 */
export function noteCommit(token, details) {
  const attempt = attempts.get(token);
  if (attempt !== undefined) settle(token, navigationOf(details, attempt));
}

/**
 * Says that the extension opens this address in the tab, so that nobody is named for it.
 * @param {number} tab_id
 * @param {string} url
 * @param {number} at_ms
 */
export function noteSentByUs(tab_id, url, at_ms) {
  sent_by_us.set(tab_id, { url, at_ms });
}

/**
 * Records what was blocked inside a page, without anybody's name.
 * @param {string} url
 * @param {string} type
 * @param {string | undefined} initiator
 * @param {number} at_ms
 */
export function recordPart(url, type, initiator, at_ms) {
  record(event(url, type, initiator, at_ms, 'other'), at_ms);
}

/**
 * Records what a pupil says: that a notice was read, that a block wants a review, or
 * that an open page is not suitable.
 * @param {'notice' | 'review' | 'report'} kind
 * @param {string} url
 * @param {number} at_ms
 * @param {string | null} comment
 * @returns {boolean} Whether anybody will hear of it.
 */
export function recordStatement(kind, url, at_ms, comment) {
  const body = statement(kind, url, at_ms);
  return record(body === null ? null : { ...body, comment: wordsOf(comment) }, at_ms);
}

/** @param {string | null} comment */
function wordsOf(comment) {
  const words = comment?.trim().slice(0, MAX_COMMENT_LENGTH) ?? '';
  return words === '' ? null : words;
}

/**
 * Puts a body into the queue; false when there is nothing to record or nowhere to send it.
 * @param {EventBody | null} body
 * @param {number} at_ms
 */
export function record(body, at_ms) {
  if (body === null || currentSettings().endpoint === null) return false;
  const whole = {
    ...body,
    policy_version: policyReport()?.version ?? null,
    pack_version: packState().version,
    extension_version: ownVersion(),
  };
  add(whole, at_ms).then(onQueued, (error) => reportFault('keeping an event', error));
  return true;
}

/**
 * @param {string} token
 * @param {Navigation} navigation
 */
function settle(token, navigation) {
  const attempt = attempts.get(token);
  if (attempt === undefined) return;
  attempts.delete(token);
  clearTimeout(attempt.timer);
  record(event(attempt.url, 'main_frame', undefined, attempt.at_ms, navigation), attempt.at_ms);
}

/**
 * Whether the pupil opened the page, from Chrome's transition types.
 *
 * A reload of what the tab showed before is no new attempt; a restored tab commits
 * as a reload or a start page; a page that sends itself elsewhere is not the pupil.
 * @param {CommittedDetails} details
 * @param {Attempt} attempt
 * @returns {Navigation}
 */
function navigationOf(details, attempt) {
  const ours = sent_by_us.get(attempt.tab_id);
  sent_by_us.delete(attempt.tab_id);
  if (ours?.url === attempt.url && attempt.at_ms - ours.at_ms < COMMIT_WITHIN_MS) return 'transition';

  const last = last_by_tab.get(attempt.tab_id);
  last_by_tab.set(attempt.tab_id, { url: attempt.url, at_ms: attempt.at_ms });
  if (last?.url === attempt.url && attempt.at_ms - last.at_ms < SAME_ATTEMPT_MS) return 'other';
  return isOwn(details) ? 'own' : 'other';
}

/**
 * @param {{transitionType: string, transitionQualifiers: string[]}} details
 */
export function isOwn({ transitionType, transitionQualifiers }) {
  if (transitionQualifiers.includes('client_redirect')) return false;
  if (transitionQualifiers.includes('forward_back')) return false;
  return ['link', 'typed', 'auto_bookmark', 'generated', 'keyword', 'keyword_generated', 'form_submit'].includes(
    transitionType,
  );
}
