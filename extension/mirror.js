// The second layer: the coarse state of the school day as rules that Chrome keeps
// by itself, also while no worker runs or its process has just been killed. In a closed
// period everything is closed but what is open by name; in a filtered one the best known
// hosts of the worst categories are, as far as the core blocks them.
//
// The rules are never stricter than the core: what it would open for sure is
// excepted. Frames are not blocked but sent to the reserved host with the address
// they asked for, so that the worker, once awake, shows the block page or sends
// them on; with nobody there the address leads nowhere. Rules are dynamic, since
// session rules vanish when the browser restarts.

import { ANSWER_HOST, dynamicRules, keep, ownId, readKept, replaceDynamicRules } from './chrome.js';
import { policyInForce, revision, verdict } from './engine.js';
import { FRAME_TYPES, PART_TYPES, RESOURCE_TYPES } from './resource-types.js';
import { HELP_HOSTS, SIGN_IN_HOSTS } from './wasm/help-hosts.js';
import { youtubeRules } from './safe-search.js';
import { WORST_HOSTS } from './wasm/worst-hosts.js';

/** @typedef {chrome.declarativeNetRequest.Rule} Rule */
/** @typedef {import('./engine.js').Standing} Standing */

/** Where a frame is sent to be decided; the address asked for follows. */
export const ASK_PATH = '/ask';

const KEY = 'mirror';
/** So many hosts are asked about before a request may be decided between: less than a millisecond's work. */
const ASKED_AT_ONCE = 100;
const SEND_ROUND = /** @type {Rule['action']} */ ({
  type: 'redirect',
  redirect: { regexSubstitution: `https://${ANSWER_HOST}${ASK_PATH}?\\0` },
});
const PRIORITY = { close: 1, open: 2, youtube: 3 };

/** @type {Promise<void>} */
let last = Promise.resolve();
/** What the rules send round: everything, or these hosts and all names below them. @type {'all' | Set<string>} */
let sent_round = new Set();
/** What the core said of the worst hosts, and of which state that was. */
let asked = { because: '', blocked: /** @type {string[]} */ ([]) };
/** Hosts of which the core has opened a page meanwhile; a later worker finds them again. @type {Set<string>} */
const let_through = new Set();

/**
 * The address that a frame asked for before the second layer sent it to the reserved
 * host; null for every other request.
 * @param {string} url
 */
export function askedThrough(url) {
  const start = `https://${ANSWER_HOST}${ASK_PATH}?`;
  if (!url.startsWith(start)) return null;
  const asked = url.slice(start.length);
  return /^https?:/.test(asked) && URL.canParse(asked) ? asked : null;
}

/**
 * Makes Chrome's rules those of this standing, in one update; nothing happens when
 * they already are.
 * @param {Standing} standing
 * @param {number} now_ms
 * @returns {Promise<void>}
 */
export function mirror(standing, now_ms) {
  const bring = async () => {
    const worst = closes(standing) ? [] : await worstHosts(standing, now_ms);
    sent_round = closes(standing) ? 'all' : new Set(worst);
    await write(rulesFor(standing, worst, ownId()));
  };
  // Whoever asked for the one before has heard whether it failed.
  const next = last.then(bring, bring);
  last = next;
  return next;
}

/**
 * Brings the rules up to the core, which has opened a page that they sent round: the host
 * leaves the layer, or the page would be sent round for ever.
 * @param {string} url
 * @param {Standing} standing
 * @param {number} now_ms
 */
export function letThrough(url, standing, now_ms) {
  for (const name of namesAbove(new URL(url).hostname)) if (WORST_HOSTS.has(name)) let_through.add(name);
  return mirror(standing, now_ms);
}

/**
 * Whether the rules send this page to the reserved host.
 * @param {string} url
 */
export function sendsRound(url) {
  const sent = sent_round;
  if (sent === 'all') return true;
  return URL.canParse(url) && namesAbove(new URL(url).hostname).some((name) => sent.has(name));
}

/** @param {Rule[]} rules */
async function write(rules) {
  const signature = JSON.stringify(rules);
  const [kept, present] = await Promise.all([readKept([KEY]), dynamicRules()]);
  if (kept[KEY] === signature && present.length === rules.length) return;
  await replaceDynamicRules(present.map((rule) => rule.id), rules);
  await keep({ [KEY]: signature });
}

/**
 * The rules of a standing.
 * @param {Pick<Standing, 'mode' | 'open_entries' | 'youtube' | 'observe'>} standing
 * @param {string[]} worst_hosts Of the worst categories, those that are closed now.
 * @param {string} own_id
 * @returns {Rule[]}
 */
export function rulesFor(standing, worst_hosts, own_id) {
  const rules = youtubeRules(standing.youtube, PRIORITY.youtube);
  if (closes(standing)) {
    rules.push(...closing([...HELP_HOSTS, ...SIGN_IN_HOSTS, ...(standing.open_entries ?? [])], own_id));
  } else if (worst_hosts.length > 0) {
    rules.push(...closingHosts(worst_hosts));
  }
  return rules.map((rule, index) => /** @type {Rule} */ ({ ...rule, id: index + 1 }));
}

/**
 * Whether everything is closed but what is open by name. Where the core cannot list what
 * that is, a coarse layer would close too much; where a school only observes, nothing is.
 * @param {Pick<Standing, 'mode' | 'open_entries' | 'observe'>} standing
 */
function closes({ mode, open_entries, observe }) {
  return !observe && (mode === 'closed' || mode === 'exam' || mode === 'allowlist') && Array.isArray(open_entries);
}

/**
 * The best known hosts of the worst categories that the core blocks now, each asked for
 * by its front page. A host of which the school names a part is left to the core alone.
 * @param {Standing} standing
 * @param {number} now_ms
 * @returns {Promise<string[]>}
 */
async function worstHosts(standing, now_ms) {
  if (standing.observe) return [];
  const because = `${revision()} ${JSON.stringify(standing)}`;
  if (asked.because !== because) {
    const named = namedInParts(policyInForce() ?? '');
    const hosts = [...WORST_HOSTS].filter((host) => !named.has(host));
    /** @type {string[]} */
    const blocked = [];
    for (let at = 0; at < hosts.length; at += ASKED_AT_ONCE) {
      const some = hosts.slice(at, at + ASKED_AT_ONCE);
      blocked.push(...some.filter((host) => verdict(`https://${host}/`, 'main_frame', undefined, now_ms) === 'block'));
      await new Promise((resolve) => setTimeout(resolve)); // Requests come first.
    }
    asked = { because, blocked };
  }
  return asked.blocked.filter((host) => !let_through.has(host));
}

/**
 * The hosts of which a policy names a path or a name below: every name above those.
 * @param {string} policy
 * @returns {Set<string>}
 */
export function namedInParts(policy) {
  /** @type {Set<string>} */
  const named = new Set();
  for (const [, host = '', path] of policy.matchAll(/"(?:\*\.)?([a-z0-9_-]+(?:\.[a-z0-9_-]+)+)\.?(\/[^"]*)?"/gi)) {
    const [itself, ...above] = namesAbove(host.toLowerCase());
    for (const name of path === undefined ? above : [itself ?? '', ...above]) named.add(name);
  }
  return named;
}

/**
 * Everything closed but `entries`, what their pages load, and the worker itself.
 * @param {string[]} entries Each `host` or `host/path`.
 * @param {string} own_id
 * @returns {Omit<Rule, 'id'>[]}
 */
function closing(entries, own_id) {
  const open = [...new Set(entries)];
  const hosts = open.filter((entry) => !entry.includes('/'));
  const paths = open.filter((entry) => entry.includes('/'));
  const initiators = [...new Set(open.map((entry) => entry.split('/')[0] ?? entry))].filter(isDomain);
  return [
    {
      priority: PRIORITY.close,
      action: SEND_ROUND,
      condition: { regexFilter: '^https?://.+', excludedRequestDomains: [ANSWER_HOST], resourceTypes: FRAME_TYPES },
    },
    {
      priority: PRIORITY.close,
      action: { type: 'block' },
      // A part of an open page is decided by the listener alone.
      condition: { excludedInitiatorDomains: [...initiators, own_id], excludedRequestDomains: [ANSWER_HOST], resourceTypes: PART_TYPES },
    },
    {
      priority: PRIORITY.open,
      action: { type: 'allow' },
      condition: { requestDomains: hosts.filter(isDomain), resourceTypes: [...RESOURCE_TYPES] },
    },
    ...paths.map((entry) => ({
      priority: PRIORITY.open,
      action: { type: /** @type {const} */ ('allow') },
      condition: { urlFilter: `||${entry}`, resourceTypes: [...RESOURCE_TYPES] },
    })),
  ];
}

/**
 * These hosts closed, with all names below them.
 * @param {string[]} hosts
 * @returns {Omit<Rule, 'id'>[]}
 */
function closingHosts(hosts) {
  return [
    { priority: PRIORITY.close, action: SEND_ROUND, condition: { regexFilter: '^https?://.+', requestDomains: hosts, resourceTypes: FRAME_TYPES } },
    { priority: PRIORITY.close, action: { type: 'block' }, condition: { requestDomains: hosts, resourceTypes: PART_TYPES } },
  ];
}

/**
 * A hostname and every name above it.
 * @param {string} hostname
 */
function namesAbove(hostname) {
  const labels = hostname.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}

/**
 * Whether Chrome takes the name in a list of domains: ASCII, and no brackets.
 * @param {string} name
 */
function isDomain(name) {
  return /^[a-z0-9._-]+$/.test(name);
}
