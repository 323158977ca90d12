// The extensions that Bellgate's price is compared with.

import { createKey, packExtension } from '../lib/package.mjs';

const DOMAINS = 1_000_000;

const COMMON = {
  manifest_version: 3,
  version: '1.0',
  update_url: 'http://127.0.0.1/updates.xml',
  host_permissions: ['<all_urls>', 'ws://*/*', 'wss://*/*'],
  background: { service_worker: 'background.js' },
};

/**
 * A blocking listener that lets everything through: what listening alone costs.
 *
 * @param {string} folder
 */
export function trivialListener(folder) {
  const manifest = { ...COMMON, name: 'Trivial listener', permissions: ['webRequest', 'webRequestBlocking'] };
  const background = `chrome.webRequest.onBeforeRequest.addListener(
    () => ({}), { urls: ['<all_urls>', 'ws://*/*', 'wss://*/*'] }, ['blocking']);`;
  return packExtension({ 'manifest.json': JSON.stringify(manifest), 'background.js': background }, { folder, key: createKey() });
}

/**
 * One declarativeNetRequest rule with a million domains; its worker's global `ready` is
 * true once Chromium has taken it.
 *
 * @param {string} folder
 */
export function declarativeRules(folder) {
  const manifest = { ...COMMON, name: 'Declarative rules', permissions: ['declarativeNetRequest'] };
  const background = `
    self.ready = chrome.declarativeNetRequest.getDynamicRules().then(async (rules) => {
      if (rules.length > 0) return true;
      const requestDomains = Array.from({ length: ${DOMAINS} }, (_, number) => 'd' + number.toString(36) + '.example.net');
      await chrome.declarativeNetRequest.updateDynamicRules({
        addRules: [{ id: 1, action: { type: 'block' }, condition: { requestDomains } }],
      });
      return true;
    });`;
  return packExtension({ 'manifest.json': JSON.stringify(manifest), 'background.js': background }, { folder, key: createKey() });
}
