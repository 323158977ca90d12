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
import { addressInstead, nextAddress } from './enforce.js';
import { standing, verdict } from './engine.js';
import { noteSentByUs } from './events.js';
import { reportFault } from './faults.js';
import { isBlockPage } from './gate.js';
import { wholePack } from './pack.js';
import { warnBeforeChange } from './warnings.js';

export const TRANSITION_ALARM = 'transition';

/** Within this of a change the worker stays awake for it: an alarm may be late, a timer is not. */
const AWAKE_BEFORE_MS = 65_000;
/** How often a tab that is on its way elsewhere is looked at before it is stopped. */
const LOOKS = 5;
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
    await lookAtTabs('frames');
  }
}

/**
 * Decides every open tab again; nobody is named for what is found.
 * @param {'page' | 'frames'} depth Whether pages with a frame that is blocked by now are loaded anew, for
 *   which there must be a reason: another rule, or other lists.
 */
export async function lookAtTabs(depth) {
  await wholePack();
  let tabs = await openTabs();
  for (let look = 1; tabs.length > 0; look += 1) {
    const busy = await lookAt(tabs, depth, look < LOOKS);
    if (busy.length === 0) return;
    await pause(LEAVES_WITHIN_MS);
    tabs = (await Promise.all(busy.map((tab_id) => tabOf(tab_id)))).filter((tab) => tab !== null);
  }
}

/**
 * @param {chrome.tabs.Tab[]} tabs
 * @param {'page' | 'frames'} depth
 * @param {boolean} patiently Whether tabs that are on their way elsewhere are let go first: what they
 *   open is decided as it is opened.
 * @returns {Promise<number[]>} The ids of those.
 */
async function lookAt(tabs, depth, patiently) {
  const now_ms = now();
  /** @type {number[]} */
  const busy = [];
  await Promise.all(
    tabs.map(async ({ id, url }) => {
      if (id === undefined || url === undefined || url === '') return;
      // A page that is open by now comes back by itself; another reason shows another page.
      const address = isBlockPage(url) ? nextAddress(url, id, now_ms) : addressInstead(url, id, now_ms);
      if (address === null) {
        if (depth === 'frames' && !isBlockPage(url) && (await hasBlockedFrame(id))) await reload(id);
        return;
      }
      const tab = await tabOf(id);
      if (tab === null) return;
      const on_its_way = tab.url !== url || (tab.pendingUrl !== undefined && tab.pendingUrl !== url);
      if (patiently && on_its_way) {
        busy.push(id);
        return;
      }
      noteSentByUs(id, isBlockPage(url) ? address : url, now_ms);
      await navigate(id, address);
      await seeItLeave(id, url);
    }),
  );
  return busy;
}

/**
 * A page may ask whether it shall really be left, and somebody may answer no: its tab
 * is replaced then.
 * @param {number} tab_id
 * @param {string} url
 */
async function seeItLeave(tab_id, url) {
  await pause(LEAVES_WITHIN_MS);
  const tab = await tabOf(tab_id);
  if (tab?.url !== url || isBlockPage(url)) return;
  const fresh_id = await replaceTab(tab);
  const address = fresh_id === null ? null : addressInstead(url, fresh_id, now());
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
      watchTransitions(changed).catch((error) => reportFault('a transition', error));
    }, Math.max(0, in_ms) + 5);
    awake_timer = setInterval(() => {
      stayAwake().catch((error) => reportFault('staying awake for a transition', error));
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
      frame.frameId !== 0 && !frame.errorOccurred && /^https?:/.test(frame.url) && verdict(frame.url, 'sub_frame', top?.url, now_ms) !== 'allow',
  );
}

/** @param {number} for_ms */
function pause(for_ms) {
  return new Promise((resolve) => setTimeout(resolve, for_ms));
}
