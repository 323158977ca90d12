// The second layer: what Chrome keeps closed by itself while the extension's process has
// just been killed, and that it closes nothing else.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { School } from './lib/school.mjs';
import { waitFor } from './lib/wait.mjs';

const ROUNDS = 20;
const MOST_BY_WAY = 3;
const RESERVED_HOST = 'bellgate.invalid';
/** Of lists/curated, of which the layer is made; the school's own lists have no such category, so the built-in ones hold. */
const PROXIES = ['croxyproxy.com', 'kproxy.com', 'proxysite.com', '4everproxy.com', 'anonymouse.org'];
const GAMBLING = ['bet365.com', 'paddypower.com', 'williamhill.com', 'ladbrokes.com', 'betfair.com'];

/** @type {School} */
let school;
/** @type {import('puppeteer-core').Page} */
let page;

before(async () => {
  school = await School.open();
  page = await school.chromium.newPage();
});
after(() => school?.close());
beforeEach(() => school.web.clear());

/** @param {(rules: chrome.declarativeNetRequest.Rule[]) => boolean} fit */
async function rulesThat(fit) {
  await waitFor('the second layer', async () => fit(await school.chromium.evaluateInWorker('chrome.declarativeNetRequest.getDynamicRules()')));
}

/** @param {string} host */
const closes = (host) => (/** @type {chrome.declarativeNetRequest.Rule[]} */ rules) =>
  rules.some(({ condition }) => condition.requestDomains?.includes(host));

/**
 * Asks for each address with the process killed the moment before.
 * @param {string[]} addresses
 */
async function askWithoutProcess(addresses) {
  for (const address of addresses) {
    await school.chromium.waitForWorker();
    assert.ok(school.chromium.killExtensionProcesses() >= 1);
    await school.chromium.navigate(page, address);
    await school.waitToShow(page, 'block');
  }
}

test('a_killed_process_opens_no_well_known_host_of_the_worst_categories', async () => {
  await school.pushPolicy({ block: ['proxies', 'gambling'] });
  await rulesThat((rules) => closes('croxyproxy.com')(rules) && closes('bet365.com')(rules));
  const hosts = [...PROXIES, ...GAMBLING];
  const addresses = Array.from({ length: ROUNDS }, (_, round) => `https://${round % 4 < 2 ? 'www.' : ''}${hosts[round % hosts.length]}/${round}`);
  await askWithoutProcess(addresses);
  assert.deepEqual(school.web.arrivals.filter(({ host }) => hosts.some((listed) => host.endsWith(listed))), []);
});

test('a_killed_process_opens_nothing_in_a_closed_period', async () => {
  await school.pushPolicy({ mode: 'closed' });
  await rulesThat((rules) => rules.some(({ condition }) => condition.regexFilter && !condition.requestDomains));
  await askWithoutProcess(Array.from({ length: ROUNDS }, (_, round) => `https://open.example/${round}`));
  assert.equal(school.web.count({ host: 'open.example' }), 0);
});

test('with_the_worker_there_the_page_says_why_and_seldom_comes_by_way_of_the_reserved_host', async () => {
  await school.pushPolicy({ block: ['gambling'] });
  await rulesThat(closes('bet365.com'));
  for (let round = 0; round < ROUNDS; round += 1) {
    const says = () => waitFor('the page', async () => (await school.shown(page)).text.includes('is in the group “Gambling”'), { timeout_ms: 5_000 });
    await school.chromium.navigate(page, `https://www.bet365.com/${round}`);
    // Sent round, it may end in an error page once; asked for again it says why.
    await says().catch(async () => {
      await school.chromium.navigate(page, `https://www.bet365.com/${round}`);
      await says();
    });
  }
  // The test's web answers for every name, elsewhere nobody answers for this one. A third of
  // the pages came by it while the listener's refusal was not held back (decision 0023).
  const by_way = school.web.count({ host: RESERVED_HOST });
  assert.ok(by_way <= MOST_BY_WAY, `${by_way} of ${ROUNDS}`);
  assert.equal(school.web.count({ host: 'www.bet365.com' }), 0);
});

test('parts_from_these_hosts_are_stopped_and_parts_from_others_are_not', async () => {
  await school.pushPolicy({ block: ['gambling'] });
  await rulesThat(closes('bet365.com'));
  for (const [from, least, most] of /** @type {const} */ ([['www.bet365.com', 0, 0], ['parts.example', 15, Infinity]])) {
    await school.show(page, `https://open.example/parts?from=${from}`);
    await waitFor('every part to settle', async () => (await page.title()) === 'done');
    const arrived = school.web.count({ host: from });
    assert.ok(arrived >= least && arrived <= most, `${arrived} from ${from}`);
  }
});

test('what_the_core_opens_is_open_although_it_is_among_these_hosts', async () => {
  // A category that this cohort may see, a host that the school allows, a path of another.
  await school.pushPolicy({ block: ['proxies'], allow: ['proxysite.com', 'kproxy.com/lesson'] });
  await rulesThat((rules) => closes('croxyproxy.com')(rules) && !closes('bet365.com')(rules) && !closes('proxysite.com')(rules));
  for (const address of ['https://bet365.com/sum', 'https://www.proxysite.com/', 'https://kproxy.com/lesson/1']) {
    assert.equal((await school.show(page, address)).kind, 'page', address);
  }
  assert.equal((await school.show(page, 'https://kproxy.com/')).kind, 'block');
  assert.equal((await school.show(page, 'https://croxyproxy.com/')).kind, 'block');
});

test('a_layer_that_is_behind_the_core_lets_the_page_through_and_stays_open', async () => {
  await school.pushPolicy({ block: ['proxies', 'gambling'] });
  await rulesThat(closes('bet365.com'));
  const [rule] = /** @type {any[]} */ (await school.chromium.evaluateInWorker('chrome.declarativeNetRequest.getDynamicRules()'));
  await school.pushPolicy({ block: ['proxies'] });
  await rulesThat((rules) => !closes('bet365.com')(rules));
  const stale = JSON.stringify({ ...rule, id: 9000 });
  await school.chromium.evaluateInWorker(`chrome.declarativeNetRequest.updateDynamicRules({ addRules: [${stale}] })`);
  await school.chromium.navigate(page, 'https://bet365.com/again');
  await waitFor('the page to come through', () => page.url() === 'https://bet365.com/again');
  await rulesThat((rules) => !closes('bet365.com')(rules));
});
