// When the queue is emptied: soon after an event, in batches, and ever more
// rarely while the endpoint does not answer.

import { keep, readKept, wakeAt } from './chrome.js';
import { reportFault } from './faults.js';
import { drop, MAX_BATCH_EVENTS, nextBatch, putAside, sealCounts } from './queue.js';

/** @typedef {import('./endpoint.js').Delivery} Delivery */
/** @typedef {import('./queue.js').Event} Event */

export const DELIVERY_ALARM = 'delivery';

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30 * 60_000;
const LONGEST_ASKED_MS = 24 * 3_600_000;
/** Events of a period are gathered so long before they are sent. */
const GATHER_MS = 2_000;
/** An event that the endpoint cannot read waits so long for an endpoint that can. */
const ASIDE_MS = 24 * 3_600_000;
const COUNTS_EVERY_MS = 5 * 60_000;
const KEY = 'delivery';

/**
 * @typedef {object} Pace What must outlive a worker.
 * @property {number} failures Deliveries that failed in a row.
 * @property {number} not_before_ms No delivery before this instant.
 * @property {number} counts_sealed_ms When counts were last made ready.
 * @property {string | null} problem Why the last delivery failed.
 */

/** @type {Promise<void> | null} */
let running = null;
/** @type {ReturnType<typeof setTimeout> | null} */
let timer = null;

/**
 * Sees to it that what is queued goes out soon.
 * @param {() => Promise<void>} run
 * @param {number} now_ms
 */
export function deliverSoon(run, now_ms) {
  if (timer === null) {
    timer = setTimeout(() => {
      timer = null;
      run().catch((error) => reportFault('delivery', error));
    }, GATHER_MS);
  }
  // The worker may be stopped before the timer fires.
  return wakeAt(DELIVERY_ALARM, now_ms + 30_000);
}

/**
 * Sends what is queued, one run at a time.
 * @param {(events: Event[]) => Promise<Delivery>} send
 * @param {() => number} now
 * @returns {Promise<void>}
 */
export function run(send, now) {
  running ??= empty(send, now).finally(() => {
    running = null;
  });
  return running;
}

/** How delivery stands, for the display of health. */
export async function pace() {
  return readPace();
}

/**
 * @param {(events: Event[]) => Promise<Delivery>} send
 * @param {() => number} now
 */
async function empty(send, now) {
  let kept = await readPace();
  // A wait that no delivery could have asked for is a clock that was moved.
  if (kept.not_before_ms - now() > LONGEST_ASKED_MS + LONGEST_DELAY_MS) kept = { ...kept, not_before_ms: 0 };
  if (now() < kept.not_before_ms) {
    await wakeAt(DELIVERY_ALARM, kept.not_before_ms);
    return;
  }
  if (now() - kept.counts_sealed_ms >= COUNTS_EVERY_MS || now() < kept.counts_sealed_ms) {
    await sealCounts(now());
    kept = { ...kept, counts_sealed_ms: now() };
    await writePace(kept);
  }
  let size = MAX_BATCH_EVENTS;
  for (;;) {
    const events = await nextBatch(size, now());
    if (events.length === 0) return;
    const delivery = await send(events);
    await drop(delivery.settled);
    if (delivery.state === 'accepted') {
      if (kept.failures > 0 || kept.problem !== delivery.problem) {
        kept = { ...kept, failures: 0, not_before_ms: 0, problem: delivery.problem };
        await writePace(kept);
      }
      continue;
    }
    const [first] = events;
    if (delivery.state === 'refused' && first !== undefined) {
      // One event that the endpoint cannot read must not hold up the others.
      if (events.length === 1) await putAside(first.id, now() + ASIDE_MS);
      size = Math.max(1, Math.floor(events.length / 2));
      continue;
    }
    const failures = kept.failures + 1;
    const delay_ms = delayAfter(failures, delivery.retry_after_ms, Math.random());
    await writePace({ ...kept, failures, not_before_ms: now() + delay_ms, problem: delivery.problem });
    await wakeAt(DELIVERY_ALARM, now() + delay_ms);
    return;
  }
}

/**
 * How long to wait after `failures` failed deliveries: doubled each time, with
 * "full jitter" so that a school's devices do not come back all at once.
 * @param {number} failures At least 1.
 * @param {number | null} asked_ms What the endpoint asked for; never undercut.
 * @param {number} random In [0, 1).
 */
export function delayAfter(failures, asked_ms, random) {
  const ceiling_ms = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 20));
  const jittered_ms = ceiling_ms / 2 + (ceiling_ms / 2) * random;
  if (asked_ms === null) return jittered_ms;
  return Math.min(LONGEST_ASKED_MS, asked_ms) + jittered_ms;
}

/** @returns {Promise<Pace>} */
async function readPace() {
  const kept = (await readKept([KEY]))[KEY];
  const pace = /** @type {Partial<Pace>} */ (typeof kept === 'object' && kept !== null ? kept : {});
  return {
    failures: pace.failures ?? 0,
    not_before_ms: pace.not_before_ms ?? 0,
    counts_sealed_ms: pace.counts_sealed_ms ?? 0,
    problem: pace.problem ?? null,
  };
}

/** @param {Pace} pace */
function writePace(pace) {
  return keep({ [KEY]: pace });
}
