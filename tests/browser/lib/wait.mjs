// Waiting for a condition instead of sleeping.

const POLL_INTERVAL_MS = 20;
const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Calls `probe` until it returns something truthy and returns that.
 *
 * @template T
 * @param {string} what Completes "timed out waiting for …".
 * @param {() => T | Promise<T>} probe May throw while the condition does not hold yet.
 * @param {{timeout_ms?: number}} [options]
 * @returns {Promise<NonNullable<T>>}
 * @throws {Error} naming `what`, with the last value or error seen, after `timeout_ms`.
 */
export async function waitFor(what, probe, { timeout_ms = DEFAULT_TIMEOUT_MS } = {}) {
  const deadline_ms = performance.now() + timeout_ms;
  /** @type {unknown} */
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline_ms) {
      throw new Error(`timed out after ${timeout_ms} ms waiting for ${what}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

/**
 * Settles with `promise`, or rejects after `timeout_ms`.
 *
 * @template T
 * @param {string} what Completes "timed out waiting for …".
 * @param {Promise<T>} promise
 * @param {number} [timeout_ms]
 * @returns {Promise<T>}
 */
export async function within(what, promise, timeout_ms = DEFAULT_TIMEOUT_MS) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`timed out after ${timeout_ms} ms waiting for ${what}`)),
      timeout_ms,
    );
  });
  try {
    return await Promise.race([promise, /** @type {Promise<never>} */ (late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** What Chromium and the driver say of a navigation that did not arrive because another took its place. */
const OVERTAKEN = /ERR_ABORTED|ERR_BLOCKED_BY_CLIENT|frame was detached|context was destroyed|Cannot find context/;

/**
 * Waits for a navigation, or for what starts one; that another may overtake it is what the test is
 * about. Any other failure is a failure.
 *
 * @param {Promise<unknown>} navigation
 */
export async function orOvertaken(navigation) {
  try {
    await navigation;
  } catch (error) {
    if (!OVERTAKEN.test(String(error))) throw error;
  }
}
