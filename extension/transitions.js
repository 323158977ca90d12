// When the rules change, open tabs are decided again: on time although the worker
// sleeps, and at once after a device was suspended.

import {
  framesOf,
  keepForSession,
  navigate,
  openTabs,
  readSession,
  reload,
  replaceTab,
  stayAwake,
  tabOf,
  wakeAt,
} from './chrome.js';
import { now } from './clock.js';
import { blockedAddress, nextAddress } from './enforce.js';
import { standing, verdict } from './engine.js';
import { noteSentByUs } from './events.js';
import { isBlockPage } from './gate.js';
import { warnBeforeChange } from './warnings.js';

export const TRANSITION_ALARM = 'transition';

/** Within this of a change the worker stays awake for it: an alarm may be late, a timer is not. */
const AWAKE_BEFORE_MS = 65_000;
/** How long a page may take to leave before its tab is replaced. */
const LEAVES_WITHIN_MS = 1_200;
const AWAKE_EVERY_MS = 20_000;
/** What held when tabs were last looked at; a worker that slept through a change finds it here. */
const LOOKED_AT = 'looked_at';

/** @type {ReturnType<typeof setTimeout> | null} */
let change_timer = null;
/** @type {ReturnType<typeof setInterval> | null} */
let awake_timer = null;

/**
 * Sees to the next change, and to one that was slept through.
 * @param {() => Promise<void>} changed Called when another rule holds.
 */
export async function watchTransitions(changed) {
  const now_ms = now();
  const held = standing(now_ms);
  const signature = JSON.stringify([held.mode, held.rule, held.period?.name ?? null, held.doubt]);
  const looked_at = (await readSession([LOOKED_AT]))[LOOKED_AT];
  const differs = looked_at !== undefined && looked_at !== signature;
  if (looked_at !== signature) await keepForSession({ [LOOKED_AT]: signature });
  if (held.next_change_at_ms !== null) {
    await waitForChange(held.next_change_at_ms - now_ms, changed);
    await warnBeforeChange(held.next_change_at_ms);
  }
  if (differs) {
    await changed();
    await lookAtTabs();
  }
}

/** Decides every open tab again; nobody is named for what is found. */
export async function lookAtTabs() {
  const now_ms = now();
  const tabs = await openTabs();
  /** @type {Promise<void>[]} */
  const leaves = [];
  await Promise.all(
    tabs.map(async (tab) => {
      if (tab.id === undefined || tab.url === undefined || tab.url === '') return;
      // A page that is open by now comes back by itself; another reason shows another page.
      const address = isBlockPage(tab.url)
        ? nextAddress(tab.url, tab.id, now_ms)
        : blockedAddress(tab.url, tab.id, now_ms);
      if (address === null) {
        if (await hasBlockedFrame(tab.id)) await reload(tab.id);
        return;
      }
      noteSentByUs(tab.id, now_ms);
      await navigate(tab.id, address);
      leaves.push(seeItLeave(tab.id, tab.url));
    }),
  );
  await Promise.all(leaves);
}

/**
 * A page may ask whether it shall really be left, and somebody may answer no: its tab
 * is replaced then.
 * @param {number} tab_id
 * @param {string} url
 */
async function seeItLeave(tab_id, url) {
  await new Promise((resolve) => setTimeout(resolve, LEAVES_WITHIN_MS));
  const tab = await tabOf(tab_id);
  if (tab?.url !== url || isBlockPage(url)) return;
  const fresh_id = await replaceTab(tab);
  const address = fresh_id === null ? null : blockedAddress(url, fresh_id, now());
  if (fresh_id !== null && address !== null) await navigate(fresh_id, address);
}

/**
 * @param {number} in_ms
 * @param {() => Promise<void>} changed
 */
async function waitForChange(in_ms, changed) {
  if (change_timer !== null) clearTimeout(change_timer);
  if (awake_timer !== null) clearInterval(awake_timer);
  change_timer = null;
  awake_timer = null;
  if (in_ms <= AWAKE_BEFORE_MS) {
    change_timer = setTimeout(() => {
      watchTransitions(changed).catch((error) => console.error('bellgate: a transition failed', error));
    }, Math.max(0, in_ms) + 5);
    awake_timer = setInterval(() => {
      stayAwake().catch(() => {});
    }, AWAKE_EVERY_MS);
  }
  // The alarm counts in the device's own time.
  await wakeAt(TRANSITION_ALARM, Date.now() + Math.max(0, in_ms));
}

/**
 * Whether something open in a tab, other than its page itself, is blocked by now.
 * @param {number} tab_id
 */
async function hasBlockedFrame(tab_id) {
  const now_ms = now();
  const frames = await framesOf(tab_id);
  const top = frames.find((frame) => frame.frameId === 0);
  return frames.some(
    (frame) =>
      frame.frameId !== 0 && /^https?:/.test(frame.url) && verdict(frame.url, 'sub_frame', top?.url, now_ms) !== 'allow',
  );
}
