// A sample of the corpus in the browser as schools have it: what the core decides is what
// a pupil's tab shows. The whole corpus goes through the core natively and in wasm.
//
// The product has no clock to move, so the policy is moved: the case's minute of the
// school day becomes this very minute, and what has a date of its own in the policy moves
// by as many days as there are between the case and today.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { around } from '../../demo/school.mjs';
import { readCorpus, readToml } from '../wasm/lib/corpus.mjs';
import { root } from './lib/product.mjs';
import { LISTED, School } from './lib/school.mjs';
import { waitFor } from './lib/wait.mjs';

/** @typedef {import('../wasm/lib/corpus.mjs').Case} Case */

/**
 * An instant of the corpus, and who is asking from where.
 * @typedef {{policy: string, at: string, cohort?: string, user?: string, network?: string}} Moment
 */

const CHROMEBOOKS = 'docs/examples/chromebook-school.json';
const OWN_DEVICES = 'docs/examples/own-device-school.json';

/** @type {Record<string, Moment>} */
const MOMENTS = {
  lesson_of_year_11: { policy: CHROMEBOOKS, at: '2026-09-07T09:00:00', cohort: 'year-11' },
  lesson_of_year_9: { policy: CHROMEBOOKS, at: '2026-09-07T09:00:00', cohort: 'year-9' },
  break_of_year_11: { policy: CHROMEBOOKS, at: '2026-09-07T10:55:00', cohort: 'year-11' },
  break_of_year_9: { policy: CHROMEBOOKS, at: '2026-09-07T10:55:00', cohort: 'year-9' },
  homework_club: { policy: CHROMEBOOKS, at: '2026-09-14T15:30:00', cohort: 'year-9', network: '10.20.4.7' },
  homework_at_home: { policy: CHROMEBOOKS, at: '2026-09-14T15:30:00', cohort: 'year-9', network: '192.168.1.5' },
  chess_club: { policy: CHROMEBOOKS, at: '2026-12-15T13:15:00', user: '24ahall@school.example' },
  examination: { policy: CHROMEBOOKS, at: '2027-01-11T09:00:00', cohort: 'year-11' },
  own_laptop_at_school: { policy: OWN_DEVICES, at: '2026-11-24T10:00:00', cohort: 'year-9', network: '10.8.1.1' },
  own_laptop_elsewhere: { policy: OWN_DEVICES, at: '2026-11-24T08:45:00', cohort: 'year-7', network: '192.168.1.5' },
};

/** So that neither a case nor a reason can vanish. */
const LEAST_CASES = 74;
const REASONS = [
  'allow allowlist', 'allow education', 'allow exam', 'allow grant', 'allow help', 'allow not_listed', 'allow outside_school_hours',
  'allow sign_in', 'block category', 'block closed', 'block exam', 'block not_on_allowlist', 'notice notice',
];

/** What a pupil reads, by reason. */
const HEADINGS = {
  category: /^Your school keeps this page closed$/m,
  closed: /^The web is closed for you right now$/m,
  exam: /^This is not part of your examination$/m,
  not_on_allowlist: /^Only school work is open right now$/m,
  notice: /^Before you go on$/m,
};
const QUIET = /^This page is not open at school$/m;

/** Cases that the product's own lists decide otherwise than the corpus's: they cannot be taken out of a browser. */
const OTHER_LISTS = new Set([
  // The NSPCC is among the crisis lines of lists/help.toml.
  'examination at 09:00: help that is no crisis line',
]);

const AT_REST_MS = 3_000;
const DAY_MS = 86_400_000;
const SEPTEMBER = 8;

/** What can be said of a case to a browser: who, where, and an address that a tab opens. */
const PLAIN_KEYS = new Set(['name', 'at', 'url', 'cohort', 'user', 'network', 'action', 'code', 'rule', 'category', 'entry', 'period', 'kind', 'next', 'browser']);

const corpus = readCorpus();
const { category: categories } = readToml('lists/categories.toml');
/** @type {Case[]} */
const tried = [];

/** @type {School} */
let school;
/** @type {import('puppeteer-core').Page} */
let page;

before(async () => {
  school = await School.open();
  /** @type {Record<string, string[]>} */
  const lists = readToml('tests/corpus/lists.toml').school;
  const both = Object.entries(lists).map(([id, entries]) => [id, [...entries, ...(LISTED[/** @type {'games'} */ (id)] ?? [])]]);
  await school.publishLists(Object.fromEntries(both));
  page = await school.chromium.newPage();
});
after(() => school?.close());

for (const [name, moment] of Object.entries(MOMENTS)) {
  test(`${name}_shows_what_the_corpus_states`, async () => {
    const now_ms = Date.now();
    await arrive(movedTo(moment, now_ms), moment, now_ms);
    const wrong = [];
    for (const one of casesAt(moment)) {
      tried.push(one);
      school.web.clear();
      await school.chromium.navigate(page, one.url);
      wrong.push(...(await mistakesOf(one)).map((mistake) => `${one.name}: ${mistake}`));
    }
    assert.deepEqual(wrong, []);
  });
}

test('no_case_and_no_reason_has_vanished', () => {
  assert.ok(tried.length >= LEAST_CASES, `only ${tried.length} cases`);
  assert.deepEqual([...new Set(tried.map(({ action, code }) => `${action} ${code}`))].sort(), REASONS);
});

/**
 * What of the tab is not as its case states, once it has come to rest: what the second
 * layer has sent round shows its page a moment later.
 * @param {Case} one
 * @returns {Promise<string[]>}
 */
async function mistakesOf(one) {
  const host = new URL(one.url).hostname;
  /** @type {string[]} */
  let found = [];
  const look = async () => {
    found = mistakes(one, await school.shown(page), school.web.count({ host, type: 'document' }));
    return found.length === 0;
  };
  return waitFor('the tab to show what the case states', look, { timeout_ms: AT_REST_MS }).then(
    () => [],
    () => found,
  );
}

/**
 * What of a tab is not as its case states.
 * @param {Case} one
 * @param {import('./lib/school.mjs').Shown} shown
 * @param {number} arrived How often the page itself reached its server.
 */
function mistakes(one, shown, arrived) {
  const found = [];
  if (one.action === 'allow') {
    if (shown.kind !== 'page') found.push(`a ${shown.kind} is shown: ${shown.text.slice(0, 80)}`);
    if (arrived !== 1) found.push(`the page reached its server ${arrived} times`);
    return found;
  }
  if (arrived !== 0) found.push('the page reached its server');
  if (shown.kind !== 'block') return [...found, `a ${shown.kind} is shown: ${shown.text.slice(0, 80)}`];
  const { name = '', sensitive = false } = categories.find((/** @type {{id: string}} */ { id }) => id === one.category) ?? {};
  const heading = sensitive ? QUIET : HEADINGS[/** @type {keyof typeof HEADINGS} */ (one.code)];
  if (!heading.test(shown.text)) found.push(`${heading} is not among the words: ${shown.text.slice(0, 120)}`);
  if (sensitive && (shown.text + shown.title).includes(name)) found.push(`the page says ${name}`);
  if (!sensitive && one.code === 'category' && !shown.text.includes(`“${name}”`)) found.push(`the page does not say ${name}`);
  if (!sensitive && one.rule !== undefined && !shown.text.includes(one.rule)) found.push(`the page does not say ${one.rule}`);
  return found;
}

/** @param {Moment} moment */
function casesAt({ policy, at, cohort, user, network }) {
  return corpus
    .filter((file) => file.policy === policy)
    .flatMap((file) => file.case)
    .filter((one) => one.at.startsWith(at) && one.cohort === cohort && one.user === user && one.network === network)
    .filter((one) => !OTHER_LISTS.has(one.name) && /^https?:/.test(one.url) && Object.keys(one).every((key) => PLAIN_KEYS.has(key)));
}

/**
 * The policy under which now is the moment.
 * @param {Moment} moment
 * @param {number} now_ms
 */
function movedTo({ policy, at }, now_ms) {
  const { grants, exams, ...rest } = JSON.parse(readFileSync(path.join(root, policy), 'utf8'));
  const days = Math.round((Date.parse(today(now_ms)) - Date.parse(at.slice(0, 10))) / DAY_MS);
  const dated = JSON.stringify({ ...(grants ? { grants } : {}), ...(exams ? { exams } : {}) })
    .replace(/"(\d{4}-\d\d-\d\d)"/g, (_, date) => JSON.stringify(today(Date.parse(date) + days * DAY_MS)))
    .replace(/"(\d\d\w+@[\w.]+)"/g, (_, address) => JSON.stringify(movedAddress(address, at, now_ms)));
  return JSON.stringify(around({ ...rest, ...JSON.parse(dated) }, at.slice(11, 16), now_ms));
}

/**
 * A pupil's address as it would be, were they now in the year they were in then.
 * @param {string} address It begins with the year of entry.
 * @param {string} at
 * @param {number} now_ms
 */
function movedAddress(address, at, now_ms) {
  const years = schoolYear(now_ms) - schoolYear(Date.parse(at));
  return String(Number(address.slice(0, 2)) + years).padStart(2, '0') + address.slice(2);
}

/** @param {number} at_ms */
function schoolYear(at_ms) {
  const at = new Date(at_ms);
  return at.getUTCMonth() >= SEPTEMBER ? at.getUTCFullYear() : at.getUTCFullYear() - 1;
}

/** @param {number} at_ms */
function today(at_ms) {
  return new Date(at_ms).toISOString().slice(0, 10);
}

/**
 * Pushes policy, person and place, and waits until they and the lists hold.
 * @param {string} policy
 * @param {Moment} moment
 * @param {number} now_ms
 */
async function arrive(policy, { at, cohort, user, network }, now_ms) {
  await page.goto('about:blank');
  await school.chromium.evaluateInWorker("chrome.storage.session.remove('looked_at')");
  const before = school.packDownloads;
  await school.push({ policy, cohort, user: user && movedAddress(user, at, now_ms), network });
  await waitFor('the policy to hold', async () => (await school.kept('good_policy')).good_policy === policy);
  // Written once person and place are known to the core.
  await waitFor('the rules to be taken up', async () => (await school.chromium.evaluateInWorker("chrome.storage.session.get('looked_at')")).looked_at);
  if (before === 1) await waitFor('the lists of the corpus', async () => (await school.show(page, 'https://torrents.example/')).kind === 'block');
}
