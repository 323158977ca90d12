// The demo: a school day in a real Chromium, one readable line a step.

import { rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { hasDisplay } from '../tests/browser/lib/chromium.mjs';
import { root } from '../tests/browser/lib/product.mjs';
import { playDay } from './day.mjs';
import { Report } from './report.mjs';
import { Stage } from './stage.mjs';

const SCREENSHOTS = path.join(root, 'dist/demo/screenshots');
const PACE_WITH_WINDOW_S = 2;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    headless: { type: 'boolean', default: false },
    pace: { type: 'string' },
  },
});
const headless = values.headless || !hasDisplay();
const pace_s = values.pace === undefined ? (headless ? 0 : PACE_WITH_WINDOW_S) : Number(values.pace);
if (!(pace_s >= 0)) throw new Error(`\`--pace ${values.pace}\` is not a number of seconds`);

/** @type {Stage | undefined} */
let stage;
let ending = false;

/** Ends everything the demo started, once. */
async function strike() {
  if (ending) return;
  ending = true;
  await stage?.close();
}

for (const [signal, number] of /** @type {const} */ ([['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]])) {
  process.once(signal, async () => {
    console.error(`\nended by ${signal}: closing the browser and the endpoint`);
    await strike();
    process.exit(128 + number);
  });
}

rmSync(SCREENSHOTS, { recursive: true, force: true });
const report = new Report({ screenshots: SCREENSHOTS, root });
try {
  stage = new Stage(report);
  await stage.open({ headless, pace_ms: pace_s * 1000 });
  await playDay(stage, report);
  await report.count(stage);
} catch (error) {
  // An interrupted step fails because its browser is gone: that has been said already.
  if (!ending) {
    console.error(`demo: ${error instanceof Error ? error.message : error}`);
    if (error instanceof Error && error.cause) console.error('  because:', error.cause);
    process.exitCode = 1;
  }
} finally {
  await strike();
}
if (process.exitCode === undefined) {
  report.print();
  if (values.json) console.log(JSON.stringify(report.summary()));
  if (report.mistakes.length > 0) process.exitCode = 1;
}
