// The second layer: the coarse state of the school day as rules that Chrome keeps
// by itself, also while no worker runs or its process has just been killed.
//
// The rules are never stricter than the core: what it would open for sure is
// excepted. Frames are not blocked but sent to the reserved host with the address
// they asked for, so that the worker, once awake, shows the block page or sends
// them on; with nobody there the address leads nowhere. Rules are dynamic, since
// session rules vanish when the browser restarts.

import { ANSWER_HOST, dynamicRules, keep, ownId, readKept, replaceDynamicRules } from './chrome.js';
import { FRAME_TYPES, PART_TYPES, RESOURCE_TYPES } from './resource-types.js';
import { HELP_HOSTS, SIGN_IN_HOSTS } from './wasm/help-hosts.js';
import { youtubeRules } from './safe-search.js';

/** @typedef {chrome.declarativeNetRequest.Rule} Rule */
/** @typedef {import('./engine.js').Standing} Standing */

/** Where a frame is sent to be decided; the address asked for follows. */
export const ASK_PATH = '/ask';

const KEY = 'mirror';
const PRIORITY = { close: 1, open: 2, youtube: 3 };

/** @type {Promise<void>} */
let last = Promise.resolve();

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
 * @returns {Promise<void>}
 */
export function mirror(standing) {
  const next = last.then(
    () => write(standing),
    () => write(standing),
  );
  last = next;
  return next;
}

/** @param {Standing} standing */
async function write(standing) {
  const rules = rulesFor(standing, ownId());
  const signature = JSON.stringify(rules);
  const [kept, present] = await Promise.all([readKept([KEY]), dynamicRules()]);
  if (kept[KEY] === signature && present.length === rules.length) return;
  await replaceDynamicRules(present.map((rule) => rule.id), rules);
  await keep({ [KEY]: signature });
}

/**
 * The rules of a standing.
 * @param {Pick<Standing, 'mode' | 'open_entries' | 'youtube'>} standing
 * @param {string} own_id
 * @returns {Rule[]}
 */
export function rulesFor({ mode, open_entries, youtube }, own_id) {
  const rules = youtubeRules(youtube, PRIORITY.youtube);
  const closes = mode === 'closed' || mode === 'exam' || mode === 'allowlist';
  // Where the core cannot list what is open, a coarse layer would close too much.
  if (closes && Array.isArray(open_entries)) {
    rules.push(...closing([...HELP_HOSTS, ...SIGN_IN_HOSTS, ...open_entries], own_id));
  }
  return rules.map((rule, index) => /** @type {Rule} */ ({ ...rule, id: index + 1 }));
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
      action: {
        type: 'redirect',
        redirect: { regexSubstitution: `https://${ANSWER_HOST}${ASK_PATH}?\\0` },
      },
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
 * Whether Chrome takes the name in a list of domains: ASCII, and no brackets.
 * @param {string} name
 */
function isDomain(name) {
  return /^[a-z0-9._-]+$/.test(name);
}
