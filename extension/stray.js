// Pages that never reach the request listener: those served by a page's own
// service worker, and addresses that a page changes without loading anything.

import { navigate, tabOf } from './chrome.js';
import { now } from './clock.js';
import { addressInstead, blockedFrameAddress, bringUp } from './enforce.js';
import { askedThrough } from './mirror.js';
import { hostOf } from './view.js';

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
    // A network that answers for the reserved host: no other layer sees that.
    const asked_url = askedThrough(url);
    if (asked_url !== null) await bringUp(asked_url, now());
    const address = addressInstead(url, tabId, now());
    if (address !== null) await navigate(tabId, address);
    return;
  }
  const page_url = (await tabOf(tabId))?.url;
  if (page_url === undefined || !isWeb(page_url) || hostOf(page_url) !== hostOf(url)) return;
  const address = blockedFrameAddress(url, page_url, tabId, now());
  if (address !== null) await navigate(tabId, address);
}

/** @param {string} url */
function isWeb(url) {
  return /^https?:/.test(url);
}
