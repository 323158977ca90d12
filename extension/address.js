// The block page's address: its fragment carries the token, the address that was
// asked for, and the words to show.
//
// `#TOKEN.ADDRESS.VIEW`, the last two in base64url. The page keeps `#TOKEN.ADDRESS`
// in the address bar, so F5, Back and a restored session can ask again for what was
// asked, even where nothing else was kept.

import { blockPageUrl } from './chrome.js';

/** @typedef {import('./view.js').View} View */

const ENCODING = /** @type {const} */ ({ alphabet: 'base64url', omitPadding: true });
const MAX_ADDRESS_LENGTH = 2_000;

/**
 * The address of the block page for one blocked navigation.
 * @param {string} token
 * @param {string} asked_url
 * @param {View} view
 */
export function addressOf(token, asked_url, view) {
  const asked = encode(asked_url.length <= MAX_ADDRESS_LENGTH ? asked_url : originOf(asked_url));
  return `${blockPageUrl()}#${token}.${asked}.${encode(JSON.stringify(view))}`;
}

/**
 * The token and the asked address in a block page's URL; null for other URLs and
 * for a fragment that this module has not made.
 * @param {string} url
 * @returns {{token: string, asked_url: string} | null}
 */
export function readAddress(url) {
  const fragment = url.split('#')[1] ?? '';
  const [token, asked] = fragment.split('.');
  if (token === undefined || asked === undefined || token === '' || asked === '') return null;
  try {
    const asked_url = new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.fromBase64(asked, { alphabet: 'base64url' }),
    );
    return /^https?:/.test(asked_url) && URL.canParse(asked_url) ? { token, asked_url } : null;
  } catch {
    // Not base64url, or not UTF-8: a fragment that somebody else has written.
    return null;
  }
}

/** @param {string} text */
function encode(text) {
  return new TextEncoder().encode(text).toBase64(ENCODING);
}

/** @param {string} url */
function originOf(url) {
  return URL.canParse(url) ? `${new URL(url).origin}/` : 'https://invalid.invalid/';
}
