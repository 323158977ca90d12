// A seeded storm of faults under steady traffic: what got through, what was held up.
//
// node tests/browser/bench/faults.mjs [--json] [--rounds N] [--seed N] [--fault NAME]...

import { parseArgs } from 'node:util';

import { policyText } from '../lib/policy.mjs';
import { LISTED, School } from '../lib/school.mjs';
import { waitFor } from '../lib/wait.mjs';
import { generator } from './statistics.mjs';
import { BLOCKED_HOST, OPEN_HOST, storm, trafficPage } from './traffic.mjs';

/** @typedef {{should_block: number, leaked: number, should_allow: number, overblocked: number}} Tally */

/**
 * A fault: what happens, and whether an extension can see or prevent it at all.
 *
 * @typedef {object} Fault
 * @property {boolean} reachable False where Chrome itself fails open and only a Chrome policy helps (docs/limits.md).
 * @property {(school: School, random: () => number, round: number) => Promise<unknown>} strike
 * @property {(school: School) => Promise<unknown>} [mend] What an administrator or the weather puts right again.
 */

// From inside: Chromium wipes no extension's database for the browser's own session.
const WIPE = `(async () => {
  await chrome.storage.local.clear();
  await new Promise((resolve, reject) => {
    const wiped = indexedDB.deleteDatabase('bellgate');
    wiped.onsuccess = () => resolve(undefined);
    wiped.onerror = () => reject(wiped.error);
  });
})()`;

/** @type {Record<string, Fault>} */
const FAULTS = {
  none: { reachable: true, strike: async () => {} },
  worker_stopped: { reachable: true, strike: (school) => school.chromium.stopWorker() },
  process_killed: { reachable: false, strike: async (school) => school.chromium.killExtensionProcesses() },
  storage_wiped: {
    reachable: true,
    strike: async (school) => {
      await school.chromium.evaluateInWorker(WIPE);
      await school.chromium.stopWorker();
    },
  },
  policy_flipped: {
    reachable: true,
    strike: async (school, random, round) => {
      const policy = policyText({ version: `storm.${round}`, deny: random() < 0.5 ? ['denied.example'] : [] });
      school.chromium.setManaged({ ...school.managed, policy });
    },
  },
  pack_replaced: {
    reachable: true,
    strike: async (school, _random, round) => {
      await school.publishLists({ ...LISTED, games: [...LISTED.games, `extra-${round}.example`] }, { sequence: 4_000_000_000 + round });
      school.chromium.setManaged({ ...school.managed, pack_url: `https://packs.school.example/storm-${round}.pack` });
    },
  },
  endpoint_dead: {
    reachable: true,
    strike: async (school) => {
      school.endpoint.down = true;
    },
    mend: async (school) => {
      school.endpoint.down = false;
    },
  },
  clock_moved: {
    reachable: true,
    strike: (school, random) => {
      const hours = Math.round((random() - 0.5) * 20);
      return school.chromium.evaluateInWorker(
        `(() => { const real = Date.now.bind(Date); Date.now = () => real() + ${hours} * 3600000; return ${hours}; })()`,
      );
    },
    mend: (school) => school.chromium.stopWorker(),
  },
};

const ROUND_MS = 1_200;
/** Requests in flight when a round ends have arrived by then, or never will. */
const DRAIN_MS = 3_000;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    fault: { type: 'string', multiple: true },
  },
});
const rounds = Number(values.rounds);
const chosen = values.fault ?? Object.keys(FAULTS);
for (const name of chosen) if (!FAULTS[name]) throw new Error(`unknown fault \`${name}\`; there are ${Object.keys(FAULTS).join(', ')}`);

const school = await School.open({
  endpoint: true,
  // The tab that sends the parts is not the one in front: its timers would step by a second.
  extraArguments: ['--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows'],
});
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
try {
  school.web.serve(trafficPage);
  /** @type {Record<string, {reachable: boolean, rounds: number} & Tally>} */
  const faults = {};
  for (const name of chosen) {
    const tally = await rage(name, FAULTS[name], generator(Number(values.seed)));
    faults[name] = { reachable: FAULTS[name].reachable, rounds, ...tally };
    console.error(
      `${name.padEnd(16)} ${tally.leaked} of ${tally.should_block} leaked, ${tally.overblocked} of ${tally.should_allow} held up`,
    );
  }
  if (values.json) console.log(JSON.stringify({ faults }));
} finally {
  await school.close();
}

/**
 * @param {string} name
 * @param {Fault} fault
 * @param {() => number} random
 * @returns {Promise<Tally>}
 */
async function rage(name, fault, random) {
  /** @type {Tally} */
  const tally = { should_block: 0, leaked: 0, should_allow: 0, overblocked: 0 };
  const page = await school.chromium.newPage();
  const tab = await school.chromium.newPage();
  for (let round = 0; round < rounds; round += 1) {
    const run = `${name}-${round}`;
    school.web.clear();
    if ((await school.show(page, `https://${OPEN_HOST}/traffic`)).kind !== 'page') throw new Error('the page of the traffic is not open');
    const traffic = storm(page, tab, school.chromium, { run, for_ms: ROUND_MS });
    await new Promise((resolve) => setTimeout(resolve, random() * ROUND_MS * 0.6));
    await fault.strike(school, random, round);
    const sent = await traffic;
    await waitFor('the last requests', () => arrived(OPEN_HOST, run) >= sent.open, { timeout_ms: DRAIN_MS }).catch(() => {
      // Those that never came are what is counted below as overblocked.
    });
    tally.should_block += sent.blocked;
    tally.leaked += arrived(BLOCKED_HOST, run);
    tally.should_allow += sent.open;
    tally.overblocked += sent.open - arrived(OPEN_HOST, run);
    await fault.mend?.(school);
  }
  await page.close();
  await tab.close();
  return tally;
}

/**
 * How many different requests of a round have reached a host.
 *
 * @param {string} host
 * @param {string} run
 */
function arrived(host, run) {
  const ours = school.web.arrivals.filter((arrival) => arrival.host === host && arrival.path.includes(`run=${run}&`));
  return new Set(ours.map(({ path }) => path)).size;
}
