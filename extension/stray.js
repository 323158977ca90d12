// Pages that never reach the request listener: those served by a page's own
// service worker, and addresses that a page changes without loading anything.

import { navigate, tabOf } from './chrome.js';
import { now } from './clock.js';
import { blockedAddress, blockedFrameAddress } from './enforce.js';
import { verdict } from './engine.js';
import { askedThrough } from './mirror.js';
import { hostOf } from './view.js';

/** @typedef {import('./chrome.js').RequestDetails} RequestDetails */

/**
 * A navigation that Chrome announces is requested within a few milliseconds. When no
 * request has come by then, a page's own worker is serving it.
 */
const REQUEST_WITHIN_MS = 40;

/** The last page that each tab requested, by tab. @type {Map<number, string>} */
const requested = new Map();

/**
 * Notes that a tab's page has reached the listener.
 * @param {RequestDetails} details
 */
export function noteRequest(details) {
  if (details.type !== 'main_frame' || !isWeb(details.url)) return;
  requested.set(details.tabId, askedThrough(details.url) ?? details.url);
}

/** @param {number} tab_id */
export function forgetTab(tab_id) {
  requested.delete(tab_id);
}

/**
 * Looks after a navigation that has been announced.
 * @param {{tabId: number, frameId: number, url: string}} details
 */
export function checkStarted({ tabId, frameId, url }) {
  if (frameId !== 0 || !isWeb(url)) return;
  if (verdict(url, 'main_frame', undefined, now()) === 'allow') return;
  // What the tab requested before says nothing of this navigation.
  requested.delete(tabId);
  setTimeout(() => {
    if (requested.get(tabId) !== url) toBlockPage(tabId, url);
  }, REQUEST_WITHIN_MS);
}

/**
 * Looks at an address that a tab, or a frame in it, shows by now.
 *
 * A blocked frame shows the block page. One that shows a blocked address of the very
 * host of its page is served by that page's own worker, as rewriting proxies do, and
 * the page is closed with it.
 * @param {{tabId: number, frameId: number, url: string}} details
 */
export async function checkCommitted({ tabId, frameId, url }) {
  if (!isWeb(url)) return;
  if (frameId === 0) {
    toBlockPage(tabId, url);
    return;
  }
  const page_url = (await tabOf(tabId))?.url;
  if (page_url === undefined || !isWeb(page_url) || hostOf(page_url) !== hostOf(url)) return;
  const address = blockedFrameAddress(url, page_url, tabId, now());
  if (address !== null) await navigate(tabId, address);
}

/**
 * @param {number} tab_id
 * @param {string} url
 */
function toBlockPage(tab_id, url) {
  const address = blockedAddress(url, tab_id, now());
  if (address !== null) void navigate(tab_id, address);
}

/** @param {string} url */
function isWeb(url) {
  return /^https?:/.test(url);
}
