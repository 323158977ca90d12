// The listener that every request passes, registered before anything else runs.
//
// Chrome lets a request through when a listener is late, throws, rejects, answers
// nothing or something malformed. So this module is the first one evaluated, what
// it imports cannot fail at load, and whatever goes wrong behind it is answered
// with a block. A promise that does not settle would let its request through
// after about 30 s, so it is given up long before.

import { ANSWER_HOST, BLOCK_PAGE_PATH, blockPageUrl, onRequest, ownId } from './chrome.js';
import { alwaysOpen } from './fallback.js';
import { FRAME_TYPES } from './resource-types.js';

/** @typedef {import('./chrome.js').RequestDetails} RequestDetails */
/** @typedef {import('./chrome.js').BlockingResponse} BlockingResponse */
/** @typedef {(details: RequestDetails) => BlockingResponse | Promise<BlockingResponse>} Decider */

/** How long an answer may take before the request is blocked. */
export const DENY_AFTER_MS = 10_000;

/** @type {Decider | null} */
let decider = null;

/** How many requests were blocked because something unexpected happened. */
let fault_count = 0;

onRequest(answer);

/**
 * Puts the real decision behind the gate; until then everything is blocked but
 * help services and sign-in pages.
 * @param {Decider} next
 */
export function openGate(next) {
  decider = next;
}

/** How many requests were blocked by a fault since this worker started. */
export function faultCount() {
  return fault_count;
}

/**
 * The answer to one request; never throws and never rejects.
 * @param {RequestDetails} details
 * @returns {BlockingResponse | Promise<BlockingResponse>}
 */
export function answer(details) {
  try {
    if (decider === null) return onFault(details);
    const decided = decider(details);
    return decided instanceof Promise ? bounded(decided, details) : decided;
  } catch (error) {
    return onFault(details, error);
  }
}

/**
 * Waits for an answer, but not for ever.
 * @param {Promise<BlockingResponse>} decided
 * @param {RequestDetails} details
 * @returns {Promise<BlockingResponse>}
 */
function bounded(decided, details) {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => resolve(onFault(details, new Error('no decision in time'))),
      DENY_AFTER_MS,
    );
    decided.then(resolve, (error) => resolve(onFault(details, error))).finally(() => clearTimeout(timer));
  });
}

/**
 * What a request gets when nothing can be decided.
 * @param {RequestDetails} details
 * @param {unknown} [error]
 * @returns {BlockingResponse}
 */
export function onFault(details, error) {
  try {
    fault_count += 1;
    if (error !== undefined) console.error('bellgate: blocked by a fault', error);
    if (isOwn(details) || alwaysOpen(details.url)) return {};
    return isFrame(details) ? { redirectUrl: `${blockPageUrl()}#` } : { cancel: true };
  } catch {
    // Details that make no sense. It was counted above, and nothing else is safe.
    return { cancel: true };
  }
}

/**
 * Whether the worker itself asks, or one of the extension's own pages is asked for.
 *
 * A tab that the worker sends somewhere names the extension as initiator too, and
 * is decided like any other page.
 * @param {RequestDetails} details
 */
export function isOwn(details) {
  const own = `chrome-extension://${ownId()}`;
  const asked_by_worker = details.initiator === own && details.tabId < 0 && !isFrame(details);
  return (
    asked_by_worker ||
    details.url.startsWith(`${own}/`) ||
    details.url.startsWith(blockPageUrl()) ||
    details.url.startsWith(`https://${ANSWER_HOST}/`)
  );
}

/**
 * Whether the request is for a document that can show the block page.
 * @param {RequestDetails} details
 */
export function isFrame(details) {
  return FRAME_TYPES.some((type) => type === details.type);
}

/**
 * Whether `url` is the block page, with whichever of its two ids.
 * @param {string} url
 */
export function isBlockPage(url) {
  return (
    url.startsWith(`chrome-extension://${ownId()}/${BLOCK_PAGE_PATH}`) ||
    url.startsWith(blockPageUrl())
  );
}
