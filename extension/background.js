// Where everything is put together. The gate comes first: evaluating it registers
// the listener that every request passes, before anything below can go wrong. All
// other listeners are registered here, synchronously, so that Chrome wakes the
// worker for them.

import { answer } from './gate.js';
import * as browser from './chrome.js';
import { readAddress } from './address.js';
import { onAnswer } from './answers.js';
import { hearTime, loadClock, now, tick } from './clock.js';
import { contextFor, loadContext, refreshContext } from './context.js';
import { DELIVERY_ALARM, deliverSoon, run as runDelivery } from './delivery.js';
import { askAgain, enforce, waitFor } from './enforce.js';
import { checkDownload } from './downloads.js';
import { deliver, unreachable } from './endpoint.js';
import { heedRefusal, signerFor } from './enrolment.js';
import { setContext, setSubjectKey, standing, startEngine, subjectAt } from './engine.js';
import { noteCommit, startEvents } from './events.js';
import { isBlockPage, openGate } from './gate.js';
import { reportFault } from './faults.js';
import { beat } from './health.js';
import { mirror } from './mirror.js';
import { handle } from './pages.js';
import { fetchPack, FETCH_EVERY_MS, loadPack, packState, wholePack } from './pack.js';
import { currentSettings, loadPolicy, refreshPolicy } from './policy.js';
import { checkCommitted } from './stray.js';
import { loadTickets } from './tickets.js';
import { refreshToolbar } from './toolbar.js';
import { lookAtTabs, TRANSITION_ALARM, watchTransitions } from './transitions.js';

void answer; // Imported first, for its listener.

const ABORTED = 'net::ERR_ABORTED';
const PULSE_ALARM = 'pulse';
const PULSE_MINUTES = 0.5;
const UPDATE_WAITS = 'update_waits';
/** What requests wait for at most: what is not read by then counts as missing. */
const START_WITHIN_MS = 6_000;

browser.onStrayFault(reportFault);
browser.onAnswer(onAnswer);

browser.onCommitted((details) =>
  whenStarted('a navigation', () => {
    const shown = isBlockPage(details.url) ? readAddress(details.url) : null;
    if (shown === null) return checkCommitted(details);
    return noteCommit(shown.token, details);
  }),
);
browser.onHistoryStateUpdated((details) => whenStarted('a navigation', () => checkCommitted(details)));
browser.onFragmentUpdated((details) => whenStarted('a navigation', () => checkCommitted(details)));
browser.onNavigationError((details) =>
  whenStarted('a failed navigation', () => {
    // Not what another navigation has overtaken: that is where the tab should be.
    // F5 and Back into a block page that a page's own navigation led to, and what
    // the second layer sent to the reserved host while no worker was there.
    if (details.frameId !== 0 || details.error === ABORTED) return undefined;
    return askAgain(details.tabId, details.url);
  }),
);
browser.onDownload((download) => whenStarted('a download', () => checkDownload(download)));

browser.onManagedSettingsChanged(() => guard('new settings', applyManaged));
browser.onSignInChanged(() => guard('a sign-in', applyContext));
browser.onAlarm((name) => guard(`the alarm ${name}`, () => onAlarm(name)));
browser.onMessage(handle);
browser.onInstalled(() => guard('the installation', () => ready));
browser.onBrowserStart(() => {});
browser.onUpdateAvailable(() => guard('an update', noteUpdate));

openGate(enforce);

const ready = start();
const enough = Promise.race([ready, new Promise((resolve) => setTimeout(resolve, START_WITHIN_MS))]);
waitFor(enough);

/** Makes everything ready that decisions need; what fails is missing, nothing else. */
async function start() {
  await guard('the engine', () => startEngine(() => waitFor(guard('the pack', loadPack))));
  startEvents(() => guard('delivery', () => deliverSoon(sendQueue, Date.now())));
  await Promise.all([
    guard('the clock', loadClock),
    guard('the policy', loadPolicy),
    guard('the context', loadContext),
    guard('tickets', loadTickets),
  ]);
  await guard('the context', applyKnownContext);
  await guard('the pack', loadPack);
  guard('the second layer', mirrorNow);
  // Nothing waits for what follows.
  guard('settings', applyManaged);
  // What was opened while no worker ran, or while its process was being killed.
  guard('open tabs', () => lookAtTabs('page'));
  guard('the pulse', async () => {
    if (!(await browser.alarmExists(PULSE_ALARM))) await browser.wakeEvery(PULSE_ALARM, PULSE_MINUTES);
    await onAlarm(PULSE_ALARM);
  });
}

/** Takes over managed settings and all that hangs on them. */
async function applyManaged() {
  const changed = await refreshPolicy();
  await applyContext();
  if (changed) {
    await rulesChanged();
    await watchTransitions(rulesChanged);
    await lookAtTabs('frames');
  }
  await fetchPackNow();
  await refreshToolbar();
}

/** Asks who and where, and hands it to the engine. */
async function applyContext() {
  await refreshContext();
  applyKnownContext();
  await watchTransitions(rulesChanged);
  // Somebody else may have signed in under the same rule.
  await guard('the second layer', mirrorNow);
}

function applyKnownContext() {
  const settings = currentSettings();
  setContext(contextFor(settings));
  setSubjectKey(settings.enrolment_key ?? '');
}

async function fetchPackNow() {
  const newer = await fetchPack(now(), (server_ms) => guard('the clock', () => hear(server_ms)));
  if (!newer) return;
  await guard('the second layer', mirrorNow);
  await lookAtTabs('frames');
}

/** @param {number} server_ms */
async function hear(server_ms) {
  if (await hearTime(server_ms, Date.now())) applyKnownContext();
}

/** @param {string} name */
async function onAlarm(name) {
  await ready;
  if (name === TRANSITION_ALARM) return watchTransitions(rulesChanged);
  if (name === DELIVERY_ALARM) return sendQueue();
  if (name !== PULSE_ALARM) return undefined;
  // None of these hangs on another, so none may keep another from happening.
  await guard('the clock', async () => {
    if (await tick(Date.now())) applyKnownContext();
  });
  await guard('the context', applyContext);
  if (now() - packState().checked_at_ms >= FETCH_EVERY_MS) await guard('the pack', fetchPackNow);
  await guard('the sign of life', () => beat(now(), PULSE_MINUTES, standing(now()).managed));
  await guard('delivery', sendQueue);
  await guard('the toolbar', refreshToolbar);
  return updateOutsideSchool();
}

/** Another rule holds, or may: everything that follows from it. */
async function rulesChanged() {
  guard('the toolbar', refreshToolbar);
  // Before tabs are sent anywhere, so that what is open now is not sent round.
  await guard('the second layer', mirrorNow);
}

/** Brings the second layer up to what holds now. */
async function mirrorNow() {
  await wholePack();
  const now_ms = now();
  return mirror(standing(now_ms), now_ms);
}

/** Sends what is queued, in school hours only: outside them no request carries an identity. */
async function sendQueue() {
  const settings = currentSettings();
  const { endpoint } = settings;
  if (endpoint === null || !standing(now()).managed) return;
  await runDelivery(async (events) => {
    const now_ms = now();
    let delivery;
    try {
      const signer = await signerFor(settings, subjectAt(now_ms));
      delivery = await deliver({ endpoint, tenant: settings.tenant ?? 'school', events, now_ms, signer });
    } catch (error) {
      return unreachable(error);
    }
    if (delivery.server_ms !== null) await hear(delivery.server_ms);
    await heedRefusal(delivery.code);
    return delivery;
  }, now);
}

/** A newer version waits until a gap without a filter does no harm. */
async function noteUpdate() {
  await browser.keepForSession({ [UPDATE_WAITS]: true });
  await ready;
  await updateOutsideSchool();
}

async function updateOutsideSchool() {
  const waits = (await browser.readSession([UPDATE_WAITS]))[UPDATE_WAITS];
  if (waits === true && !standing(now()).managed) browser.restart();
}

/**
 * Runs `work` once policy, context and lists are there: what happened while no worker
 * ran must not be judged by a core that has nothing yet.
 * @param {string} what
 * @param {() => unknown} work
 */
function whenStarted(what, work) {
  return guard(what, async () => {
    await enough;
    await wholePack();
    await work();
  });
}

/**
 * Runs `work`; what goes wrong is told, and goes no further.
 * @param {string} what
 * @param {() => unknown} work
 * @returns {Promise<void>}
 */
async function guard(what, work) {
  try {
    await work();
  } catch (error) {
    reportFault(what, error);
  }
}
