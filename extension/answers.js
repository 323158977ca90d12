// What the block page says: it has no extension API, so it navigates and posts to a
// reserved host, and this listener answers by sending the frame on.

import { uiLanguage } from './chrome.js';
import { addressOf } from './address.js';
import { bringUp, enforceAsked } from './enforce.js';
import { askedThrough } from './mirror.js';
import { accept, acknowledge, contextFor } from './context.js';
import { now } from './clock.js';
import { decide, school, setContext, standing } from './engine.js';
import { recordStatement } from './events.js';
import { reportFault } from './faults.js';
import { isBlockPage, onFault } from './gate.js';
import { message } from './messages.js';
import { currentSettings } from './policy.js';
import { mint, redeem } from './tickets.js';
import { viewOf } from './view.js';

/** @typedef {import('./chrome.js').RequestDetails} RequestDetails */
/** @typedef {import('./chrome.js').BlockingResponse} BlockingResponse */
/** @typedef {import('./tickets.js').Ticket} Ticket */

/** @type {Record<string, (ticket: Ticket, details: RequestDetails) => BlockingResponse>} */
const ANSWERS = { '/accept': onAccept, '/continue': onContinue, '/review': onReview };

/**
 * Answers one request to the reserved host; without a ticket of this very frame it
 * is refused.
 * @param {RequestDetails} details
 * @returns {BlockingResponse | Promise<BlockingResponse>}
 */
export function onAnswer(details) {
  try {
    const asked_url = askedThrough(details.url);
    if (asked_url !== null) return onAsked(details, asked_url).catch((error) => onFault({ ...details, url: asked_url }, error));
    const { pathname, searchParams } = new URL(details.url);
    const answer = Object.hasOwn(ANSWERS, pathname) ? ANSWERS[pathname] : undefined;
    if (answer === undefined) return { cancel: true };
    const ticket = redeem(searchParams.get('token') ?? '', details.tabId, details.frameId);
    return ticket === null ? { cancel: true } : answer(ticket, details);
  } catch (error) {
    reportFault('an answer of the block page', error);
    return { cancel: true };
  }
}

/**
 * A frame that the second layer sent here is decided now. Where it is open, the
 * layer is behind the core: it is brought up first, lest it sends the frame here again.
 *
 * Chrome may take what the listener said of the address asked for as the answer for
 * this one, and not wait for this (decision 0023); where that was a yes the frame fails
 * at the reserved host, and is asked for again from there.
 * @param {RequestDetails} details
 * @param {string} url
 * @returns {Promise<BlockingResponse>}
 */
async function onAsked(details, url) {
  const response = await enforceAsked({ ...details, url });
  const next_url = response.redirectUrl ?? url;
  if (response.cancel || isBlockPage(next_url)) return response;
  await bringUp(url, now());
  return { redirectUrl: next_url };
}

/**
 * The pupil has read the notice (T221).
 * @param {Ticket} ticket
 * @returns {BlockingResponse}
 */
function onContinue(ticket) {
  if (ticket.kind !== 'notice') return { redirectUrl: ticket.url };
  const now_ms = now();
  recordStatement('notice', ticket.url, now_ms, null);
  acknowledge(ticket.category ?? '*', now_ms).catch((error) => reportFault('keeping an acknowledgement', error));
  setContext(contextFor(currentSettings()));
  return { redirectUrl: ticket.url };
}

/**
 * The pupil has accepted the acceptable use policy (T47).
 * @param {Ticket} ticket
 * @returns {BlockingResponse}
 */
function onAccept(ticket) {
  if (ticket.kind !== 'acceptance' || ticket.version === null) return { redirectUrl: ticket.url };
  recordStatement('notice', ticket.url, now(), null);
  accept(ticket.version).catch((error) => reportFault('keeping an acceptance', error));
  setContext(contextFor(currentSettings()));
  return { redirectUrl: ticket.url };
}

/**
 * The pupil asks that somebody looks at the block.
 * @param {Ticket} ticket
 * @param {RequestDetails} details
 * @returns {BlockingResponse}
 */
function onReview(ticket, details) {
  const now_ms = now();
  const sent = recordStatement('review', ticket.url, now_ms, commentIn(details));
  const decision = decide(ticket.url, 'main_frame', undefined, now_ms);
  if (decision.action === 'allow') return { redirectUrl: ticket.url };
  const language = uiLanguage();
  const { token } = mint({ ...ticket, at_ms: now_ms });
  const open_entries = standing(now_ms).open_entries ?? [];
  const view = viewOf(decision, { token, wanted_language: language, can_review: false, school: school(), open_entries });
  view.said = message(sent ? 'review_sent' : 'review_not_sent', {}, language);
  return { redirectUrl: addressOf(token, ticket.url, view) };
}

/** @param {RequestDetails} details */
function commentIn(details) {
  const [comment] = details.requestBody?.formData?.['comment'] ?? [];
  return typeof comment === 'string' ? comment : null;
}
