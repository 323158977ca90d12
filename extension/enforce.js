// From a decision to what Chrome does with a request.

import { navigate, uiLanguage } from './chrome.js';
import { addressOf, readAddress } from './address.js';
import { now } from './clock.js';
import { decide, school, standing, verdict } from './engine.js';
import { noteAttempt, recordPart } from './events.js';
import { reportFault } from './faults.js';
import { isBlockPage, isFrame, isOwn } from './gate.js';
import { askedThrough, letThrough, mirror, sendsRound } from './mirror.js';
import { wholePack } from './pack.js';
import { currentSettings } from './policy.js';
import { saferAddress } from './safe-search.js';
import { mint, show, ticketOf } from './tickets.js';
import { viewOf } from './view.js';

/** @typedef {import('./chrome.js').RequestDetails} RequestDetails */
/** @typedef {import('./chrome.js').BlockingResponse} BlockingResponse */
/** @typedef {import('./engine.js').Decision} Decision */

/** How much later a refusal comes where the second layer has sent the page round. */
const SECOND_AFTER_MS = 100;

/** @type {Promise<void> | null} What requests wait for; null once everything is there. */
let waiting = null;

/**
 * Lets requests wait until `ready` settles, however it settles: what could not be
 * read by then is missing, and the core knows rules for that.
 * @param {Promise<unknown>} ready
 */
export function waitFor(ready) {
  // Whoever makes it ready reports what fails; requests go on without it.
  const settled = ready.then(
    () => {},
    () => {},
  );
  const all = Promise.all([waiting, settled]).then(() => {
    if (waiting === all) waiting = null;
  });
  waiting = all;
}

/**
 * Decides one request.
 * @param {RequestDetails} details
 * @returns {BlockingResponse | Promise<BlockingResponse>}
 */
export function enforce(details) {
  if (isBlockPage(details.url)) return waiting === null ? onBlockPage(details) : waiting.then(() => onBlockPage(details));
  if (isOwn(details)) return {};
  return waiting === null ? decided(details) : waiting.then(() => decided(details));
}

/**
 * Decides a request that reached the listener by way of the reserved host.
 * @param {RequestDetails} details With the address that was asked for.
 * @returns {Promise<BlockingResponse>}
 */
export async function enforceAsked(details) {
  await waiting;
  return decided(details);
}

/**
 * Where a tab that shows `url` should be instead: at the block page, or at what it
 * asked for where the second layer sent it to the reserved host; null when it may stay.
 * @param {string} url
 * @param {number} tab_id
 * @param {number} now_ms
 */
export function addressInstead(url, tab_id, now_ms) {
  const asked_url = askedThrough(url);
  const decision = refusal(asked_url ?? url, 'main_frame', undefined, now_ms);
  return decision === null ? asked_url : blockPageFor(decision, tab_id, 0, now_ms).address;
}

/**
 * The block page's address for the tab of a frame that is not open now; null when it is.
 * @param {string} url
 * @param {string} page_url
 * @param {number} tab_id
 * @param {number} now_ms
 */
export function blockedFrameAddress(url, page_url, tab_id, now_ms) {
  const decision = refusal(url, 'sub_frame', page_url, now_ms);
  // Asked again for the page, not for the frame alone.
  return decision === null ? null : blockPageFor({ ...decision, url: page_url }, tab_id, 0, now_ms).address;
}

/**
 * Why a request is not carried out; null when it is. A school that observes has
 * blocks counted, and carried out for the locked layer alone.
 * @param {string} url
 * @param {string} type
 * @param {string | undefined} initiator
 * @param {number} now_ms
 * @returns {Decision | null}
 */
function refusal(url, type, initiator, now_ms) {
  if (verdict(url, type, initiator, now_ms) === 'allow') return null;
  const decision = decide(url, type, initiator, now_ms);
  if (decision.action === 'allow') return null;
  if (decision.reason.code === 'illegal' || decision.reason.code === 'fault' || !standing(now_ms).observe) return decision;
  return null;
}

/**
 * Where a tab that shows the block page should go; null when it shows the right one.
 * @param {string} block_page_url
 * @param {number} tab_id
 * @param {number} now_ms
 */
export function nextAddress(block_page_url, tab_id, now_ms) {
  const asked = readAddress(block_page_url);
  if (asked === null) return null;
  const decision = refusal(asked.asked_url, 'main_frame', undefined, now_ms);
  if (decision === null) return asked.asked_url;
  if (ticketOf(asked.token)?.because === because(decision)) return null;
  return blockPageFor(decision, tab_id, 0, now_ms).address;
}

/** @param {Decision} decision */
function because({ action, reason, period }) {
  return JSON.stringify([action, reason.code, reason.category, reason.rule, period?.name ?? null]);
}

/**
 * @param {RequestDetails} details
 * @returns {BlockingResponse | Promise<BlockingResponse>}
 */
function decided(details) {
  const now_ms = now();
  const { url, type, initiator } = details;
  const answer = verdict(url, type, initiator, now_ms);
  if (answer === 'allow') return opened(url, type, now_ms);
  if (answer === 'pending') return wholePack().then(() => decided(details));
  const decision = refusal(url, type, initiator, now_ms);
  if (decision === null) {
    recordPart(url, type, initiator, now_ms); // Observed only.
    return opened(url, type, now_ms);
  }

  const shows_page = isFrame(details) && details.tabId >= 0 && details.documentLifecycle !== 'prerender';
  if (!shows_page) {
    recordPart(url, type, initiator, now_ms);
    return { cancel: true };
  }
  const { token, address } = blockPageFor(decision, details.tabId, details.frameId, now_ms);
  if (type === 'main_frame') noteAttempt(token, details.tabId, url, now_ms);
  else recordPart(url, type, initiator, now_ms);
  // Chromium takes this answer for the one about the reserved host where it comes second
  // (decision 0023): as the first it is lost, and the tab ends at the reserved host.
  return sendsRound(url) ? later({ redirectUrl: address }) : { redirectUrl: address };
}

/**
 * @param {BlockingResponse} response
 * @returns {Promise<BlockingResponse>}
 */
function later(response) {
  return new Promise((resolve) => setTimeout(() => resolve(response), SECOND_AFTER_MS));
}

/**
 * What is open is left alone; a search engine is asked for its strictest results where
 * the policy says so.
 * @param {string} url
 * @param {string} type
 * @param {number} now_ms
 * @returns {BlockingResponse}
 */
function opened(url, type, now_ms) {
  const address = saferAddress(url, type);
  return address !== null && standing(now_ms).safe_search ? { redirectUrl: address } : {};
}

/**
 * The block page shows each ticket once; loaded again, it is decided again. What is
 * open by now is opened as a navigation of its own, which is decided like any other.
 * @param {RequestDetails} details
 * @returns {BlockingResponse | Promise<BlockingResponse>}
 */
function onBlockPage(details) {
  if (!isFrame(details)) return {};
  const asked = readAddress(details.url);
  if (asked === null || show(asked.token)) return {};
  return decidedAgain(details, asked.asked_url);
}

/**
 * @param {RequestDetails} details Of the block page.
 * @param {string} asked_url
 * @returns {BlockingResponse | Promise<BlockingResponse>}
 */
function decidedAgain(details, asked_url) {
  const now_ms = now();
  if (verdict(asked_url, details.type, undefined, now_ms) === 'pending') {
    return wholePack().then(() => decidedAgain(details, asked_url));
  }
  const decision = refusal(asked_url, details.type, undefined, now_ms);
  if (decision !== null) {
    const { token, address } = blockPageFor(decision, details.tabId, details.frameId, now_ms);
    if (details.type === 'main_frame') noteAttempt(token, details.tabId, asked_url, now_ms);
    return { redirectUrl: address };
  }
  if (details.type === 'main_frame') {
    navigate(details.tabId, asked_url).catch((error) => reportFault('opening what is open again', error));
  }
  return {};
}

/**
 * @param {Decision} decision
 * @param {number} tab_id
 * @param {number} frame_id
 * @param {number} now_ms
 * @returns {{token: string, address: string}}
 */
export function blockPageFor(decision, tab_id, frame_id, now_ms) {
  const { token } = mint({
    tab_id,
    frame_id,
    url: decision.url,
    kind: decision.action === 'notice' ? 'notice' : decision.reason.code === 'acceptance' ? 'acceptance' : 'block',
    version: decision.reason.code === 'acceptance' ? decision.reason.rule : null,
    category: decision.reason.category,
    because: because(decision),
    at_ms: now_ms,
  });
  const view = viewOf(decision, {
    token,
    wanted_language: uiLanguage(),
    can_review: currentSettings().endpoint !== null,
    school: school(),
    open_entries: standing(now_ms).open_entries ?? [],
  });
  return { token, address: addressOf(token, decision.url, view) };
}

/**
 * Brings the second layer up to what the core says of an address that it has sent round.
 * @param {string} url
 * @param {number} now_ms
 */
export async function bringUp(url, now_ms) {
  const open = refusal(url, 'main_frame', undefined, now_ms) === null;
  await (open ? letThrough(url, standing(now_ms), now_ms) : mirror(standing(now_ms), now_ms));
}

/**
 * Takes a tab that ended in an error to what it asked for, where that is known.
 * @param {number} tab_id
 * @param {string} failed_url
 */
export async function askAgain(tab_id, failed_url) {
  const sent_round_url = askedThrough(failed_url);
  // The layer that sent it round must not do so again.
  if (sent_round_url !== null) await bringUp(sent_round_url, now());
  const asked_url = isBlockPage(failed_url) ? readAddress(failed_url)?.asked_url : sent_round_url;
  if (asked_url) await navigate(tab_id, asked_url);
}
