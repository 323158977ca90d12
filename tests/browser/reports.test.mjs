// What the school hears of, and what it never hears of.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { School } from './lib/school.mjs';
import { orOvertaken, waitFor } from './lib/wait.mjs';

const MINUTE_MS = 60_000;
const DELIVERED_WITHIN_MS = 20_000;
/** School ends at a minute that is at least so far away, and a tab is opened before it begins. */
const BEFORE_BELL_MS = 20_000;
/** An event that should not be there would be gathered and sent within this. */
const SILENCE_MS = 6_000;
/** On time is within this of the bell. */
const ON_TIME_MS = 2_000;

/** @type {School} */
let school;
/** @type {import('puppeteer-core').Page} */
let page;

before(async () => {
  school = await School.open({ endpoint: true });
  page = await school.chromium.newPage();
  // From here on a test hears only of what it did itself: everything before has been sent.
  await school.show(page, 'https://games.example/first');
  await stored('games.example', '/first');
});
after(() => school?.close());

/** @param {string} host */
async function blocksOf(host) {
  return (await school.endpoint.stored()).filter((event) => event.kind === 'block' && event.host === host);
}

/**
 * @param {string} host
 * @param {string} _what
 */
async function stored(host, _what) {
  return waitFor(`a block of ${host} to be stored`, async () => (await blocksOf(host)).at(0), { timeout_ms: DELIVERED_WITHIN_MS });
}

test('a_blocked_page_is_stored_once_and_says_what_the_school_may_know', async () => {
  await school.show(page, 'https://social.example/profile?name=secret');
  const event = await stored('social.example', '/profile');
  assert.equal((await blocksOf('social.example')).length, 1);
  assert.equal(event.category, 'social-media');
  assert.equal(event.cohort, 'year-9');
  assert.doesNotMatch(JSON.stringify(event), /secret|24ahall/);
});

test('the_same_page_again_and_a_reload_are_the_same_attempt', async () => {
  const before = (await blocksOf('social.example')).length;
  await orOvertaken(page.reload());
  await school.waitToShow(page, 'block');
  await school.show(page, 'https://mixed.example/bad');
  await stored('mixed.example', '/bad');
  assert.equal((await blocksOf('social.example')).length, before);
});

test('parts_of_an_open_page_name_nobody', async () => {
  await school.show(page, 'https://open.example/parts?from=adult.example');
  await waitFor('every part to settle', async () => (await page.title()) === 'done');
  await school.show(page, 'https://after-parts.games.example/');
  await waitFor('a later event to be sent', () => JSON.stringify(school.endpoint.batches).includes('after-parts.games.example'));
  const sent = school.endpoint.batches.flatMap(({ events }) => events);
  const named = sent.filter(({ kind, url }) => kind !== 'count' && url?.host === 'adult.example');
  assert.deepEqual(named, []);
  for (const event of sent.filter(({ kind }) => kind === 'count')) {
    assert.equal(event.subject ?? null, null);
    assert.equal(event.url ?? null, null);
  }
});

test('an_endpoint_that_is_away_gets_the_event_once_it_is_back_and_only_once', async () => {
  school.endpoint.down = true;
  await school.show(page, 'https://www.games.example/away');
  await school.chromium.stopWorker();
  await school.show(page, 'https://open.example/');
  assert.deepEqual(await blocksOf('www.games.example'), []);
  school.endpoint.down = false;
  await stored('www.games.example', '/away');
  assert.equal((await blocksOf('www.games.example')).length, 1);
});

test('an_event_whose_acknowledgement_was_lost_is_sent_again_and_stored_once', async () => {
  school.endpoint.deaf = true;
  await school.show(page, 'https://deaf.games.example/');
  await stored('deaf.games.example', '/');
  school.endpoint.deaf = false;
  const [event] = await blocksOf('deaf.games.example');
  await waitFor(
    'the event to be sent again',
    () => school.endpoint.batches.filter(({ events }) => events.some((/** @type {any} */ each) => each.id === event.id)).length > 1,
    { timeout_ms: DELIVERED_WITHIN_MS },
  );
  assert.equal((await blocksOf('deaf.games.example')).length, 1);
});

test('nothing_is_sent_of_help_or_of_open_pages', async () => {
  await school.show(page, 'https://www.childline.org.uk/get-support/');
  await school.show(page, 'https://open.example/private');
  // A host of its own: one that another test has opened would have been sent before.
  await school.show(page, 'https://after-help.games.example/');
  await waitFor('a later event to be sent', () => JSON.stringify(school.endpoint.batches).includes('after-help.games.example'));
  assert.doesNotMatch(JSON.stringify(school.endpoint.batches), /childline|open\.example|private/);
});

test('a_tab_of_the_evening_is_closed_at_the_bell_and_nobody_hears_of_it', async () => {
  const bell_ms = Math.ceil((Date.now() + BEFORE_BELL_MS) / MINUTE_MS) * MINUTE_MS;
  await school.pushPolicy({ school: 'from', bell_ms });
  const shown = await school.show(page, 'https://evening.games.example/');
  assert.equal(shown.kind, 'page', 'outside school hours nothing is filtered');
  const batches = school.endpoint.batches.length;
  await school.chromium.stopWorker();
  await school.waitToShow(page, 'block', { timeout_ms: bell_ms - Date.now() + 15_000 });
  const late_ms = Date.now() - bell_ms;
  assert.ok(late_ms >= 0 && late_ms < ON_TIME_MS, `${late_ms} ms after the bell`);
  assert.equal(school.web.count({ host: 'evening.games.example', path: '/' }), 1);

  await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
  const sent = JSON.stringify(school.endpoint.batches.slice(batches));
  assert.doesNotMatch(sent, /evening/);
  assert.deepEqual(await blocksOf('evening.games.example'), []);
});

test('out_of_hours_no_request_goes_to_the_endpoint', async () => {
  const ended_ms = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
  await school.pushPolicy({ school: 'until', bell_ms: ended_ms });
  // The tab's own page is open again, and comes back first.
  await school.waitToShow(page, 'page');
  const batches = school.endpoint.batches.length;
  assert.equal((await school.show(page, 'https://games.example/evening')).kind, 'page');
  await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
  assert.equal(school.endpoint.batches.length, batches);
});

test('without_an_endpoint_nothing_is_kept', async () => {
  const quiet = await School.open();
  try {
    const tab = await quiet.chromium.newPage();
    assert.equal((await quiet.show(tab, 'https://games.example/quiet')).kind, 'block');
    await quiet.show(tab, 'https://open.example/parts?from=games.example');
    await waitFor('every part to settle', async () => (await tab.title()) === 'done');
    const kept = await quiet.chromium.evaluateInWorker(`(async () => {
      const names = (await indexedDB.databases()).map(({ name }) => name);
      if (!names.includes('bellgate')) return [];
      const database = await new Promise((resolve) => {
        indexedDB.open('bellgate').onsuccess = ({ target }) => resolve(target.result);
      });
      const rows = [];
      for (const store of ['events', 'counts']) {
        rows.push(...await new Promise((resolve) => {
          database.transaction(store).objectStore(store).getAll().onsuccess = ({ target }) => resolve(target.result);
        }));
      }
      database.close();
      return rows;
    })()`);
    assert.deepEqual(kept, []);
    const local = JSON.stringify(await quiet.chromium.evaluateInWorker('chrome.storage.local.get(null)'));
    assert.doesNotMatch(local, /quiet/);
  } finally {
    await quiet.close();
  }
});
