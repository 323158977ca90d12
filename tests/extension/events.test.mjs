// Whose doing a blocked page was, and so whether anybody is named for it: with the core
// itself, and a queue in memory.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { policyText } from '../browser/lib/policy.mjs';
import { seen, standIn } from './lib/browser.mjs';
import { memoryDatabase } from './lib/database.mjs';

standIn();
const database = memoryDatabase();
Object.assign(seen.local, {
  settings: { policy: policyText({ deny: ['denied.example'] }), cohort: 'year-9', user: '24ahall@school.example', endpoint: 'https://school.example' },
});
const { setContext, setPolicy, setSubjectKey, startEngine } = await import('../../extension/engine.js');
const { loadPolicy } = await import('../../extension/policy.js');
const { noteAttempt, noteCommit, noteSentByUs, startEvents } = await import('../../extension/events.js');

startEngine(() => {});
assert.equal(setPolicy(policyText({ deny: ['denied.example'] })).ok, true);
setContext({ cohort: 'year-9', user: '24ahall@school.example', place: { state: 'unknown' }, clock: { state: 'trusted' }, acknowledgements: [] });
setSubjectKey('test-key');
await loadPolicy();

/** @type {() => void} */
let queued = () => {};
startEvents(() => queued());

/** Each test has a tab of its own. */
let tab = 0;
beforeEach(() => {
  tab += 1;
  database.clear();
});

/**
 * Opens a blocked page and tells what the queue has of it.
 * @param {string} url
 * @param {object} [commit] What Chrome says of the navigation.
 */
async function open(url, commit) {
  const token = `token-${Math.random()}`;
  const written = new Promise((resolve) => (queued = () => resolve(undefined)));
  noteAttempt(token, tab, url, Date.now());
  noteCommit(token, /** @type {any} */ ({ transitionType: 'link', transitionQualifiers: [], ...commit }));
  await Promise.race([written, new Promise((resolve) => setTimeout(resolve, 50))]);
  return { events: database.all('events').map(({ event }) => event), counts: database.all('counts') };
}

test('a page that the pupil opened is an event of theirs', async () => {
  const { events, counts } = await open('https://denied.example/');
  assert.equal(events.length, 1);
  assert.deepEqual([events[0].kind, events[0].url?.host, typeof events[0].subject], ['block', 'denied.example', 'string']);
  assert.deepEqual(counts, []);
});

test('a page to which the extension sends the tab at the bell is nobody’s', async () => {
  noteSentByUs(tab, 'https://denied.example/evening', Date.now());
  const { events, counts } = await open('https://denied.example/evening');
  assert.deepEqual(events, []);
  assert.doesNotMatch(JSON.stringify(counts), /denied\.example|24ahall/);
});

test('what the tab was sent to says nothing of what the pupil opens next', async () => {
  noteSentByUs(tab, 'https://denied.example/evening', Date.now());
  assert.equal((await open('https://denied.example/morning')).events.length, 1);
});

test('a reload, a restored tab and a page that sends itself elsewhere name nobody', async () => {
  for (const commit of [{ transitionType: 'reload' }, { transitionType: 'start_page' }, { transitionQualifiers: ['client_redirect'] }, { transitionQualifiers: ['forward_back'] }]) {
    tab += 1;
    const { events, counts } = await open('https://denied.example/', commit);
    assert.deepEqual(events, [], JSON.stringify(commit));
    assert.doesNotMatch(JSON.stringify(counts), /24ahall|"subject":"/);
  }
});

test('the same page again in the same tab is the same attempt', async () => {
  await open('https://denied.example/twice');
  assert.equal((await open('https://denied.example/twice')).events.length, 1);
});
