// The product with a stopwatch around its listener. Only the copy that is measured has it.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import { createKey, packExtension } from '../lib/package.mjs';
import { root } from '../lib/product.mjs';

/** Calls that took this long or longer are slow; the worker's clock steps by 0.1 ms. */
const SLOW_MS = 0.2;
const KEPT_REQUESTS = 500;

const STOPWATCH = `
const calls = { all: 0, slow: 0 };
const kept = [];
let listener = () => ({});
const event = chrome.webRequest.onBeforeRequest;
const add = event.addListener;
event.addListener = function (callback, ...rest) {
  listener = callback;
  return add.call(this, (details) => {
    const before_ms = performance.now();
    const answer = callback(details);
    calls.all += 1;
    if (performance.now() - before_ms >= ${SLOW_MS} - 0.01) calls.slow += 1;
    if (kept.length < ${KEPT_REQUESTS} && details.url.includes('.bench.example')) kept.push(details);
    return answer;
  }, ...rest);
};
self.bench = {
  clear() { calls.all = 0; calls.slow = 0; kept.length = 0; },
  slowShare() { return calls.slow / calls.all; },
  async hasPack() {
    const database = await new Promise((resolve, reject) => {
      const opening = indexedDB.open('bellgate');
      opening.onupgradeneeded = () => opening.transaction.abort();
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    const count = await new Promise((resolve) => {
      const counting = database.transaction('packs').objectStore('packs').count();
      counting.onsuccess = () => resolve(counting.result);
    });
    database.close();
    return count > 0;
  },
  replay(wanted, batch) {
    const times_us = [];
    for (let done = 0; done < wanted; done += batch) {
      const before_ms = performance.now();
      for (let n = 0; n < batch; n += 1) listener(kept[(done + n) % kept.length]);
      times_us.push(((performance.now() - before_ms) * 1000) / batch);
    }
    times_us.sort((a, b) => a - b);
    return { median_us: times_us[times_us.length >> 1], calls: wanted };
  },
};
`;

/**
 * dist/bellgate with the stopwatch in front, packed under a key of its own.
 *
 * @param {string} folder
 */
export async function instrumentedExtension(folder) {
  const source = path.join(root, 'dist/bellgate');
  const copy = mkdtempSync(path.join(folder, 'instrumented-'));
  mkdirSync(copy, { recursive: true });
  cpSync(source, copy, { recursive: true });
  /** @type {Record<string, string | Buffer>} */
  const files = {};
  for (const name of /** @type {string[]} */ (readdirSync(copy, { recursive: true }))) {
    if (statSync(path.join(copy, name)).isFile()) files[name] = readFileSync(path.join(copy, name));
  }
  const manifest = JSON.parse(String(files['manifest.json']));
  delete manifest.key;
  manifest.update_url ??= 'http://127.0.0.1/updates.xml';
  const entry = manifest.background.service_worker;
  files['stopwatch.js'] = STOPWATCH;
  files['measured.js'] = `import './stopwatch.js';\nimport './${entry}';\n`;
  manifest.background.service_worker = 'measured.js';
  files['manifest.json'] = JSON.stringify(manifest);
  return packExtension(files, { folder, key: createKey() });
}
