// What stays open when the core itself cannot run.
//
// A child who looks for help is never blocked, and nobody is locked out of
// signing in. This is the only decision made outside the core, so it knows
// nothing but the two lists that are open in every state.

import { HELP_HOSTS, SIGN_IN_HOSTS } from './wasm/help-hosts.js';

/**
 * Whether a help service or a sign-in page covers `url`.
 *
 * An entry `host` covers its host and every name below it, an entry `host/path`
 * the path and what lies below it. Anything that is not a URL is not covered.
 * @param {string} url
 */
export function alwaysOpen(url) {
  return covers(HELP_HOSTS, url) || covers(SIGN_IN_HOSTS, url);
}

/**
 * Whether an entry of `entries` covers `url`.
 * @param {Set<string>} entries Each `host` or `host/path`, in lower case.
 * @param {string} url
 */
export function covers(entries, url) {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, pathname } = new URL(url);
  if (!['http:', 'https:', 'ws:', 'wss:'].includes(protocol)) return false;
  const segments = pathname.split('/').filter((segment) => segment !== '');
  for (const name of namesAbove(hostname.replace(/\.$/, ''))) {
    let entry = name;
    if (entries.has(entry)) return true;
    for (const segment of segments) {
      entry += `/${segment}`;
      if (entries.has(entry)) return true;
    }
  }
  return false;
}

/**
 * A hostname and every name above it; an address has none above it.
 * @param {string} hostname
 */
function namesAbove(hostname) {
  if (hostname.startsWith('[') || /^[\d.]+$/.test(hostname)) return [hostname];
  const labels = hostname.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}
