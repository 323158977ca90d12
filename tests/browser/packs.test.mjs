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
