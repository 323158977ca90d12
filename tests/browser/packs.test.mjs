// List packs that arrive, are swapped, are forged or are broken.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { createSigningKey } from './lib/pack.mjs';
import { LISTED, School } from './lib/school.mjs';
import { waitFor } from './lib/wait.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'bellgate-packs-'));
/** @type {School} */
let school;
/** @type {import('puppeteer-core').Page} */
let page;
let pushes = 0;

before(async () => {
  school = await School.open();
  page = await school.chromium.newPage();
});
after(async () => {
  await school?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Makes the device ask for lists now: its pack's address changes. */
async function fetchNow() {
  pushes += 1;
  const before = school.packDownloads;
  await school.push({ pack_url: `https://packs.school.example/lists-${pushes}.pack` });
  await waitFor('the device to fetch the lists', () => school.packDownloads > before);
}

test('newer_lists_are_swapped_whole', async () => {
  await school.publishLists({ ...LISTED, games: ['new-games.example', 'listed.example'] }, { sequence: 4_000_000_000 });
  await fetchNow();
  await waitFor('the new lists', async () => (await school.show(page, 'https://new-games.example/')).kind === 'block');
  assert.equal((await school.show(page, 'https://games.example/')).kind, 'page');
});

test('lists_that_another_key_signed_are_refused_and_the_last_good_ones_hold', async () => {
  const forger = await createSigningKey(folder);
  await school.publishLists({ games: ['innocent.example'] }, { key: forger, sequence: 4_000_000_001 });
  await fetchNow();
  await school.chromium.stopWorker();
  assert.equal((await school.show(page, 'https://innocent.example/')).kind, 'page');
  assert.equal((await school.show(page, 'https://new-games.example/')).kind, 'block');
});

test('lists_that_are_broken_are_refused_and_the_last_good_ones_hold', async () => {
  school.publishBytes(Buffer.from('this is no pack'.repeat(500)));
  await fetchNow();
  await school.chromium.stopWorker();
  assert.equal((await school.show(page, 'https://new-games.example/')).kind, 'block');
  assert.equal((await school.show(page, 'https://open.example/')).kind, 'page');
});

test('swapped_lists_are_kept_over_a_restart_while_the_server_is_away', async () => {
  school.publishBytes(Buffer.alloc(0));
  await school.chromium.restart({ startUrls: ['https://new-games.example/start'] });
  [page] = await school.chromium.browser.pages();
  await school.waitToShow(page, 'block');
  assert.equal(school.web.count({ host: 'new-games.example', path: '/start' }), 0);
});

test('lists_with_a_lower_sequence_are_refused', async () => {
  await school.publishLists({ games: ['rolled-back.example'] }, { sequence: 3_999_999_999 });
  await fetchNow();
  await waitFor('the refusal to show', async () => (await popupText()).includes('newest list could not be'));
  assert.equal((await school.show(page, 'https://rolled-back.example/')).kind, 'page');
  assert.equal((await school.show(page, 'https://new-games.example/')).kind, 'block');
});

test('a_locked_list_blocks_at_any_hour_and_outlives_the_settings_that_brought_it', async () => {
  const evening = { school: /** @type {const} */ ('until'), bell_ms: Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000 };
  const { url, key } = await school.publishLocked(['illegal.example', 'mixed.example/one']);
  await school.push({ iwf_url: url, iwf_key: key });
  await waitFor('the locked list', async () => (await school.show(page, 'https://illegal.example/')).kind === 'block');
  await school.push({ iwf_url: undefined, iwf_key: undefined });
  await school.pushPolicy(evening);
  await school.chromium.stopWorker();
  assert.equal((await school.show(page, 'https://games.example/')).kind, 'page', 'nothing else is filtered now');
  school.web.clear();
  for (const address of ['https://illegal.example/a?b', 'https://www.illegal.example/', 'https://mixed.example/one/x']) {
    const shown = await school.show(page, address);
    assert.equal(shown.kind, 'block', address);
    assert.match(shown.text, /you have done nothing wrong/);
  }
  assert.equal((await school.show(page, 'https://mixed.example/two')).kind, 'page');
  assert.equal(school.web.count({ host: 'illegal.example' }), 0);
});

test('a_locked_list_with_the_wrong_secret_is_refused', async () => {
  const { url } = await school.publishLocked(['other-illegal.example']);
  await school.push({ ctiru_url: url, ctiru_key: 'f'.repeat(31) });
  await waitFor('the refusal to show', async () => (await popupText()).includes('list of illegal pages is missing'));
  assert.equal((await school.show(page, 'https://illegal.example/')).kind, 'block');
});

/** What the toolbar's page says now. */
async function popupText() {
  const tab = await school.chromium.newPage();
  await tab.goto(`chrome-extension://${school.chromium.id}/popup/popup.html`);
  const text = String(await tab.evaluate('new Promise((r) => setTimeout(() => r(document.body.innerText), 200))'));
  await tab.close();
  return text;
}
