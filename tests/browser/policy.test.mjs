// Policies that arrive, change, are wrong, or are not there.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { policyText } from './lib/policy.mjs';
import { School } from './lib/school.mjs';
import { orOvertaken, waitFor } from './lib/wait.mjs';

const SOON_MS = 5_000;

/** @type {School} */
let school;
/** @type {import('puppeteer-core').Page} */
let page;

before(async () => {
  school = await School.open({ policy: {} });
});
after(() => school?.close());
// A tab for each test: what the one before left open is looked at again with every policy.
beforeEach(async () => {
  page = await school.chromium.newPage();
  school.web.clear();
});
afterEach(() => page.close());

test('an_open_tab_is_looked_at_again_when_the_policy_changes_and_comes_back_when_it_changes_back', async () => {
  await school.pushPolicy({});
  assert.equal((await school.show(page, 'https://quiz.example/round')).kind, 'page');
  await school.pushPolicy({ deny: ['quiz.example'] });
  await school.waitToShow(page, 'block', { timeout_ms: SOON_MS });
  assert.equal(school.web.count({ host: 'quiz.example', path: '/round' }), 1);
  await school.pushPolicy({ version: 'test.2' });
  await school.waitToShow(page, 'page', { timeout_ms: SOON_MS });
  assert.equal(page.url(), 'https://quiz.example/round');
});

test('a_policy_with_a_fault_does_not_replace_the_good_one', async () => {
  await school.pushPolicy({ deny: ['quiz.example'] });
  const faulty = policyText({ deny: ['other.example'] }).replace('"deny"', '"denied"');
  await school.push({ policy: faulty });
  await school.chromium.stopWorker();
  assert.equal((await school.show(page, 'https://quiz.example/')).kind, 'block');
  assert.equal((await school.show(page, 'https://other.example/')).kind, 'page');
  assert.notEqual((await school.kept('good_policy')).good_policy, faulty);
});

test('a_closed_period_opens_help_and_sign_in_and_nothing_else', async () => {
  await school.pushPolicy({ mode: 'closed' });
  const closed = await school.show(page, 'https://www.school.example/');
  assert.equal(closed.kind, 'block');
  assert.match(closed.text, /closed for you right now/);
  assert.equal((await school.show(page, 'https://www.childline.org.uk/get-support/')).kind, 'page');
  assert.equal((await school.show(page, 'https://accounts.google.com/signin')).kind, 'page');
  assert.equal(school.web.count({ host: 'www.school.example' }), 0);
});

test('a_closed_period_stays_closed_and_help_open_while_no_worker_runs', async () => {
  await school.pushPolicy({ mode: 'closed' });
  for (const [url, kind] of /** @type {const} */ ([
    ['https://www.school.example/', 'block'],
    ['https://www.childline.org.uk/', 'page'],
  ])) {
    await school.chromium.stopWorker();
    assert.equal((await school.show(page, url)).kind, kind, url);
  }
});

test('school_work_opens_whole_with_parts_from_anywhere_that_is_not_blocked', async () => {
  await school.pushPolicy({ mode: 'allowlist', allowlist: ['open.example/parts'] });
  assert.equal((await school.show(page, 'https://open.example/parts?from=parts.example')).kind, 'page');
  await waitFor('every part to settle', async () => (await page.title()) === 'done');
  assert.ok(school.web.count({ host: 'parts.example' }) >= 15);
  await school.show(page, 'https://open.example/parts?from=games.example');
  await waitFor('every part to settle', async () => (await page.title()) === 'done');
  assert.equal(school.web.count({ host: 'games.example' }), 0);
  const elsewhere = await school.show(page, 'https://elsewhere.example/');
  assert.equal(elsewhere.kind, 'block', `${page.url()}: ${elsewhere.text}`);
  assert.match(elsewhere.text, /Only school work is open right now/);
});

test('what_a_second_layer_that_is_behind_sends_round_comes_back', async () => {
  await school.pushPolicy({});
  for (const host of ['open.example', 'games.example']) {
    await school.chromium.evaluateInWorker(`chrome.declarativeNetRequest.updateDynamicRules({ addRules: [{
      id: 9000,
      action: { type: 'redirect', redirect: { regexSubstitution: 'https://bellgate.invalid/ask?\\\\0' } },
      condition: { regexFilter: '^https://${host}/.*', resourceTypes: ['main_frame'] },
    }] })`);
    await orOvertaken(page.goto(`https://${host}/sent-round`));
    await waitFor(`${host} to come back`, async () =>
      host === 'open.example'
        ? page.url() === `https://${host}/sent-round`
        : (await school.shown(page)).text.includes(`${host} is in the group`),
    );
    await school.pushPolicy({ version: host }); // Brings the layer up.
  }
  assert.equal(school.web.count({ host: 'games.example' }), 0);
});

test('an_address_that_a_page_changes_while_no_worker_runs_is_decided_by_the_whole_policy', async () => {
  await school.pushPolicy({ block: [], deny: ['open.example/denied'] });
  assert.equal((await school.show(page, 'https://games.example/')).kind, 'page');
  await school.chromium.stopWorker();
  await page.evaluate(() => history.pushState(null, '', '/next'));
  await waitFor('the worker to run', () => school.chromium.evaluateInWorker('1'));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(page.url(), 'https://games.example/next', 'lesson rules would have closed it');
  assert.equal((await school.show(page, 'https://open.example/')).kind, 'page');
  await school.chromium.stopWorker();
  await page.evaluate(() => history.pushState(null, '', '/denied'));
  await school.waitToShow(page, 'block', { timeout_ms: SOON_MS });
});

test('a_category_with_a_notice_opens_once_it_is_acknowledged', async () => {
  await school.pushPolicy({ block: ['adult'], notice: ['games'] });
  const shown = await school.show(page, 'https://games.example/chess');
  assert.equal(shown.kind, 'block');
  assert.match(shown.text, /Before you go on/);
  assert.equal(school.web.count({ host: 'games.example' }), 0);
  await page.click('#go');
  await school.waitToShow(page, 'page');
  assert.equal(page.url(), 'https://games.example/chess');
  assert.equal((await school.show(page, 'https://games.example/draughts')).kind, 'page');
});

test('without_any_policy_lesson_rules_hold_and_neither_close_nor_open_everything', async () => {
  const bare = await School.open({ policy: null, managed: { cohort: undefined } });
  try {
    const tab = await bare.chromium.newPage();
    assert.equal((await bare.show(tab, 'https://open.example/')).kind, 'page');
    assert.equal((await bare.show(tab, 'https://games.example/')).kind, 'block');
    assert.equal((await bare.show(tab, 'https://www.childline.org.uk/')).kind, 'page');
  } finally {
    await bare.close();
  }
});
