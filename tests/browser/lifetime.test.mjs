// The worker stops, its process dies, the browser starts again: blocked stays blocked.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { School } from './lib/school.mjs';
import { PARTS } from './lib/traffic.mjs';
import { waitFor } from './lib/wait.mjs';

const ROUNDS = 5;

/** @type {School} */
let school;
/** @type {import('puppeteer-core').Page} */
let page;

before(async () => {
  school = await School.open({ policy: { deny: ['denied.example'] } });
  page = await school.chromium.newPage();
});
after(() => school?.close());
beforeEach(() => school.web.clear());

test('a_stopped_worker_blocks_the_next_navigation', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    await school.chromium.stopWorker();
    assert.equal((await school.show(page, `https://games.example/${round}`)).kind, 'block');
    await school.chromium.stopWorker();
    assert.equal((await school.show(page, `https://open.example/${round}`)).kind, 'page');
  }
  assert.equal(school.web.count({ host: 'games.example' }), 0);
});

test('a_stopped_worker_blocks_every_kind_of_part', async () => {
  await school.show(page, 'https://open.example/start');
  for (let round = 0; round < ROUNDS; round += 1) {
    await school.chromium.stopWorker();
    await school.show(page, 'https://open.example/parts?from=games.example');
    await waitFor('every part to settle', async () => (await page.title()) === 'done');
  }
  assert.equal(school.web.count({ host: 'games.example' }), 0);
  assert.equal(Object.keys(PARTS).length, 17);
});

test('a_worker_that_stops_between_two_requests_of_a_page_blocks_the_second', async () => {
  await school.show(page, 'https://open.example/start');
  for (const kind of ['fetch', 'image', 'websocket']) {
    await school.chromium.stopWorker();
    const outcome = await page.evaluate(`new Promise((resolve) => {
      const [ok, failed] = [() => resolve('open'), () => resolve('blocked')];
      if ('${kind}' === 'fetch') fetch('https://games.example/f', { mode: 'no-cors' }).then(ok, failed);
      if ('${kind}' === 'image') Object.assign(new Image(), { onload: ok, onerror: failed, src: 'https://games.example/i.gif' });
      if ('${kind}' === 'websocket') Object.assign(new WebSocket('wss://games.example/w'), { onopen: ok, onerror: failed });
    })`);
    assert.equal(outcome, 'blocked', kind);
  }
  assert.equal(school.web.count({ host: 'games.example' }), 0);
});

test('a_killed_process_blocks_again_once_the_browser_has_noticed', async () => {
  await school.show(page, 'https://open.example/start');
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await school.chromium.waitForWorker();
    assert.ok(school.chromium.killExtensionProcesses() >= 1);
    // What is asked in the milliseconds until then leaks: Chrome itself fails open.
    await waitFor('the browser to notice', async () => (await school.chromium.worker())?.targetId !== before.targetId);
    assert.equal((await school.show(page, `https://games.example/${round}`)).kind, 'block');
  }
  assert.equal(school.web.count({ host: 'games.example' }), 0);
});

test('a_restarted_browser_uses_the_kept_policy_and_lists_for_its_very_first_page', async () => {
  // Hosts that only the school's own policy and lists block.
  for (const host of ['denied.example', 'games.example']) {
    await school.chromium.restart({ startUrls: [`https://${host}/start`] });
    [page] = await school.chromium.browser.pages();
    await school.waitToShow(page, 'block');
    assert.equal(school.web.count({ host }), 0, host);
    assert.equal((await school.show(page, 'https://open.example/next')).kind, 'page');
  }
});

test('a_restart_without_managed_settings_keeps_the_last_good_ones', async () => {
  await school.chromium.restart({ managed: {}, startUrls: ['https://open.example/'] });
  page = await school.chromium.newPage();
  assert.equal((await school.show(page, 'https://denied.example/')).kind, 'block');
  assert.equal((await school.show(page, 'https://games.example/')).kind, 'block');
});
