// As much of Chrome as modules need to be loaded under Node: enough for logic that the
// browser does not matter for. What does matter is tested in tests/browser.

import { webcrypto } from 'node:crypto';

export const OWN_ID = 'abcdefghijklmnopabcdefghijklmnop';
export const BLOCK_PAGE = 'chrome-extension://00000000-0000-4000-8000-000000000000/block/page.html';

/** What was registered and kept. */
export const seen = {
  /** @type {((details: any) => any)[]} */ listeners: [],
  /** @type {Record<string, unknown>} */ local: {},
  /** @type {Record<string, unknown>} */ session: {},
};

/** @param {Record<string, unknown>} items */
const area = (items) => ({
  get: async (/** @type {string[]} */ keys) => Object.fromEntries(keys.filter((key) => key in items).map((key) => [key, structuredClone(items[key])])),
  set: async (/** @type {Record<string, unknown>} */ values) => void Object.assign(items, structuredClone(values)),
});

/** Puts the stand-in where modules look for Chrome; call it before importing them. */
export function standIn() {
  // Debian 12's Node 18 keeps it out of the globals.
  if (globalThis.crypto === undefined) Object.defineProperty(globalThis, 'crypto', { value: webcrypto });
  const base64 = {
    fromBase64: (/** @type {string} */ text, { alphabet = 'base64' } = {}) => {
      if (!(alphabet === 'base64url' ? /^[\w-]*={0,2}$/ : /^[\w+/]*={0,2}$/).test(text)) throw new SyntaxError('not base64');
      return new Uint8Array(Buffer.from(text, /** @type {BufferEncoding} */ (alphabet)));
    },
  };
  Object.assign(Uint8Array, { fromBase64: base64.fromBase64 });
  Object.defineProperty(Uint8Array.prototype, 'toBase64', {
    configurable: true,
    value(/** @type {{alphabet?: BufferEncoding}} */ { alphabet = 'base64' } = {}) {
      return Buffer.from(this).toString(alphabet);
    },
  });
  Object.assign(globalThis, {
    chrome: {
      runtime: {
        id: OWN_ID,
        getURL: () => BLOCK_PAGE,
        getManifest: () => ({ version: '1.2.3' }),
      },
      i18n: { getUILanguage: () => 'en-GB' },
      webRequest: { onBeforeRequest: { addListener: (/** @type {any} */ listener) => seen.listeners.push(listener) } },
      storage: { local: area(seen.local), session: area(seen.session) },
      alarms: { create: async () => {} },
    },
  });
}
