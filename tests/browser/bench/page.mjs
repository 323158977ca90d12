// What Bellgate costs a page of a hundred parts, beside a trivial listener.
//
// node tests/browser/bench/page.mjs [--json] [--pairs N] [--hosts N]

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { Chromium } from '../lib/chromium.mjs';
import { buildBigPack } from '../lib/pack.mjs';
import { waitFor } from '../lib/wait.mjs';
import { Web } from '../lib/web.mjs';
import { lessonPolicy } from '../lib/policy.mjs';
import { instrumentedExtension } from './instrument.mjs';
import { memoryMib } from './memory.mjs';
import { benchWeb, PARTS, pageUrl } from './parts.mjs';
import { declarativeRules, trivialListener } from './rivals.mjs';
import { median, upper95 } from './statistics.mjs';

/** @typedef {{chromium: Chromium, page: import('puppeteer-core').Page}} Browser */
/** @typedef {'cold' | 'warm'} Cache */

/** Of the other two, this many fewer loads are enough: no bound hangs on them. */
const OTHERS_EVERY = 4;
const WARM_UP_LOADS = 4;
const RESTARTS = 15;
const PACK_URL = 'https://packs.bench-school.example/big.pack';
const REPLAYED_CALLS = 10_000;
const REPLAY_BATCH = 200;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    pairs: { type: 'string', default: '400' },
    hosts: { type: 'string', default: '5400000' },
  },
});
let loads = 0;
const pairs = Number(values.pairs);
const folder = mkdtempSync(path.join(tmpdir(), 'bellgate-bench-'));
const say = (/** @type {string} */ text) => console.error(text);
/** @type {(() => Promise<void>)[]} */
const closers = [];

process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const web = await Web.start(benchWeb);
closers.push(() => web.close());
try {
  const result = await measure();
  for (const [name, value] of Object.entries(result)) say(`${name.padEnd(28)} ${JSON.stringify(value)}`);
  if (values.json) console.log(JSON.stringify(result));
} finally {
  for (const close of closers.reverse()) await close();
}

async function measure() {
  say(`building a pack of ${values.hosts} hosts`);
  const pack = await buildBigPack({ folder, hosts: Number(values.hosts) });
  web.serve(({ host, path: where }) =>
    `https://${host}${where}` === PACK_URL
      ? { type: 'application/octet-stream', body: readFileSync(pack.file) }
      : undefined,
  );
  const managed = { policy: lessonPolicy(), cohort: 'year-9', pack_url: PACK_URL, pack_keys: pack.publicKey };
  const none = await open([]);
  const trivial = await open([await trivialListener(folder)]);
  const dnr = await open([await declarativeRules(folder)]);
  await dnr.chromium.evaluateInWorker('self.ready');
  const bellgate = await open([await instrumentedExtension(folder)], managed);
  await waitFor('the pack to arrive', async () => bellgate.chromium.evaluateInWorker('self.bench.hasPack()'), {
    timeout_ms: 60_000,
  });

  for (const browser of [none, trivial, dnr, bellgate]) {
    for (const cache of /** @type {Cache[]} */ (['cold', 'warm'])) {
      for (let n = 0; n < WARM_UP_LOADS; n += 1) await load(browser, cache);
    }
  }
  await bellgate.chromium.evaluateInWorker('self.bench.clear()');

  /** @type {{ratio: number, cache: Cache}[]} */
  const paired = [];
  /** @type {Record<'none' | 'dnr' | 'trivial' | 'bellgate', number[]>} */
  const times = { none: [], dnr: [], trivial: [], bellgate: [] };
  for (let n = 0; n < pairs; n += 1) {
    const cache = (n >> 1) % 2 === 0 ? 'cold' : 'warm';
    // ABBA: what drifts falls on both alike.
    const order = n % 2 === 0 ? [trivial, bellgate] : [bellgate, trivial];
    /** @type {Map<Browser, number>} */
    const took = new Map();
    for (const browser of order) took.set(browser, await load(browser, cache));
    const [trivial_ms, bellgate_ms] = [took.get(trivial) ?? NaN, took.get(bellgate) ?? NaN];
    times.trivial.push(trivial_ms);
    times.bellgate.push(bellgate_ms);
    paired.push({ ratio: bellgate_ms / trivial_ms, cache });
    if (n % OTHERS_EVERY === 0) {
      times.none.push(await load(none, cache));
      times.dnr.push(await load(dnr, cache));
    }
    if (n % 50 === 49) say(`${n + 1} pairs, ratio ${median(paired.map(({ ratio }) => ratio)).toFixed(3)}`);
  }

  const slow = await bellgate.chromium.evaluateInWorker('self.bench.slowShare()');
  const listener = await bellgate.chromium.evaluateInWorker(`self.bench.replay(${REPLAYED_CALLS}, ${REPLAY_BATCH})`);
  const memory = {
    none: memoryMib(none.chromium),
    trivial: memoryMib(trivial.chromium),
    dnr: memoryMib(dnr.chromium),
    bellgate: memoryMib(bellgate.chromium),
  };
  const ratios = paired.map(({ ratio }) => ratio);
  const of = (/** @type {Cache} */ wanted) => paired.filter(({ cache }) => cache === wanted).map(({ ratio }) => ratio);
  return {
    bellgate_vs_trivial: round(median(ratios)),
    bellgate_vs_none: round(median(times.bellgate) / median(times.none)),
    dnr_vs_none: round(median(times.dnr) / median(times.none)),
    pairs,
    listener_us_median: round(listener.median_us),
    bellgate_vs_trivial_upper95: round(upper95(ratios)),
    listener_slow_share: round(slow, 5),
    restart_extra_ms_median: round((await restart(bellgate)) - (await restart(trivial)), 1),
    memory_mib: memory,
    page_ms_median: {
      none: round(median(times.none), 1),
      trivial: round(median(times.trivial), 1),
      dnr: round(median(times.dnr), 1),
      bellgate: round(median(times.bellgate), 1),
    },
    bellgate_vs_trivial_cold: round(median(of('cold'))),
    bellgate_vs_trivial_warm: round(median(of('warm'))),
    listener_calls: listener.calls,
  };
}

/**
 * @param {import('../lib/package.mjs').PackedExtension[]} extensions
 * @param {Record<string, unknown>} [managed]
 * @returns {Promise<Browser>}
 */
async function open(extensions, managed) {
  const chromium = await Chromium.start({ extensions, web, managed, headless: true });
  closers.push(() => chromium.close());
  return { chromium, page: await chromium.newPage() };
}

/**
 * Loads the page once and returns the milliseconds until all of it was there.
 *
 * @param {Browser} browser
 * @param {Cache} cache
 */
async function load({ chromium, page }, cache) {
  loads += 1;
  web.clear();
  const url = pageUrl(cache, loads);
  const { error } = await chromium.navigate(page, url);
  if (error) throw new Error(`${url} did not load: ${error}`);
  const took_ms = Number(await page.evaluate('self.finished'));
  if (cache === 'cold' && web.count() < PARTS + 1) throw new Error(`only ${web.count()} of ${PARTS + 1} requests arrived`);
  return took_ms;
}

/**
 * The median of the first page after the worker was stopped, in milliseconds.
 *
 * @param {Browser} browser
 */
async function restart({ chromium, page }) {
  /** @type {number[]} */
  const times = [];
  for (let n = 0; n < RESTARTS; n += 1) {
    await chromium.stopWorker();
    const { error } = await chromium.navigate(page, `https://restart.bench.example/${n}.json`);
    if (error) throw new Error(`the first page after a worker stop did not load: ${error}`);
    const took = await page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd");
    times.push(Number(took));
  }
  return median(times);
}

/**
 * @param {number} value
 * @param {number} [digits]
 */
function round(value, digits = 4) {
  return Number(value.toFixed(digits));
}
