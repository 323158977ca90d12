// The one wrapper of the browser's APIs.
//
// Nothing here decides anything, and nothing runs when the module is loaded: the
// gate imports it before it has registered its listener. What exists on ChromeOS
// alone is looked for at each call, so the same package runs everywhere.

import { reportFault } from './faults.js';

/** @typedef {chrome.webRequest.OnBeforeRequestDetails} RequestDetails */
/** @typedef {chrome.webRequest.BlockingResponse} BlockingResponse */
/** @typedef {chrome.webNavigation.WebNavigationTransitionCallbackDetails} CommittedDetails */
/** @typedef {chrome.webNavigation.WebNavigationFramedErrorCallbackDetails} NavigationErrorDetails */

/** Where the page that pupils see lies in the package. */
export const BLOCK_PAGE_PATH = 'block/page.html';

/** What Chrome says of a tab that was closed meanwhile: nothing is left to be done. */
const GONE = /^No tab with id\b/;
/** What Chrome says while somebody holds a tab with the mouse. */
const HELD = /^Tabs cannot be (edited|moved) right now\b/;
const HELD_AT_MOST_MS = 60_000;
const HELD_LOOK_MS = 200;

/** The host the block page talks to; reserved, so it never leaves the browser. */
export const ANSWER_HOST = 'bellgate.invalid';

const EVERY_URL = ['<all_urls>', 'ws://*/*', 'wss://*/*'];

/** The extension's own id, as it stands in the URLs of events. */
export function ownId() {
  return chrome.runtime.id;
}

/** The version in the manifest. */
export function ownVersion() {
  return chrome.runtime.getManifest().version;
}

/** Chrome's version, such as `156.0.8078.79`. */
export function chromeVersion() {
  return /Chrome\/([\d.]+)/.exec(navigator.userAgent)?.[1] ?? 'unknown';
}

/** The block page's URL with the id that changes with every browser session. */
export function blockPageUrl() {
  return chrome.runtime.getURL(BLOCK_PAGE_PATH);
}

/** The language of the browser, such as `en-GB`. */
export function uiLanguage() {
  return chrome.i18n.getUILanguage();
}

// Requests and navigations.

/**
 * Hears of every request before it is made; what `listener` returns decides it.
 * @param {(details: RequestDetails) => BlockingResponse | Promise<BlockingResponse>} listener
 */
export function onRequest(listener) {
  // Chrome accepts a promise here, which its published types do not know.
  chrome.webRequest.onBeforeRequest.addListener(
    /** @type {(details: RequestDetails) => BlockingResponse} */ (listener),
    { urls: EVERY_URL },
    ['blocking'],
  );
}

/**
 * Hears of what the block page says, with the form it sends.
 * @param {(details: RequestDetails) => BlockingResponse | Promise<BlockingResponse>} listener
 */
export function onAnswer(listener) {
  chrome.webRequest.onBeforeRequest.addListener(
    /** @type {(details: RequestDetails) => BlockingResponse} */ (listener),
    { urls: [`https://${ANSWER_HOST}/*`] },
    ['blocking', 'requestBody'],
  );
}

/** @param {(details: CommittedDetails) => void} listener */
export function onCommitted(listener) {
  chrome.webNavigation.onCommitted.addListener(listener);
}

/** @param {(details: CommittedDetails) => void} listener */
export function onHistoryStateUpdated(listener) {
  chrome.webNavigation.onHistoryStateUpdated.addListener(listener);
}

/** @param {(details: CommittedDetails) => void} listener */
export function onFragmentUpdated(listener) {
  chrome.webNavigation.onReferenceFragmentUpdated.addListener(listener);
}

/** @param {(details: NavigationErrorDetails) => void} listener */
export function onNavigationError(listener) {
  chrome.webNavigation.onErrorOccurred.addListener(listener);
}

// Tabs.

/** Every open tab. */
export function openTabs() {
  return chrome.tabs.query({});
}

/** The tab in front, if there is a window. */
export async function activeTab() {
  const [tab] = await chrome.tabs.query({ active: true, lastFocusedWindow: true });
  return tab ?? null;
}

/**
 * The frames of a tab, with their URLs.
 * @param {number} tabId
 */
export async function framesOf(tabId) {
  return (await chrome.webNavigation.getAllFrames({ tabId })) ?? [];
}

/**
 * Takes a tab to `url`; false when the tab has gone meanwhile.
 * @param {number} tabId
 * @param {string} url
 */
export async function navigate(tabId, url) {
  return (await onTab(() => chrome.tabs.update(tabId, { url }))) !== null;
}

/** @param {number} tab_id */
export async function reload(tab_id) {
  await onTab(() => chrome.tabs.reload(tab_id));
}

/**
 * The tab with this id; null when it has gone.
 * @param {number} tab_id
 */
export async function tabOf(tab_id) {
  return (await onTab(() => chrome.tabs.get(tab_id))) ?? null;
}

/**
 * Puts an empty tab in the place of one that refuses to leave its page, and ends
 * that: a discarded page is not asked whether it would like to stay.
 * @param {chrome.tabs.Tab} stuck
 * @returns {Promise<number | null>} The id of the empty tab.
 */
export async function replaceTab(stuck) {
  const { id: stuck_id, index, windowId, active } = stuck;
  if (stuck_id === undefined) return null;
  const fresh = await chrome.tabs.create({ url: 'about:blank', index, windowId, active });
  if (active) await chrome.tabs.update(fresh.id ?? stuck_id, { active: true });
  const discarded = await onTab(() => chrome.tabs.discard(stuck_id));
  await onTab(() => chrome.tabs.remove(discarded?.id ?? stuck_id));
  return fresh.id ?? null;
}

/**
 * Does something with a tab; null when the tab has gone meanwhile. While somebody
 * holds it with the mouse Chrome refuses, so it is done again until they let go: else
 * a page could be kept over the bell by its tab. What else goes wrong is the caller's.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T | null>}
 */
export async function onTab(work) {
  for (let waited_ms = 0; ; waited_ms += HELD_LOOK_MS) {
    try {
      return await work();
    } catch (error) {
      const said = error instanceof Error ? error.message : '';
      if (GONE.test(said)) return null;
      if (!HELD.test(said) || waited_ms >= HELD_AT_MOST_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, HELD_LOOK_MS));
  }
}

// The second layer.

/** The rules that Chrome keeps for the extension. */
export function dynamicRules() {
  return chrome.declarativeNetRequest.getDynamicRules();
}

/**
 * Replaces rules in one update: there is no instant without either.
 * @param {number[]} removed_ids
 * @param {chrome.declarativeNetRequest.Rule[]} added
 */
export function replaceDynamicRules(removed_ids, added) {
  return chrome.declarativeNetRequest.updateDynamicRules({ removeRuleIds: removed_ids, addRules: added });
}

// Storage.

/** The settings that the school's administrator pushed. */
export async function managedSettings() {
  return /** @type {Record<string, unknown>} */ (await chrome.storage.managed.get());
}

/** @param {() => void} listener */
export function onManagedSettingsChanged(listener) {
  chrome.storage.onChanged.addListener((_changes, area) => {
    if (area === 'managed') listener();
  });
}

/**
 * Reads keys that outlast the browser session.
 * @param {string[]} keys
 */
export async function readKept(keys) {
  return /** @type {Record<string, unknown>} */ (await chrome.storage.local.get(keys));
}

/** @param {Record<string, unknown>} items */
export function keep(items) {
  return chrome.storage.local.set(items);
}

/**
 * Reads keys that end with the browser session.
 * @param {string[]} keys
 */
export async function readSession(keys) {
  return /** @type {Record<string, unknown>} */ (await chrome.storage.session.get(keys));
}

/** @param {Record<string, unknown>} items */
export function keepForSession(items) {
  return chrome.storage.session.set(items);
}

// Who and where.

/** The e-mail of the browser profile; null when nobody is signed in. */
export async function profileEmail() {
  const account = await chrome.identity.getProfileUserInfo({
    accountStatus: /** @type {chrome.identity.AccountStatus} */ ('ANY'),
  });
  return account.email || null;
}

/** @param {() => void} listener */
export function onSignInChanged(listener) {
  chrome.identity.onSignInChanged.addListener(() => listener());
}

/**
 * This device's local address as ChromeOS knows it; null elsewhere, on an
 * unmanaged device and without a network.
 */
export async function deviceAddress() {
  const attributes = chrome.enterprise?.networkingAttributes;
  if (attributes === undefined) return null;
  try {
    const details = await attributes.getNetworkDetails();
    return details.ipv4 || details.ipv6 || null;
  } catch {
    // Chrome refuses where there is no network and where nobody manages the device.
    // Either way the place is unknown, which is a state with rules of its own.
    return null;
  }
}

// Time.

/**
 * Wakes the worker at `when_ms`, or as soon as Chrome can.
 * @param {string} name
 * @param {number} when_ms Unix epoch milliseconds.
 */
export function wakeAt(name, when_ms) {
  return chrome.alarms.create(name, { when: when_ms });
}

/**
 * Wakes the worker again and again.
 * @param {string} name
 * @param {number} period_minutes At least half a minute.
 */
export function wakeEvery(name, period_minutes) {
  return chrome.alarms.create(name, { periodInMinutes: period_minutes });
}

/** @param {string} name */
export async function alarmExists(name) {
  return (await chrome.alarms.get(name)) !== undefined;
}

/** @param {(name: string) => void} listener */
export function onAlarm(listener) {
  chrome.alarms.onAlarm.addListener((alarm) => listener(alarm.name));
}

/** Any call of an extension API restarts Chrome's count of idle seconds. */
export async function stayAwake() {
  await chrome.runtime.getPlatformInfo();
}

// Life of the extension.

/**
 * Hears of every error and rejected promise that nobody else has dealt with.
 * @param {(what: string, error: unknown) => void} listener
 */
export function onStrayFault(listener) {
  globalThis.addEventListener('error', ({ error, message }) => listener('something', error ?? message));
  globalThis.addEventListener('unhandledrejection', ({ reason }) => listener('something promised', reason));
}

/** @param {() => void} listener */
export function onBrowserStart(listener) {
  chrome.runtime.onStartup.addListener(listener);
}

/** @param {() => void} listener */
export function onInstalled(listener) {
  chrome.runtime.onInstalled.addListener(() => listener());
}

/** @param {() => void} listener */
export function onUpdateAvailable(listener) {
  chrome.runtime.onUpdateAvailable.addListener(() => listener());
}

/** Ends this worker and starts the newest version. */
export function restart() {
  chrome.runtime.reload();
}

// Downloads.

/**
 * Hears of each download as it starts, and again when its name is known.
 * @param {(download: chrome.downloads.DownloadItem) => void} listener
 */
export function onDownload(listener) {
  chrome.downloads.onCreated.addListener(listener);
  chrome.downloads.onChanged.addListener(({ id, filename, mime }) => {
    if (filename === undefined && mime === undefined) return;
    chrome.downloads.search({ id }).then(
      ([download]) => download && listener(download),
      (error) => reportFault('looking at a download', error),
    );
  });
}

/**
 * Stops a download and removes what came of it.
 * @param {number} id
 */
export async function cancelDownload(id) {
  await chrome.downloads.cancel(id);
  const [download] = await chrome.downloads.search({ id });
  // A small file may have been complete before it could be stopped.
  if (download?.state === 'complete' && download.exists) await chrome.downloads.removeFile(id);
  await chrome.downloads.erase({ id });
}

// Messages and the toolbar.

/**
 * Tells the user something outside any page; the same `id` replaces what it said before.
 * @param {string} id
 * @param {{title: string, text: string}} words
 */
export async function notify(id, { title, text }) {
  await chrome.notifications.create(id, {
    type: 'basic',
    iconUrl: chrome.runtime.getURL('icons/128.png'),
    title,
    message: text,
    priority: 2,
  });
}

/**
 * Answers messages of the extension's own pages.
 * @param {(message: unknown, sender: chrome.runtime.MessageSender) => Promise<unknown> | null} listener
 *   Null when the message is not for this extension. What it promises never rejects.
 */
export function onMessage(listener) {
  chrome.runtime.onMessage.addListener((message, sender, respond) => {
    const answer = listener(message, sender);
    if (answer === null) return false;
    void answer.then(respond);
    return true;
  });
}

/**
 * Sends a message to the worker.
 * @param {{type: string} & Record<string, unknown>} message
 * @returns {Promise<unknown>}
 */
export function send(message) {
  return chrome.runtime.sendMessage(message);
}

/**
 * Shows a state on the toolbar.
 * @param {{title: string, badge: string, colour: string}} state
 */
export async function showOnToolbar({ title, badge, colour }) {
  await Promise.all([
    chrome.action.setTitle({ title }),
    chrome.action.setBadgeText({ text: badge }),
    chrome.action.setBadgeBackgroundColor({ color: colour }),
  ]);
}
