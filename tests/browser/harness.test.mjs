// The harness itself, against a throwaway extension: what later tests take for granted.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Chromium } from './lib/chromium.mjs';
import { createKey, packExtension } from './lib/package.mjs';
import { PARTS, partsPage } from './lib/traffic.mjs';
import { UpdateServer } from './lib/update-server.mjs';
import { waitFor } from './lib/wait.mjs';
import { Web } from './lib/web.mjs';

const MANIFEST = {
  manifest_version: 3,
  name: 'Throwaway',
  version: '1.0',
  update_url: 'http://127.0.0.1/updates.xml',
  permissions: ['webRequest', 'webRequestBlocking', 'storage'],
  host_permissions: ['<all_urls>', 'ws://*/*', 'wss://*/*'],
  background: { service_worker: 'background.js' },
  storage: { managed_schema: 'schema.json' },
};
const SCHEMA = { type: 'object', properties: { word: { type: 'string' } } };
// Cancels every request whose address holds "forbidden" before its query, and tells the web server each managed value.
const BACKGROUND = `
chrome.webRequest.onBeforeRequest.addListener(
  ({ url }) => ({ cancel: url.split('?')[0].includes('forbidden') }),
  { urls: ['<all_urls>', 'ws://*/*', 'wss://*/*'] },
  ['blocking'],
);
chrome.storage.managed.onChanged.addListener((changes) => {
  if (changes.word?.newValue) fetch('https://told.example/' + changes.word.newValue);
});
`;

const folder = mkdtempSync(path.join(tmpdir(), 'bellgate-harness-'));
/** @type {Web} */
let web;
/** @type {Chromium} */
let chromium;
/** @type {import('./lib/package.mjs').PackedExtension} */
let extension;

before(async () => {
  web = await Web.start();
  extension = await packExtension(
    { 'manifest.json': JSON.stringify(MANIFEST), 'schema.json': JSON.stringify(SCHEMA), 'background.js': BACKGROUND },
    { folder, key: createKey() },
  );
  chromium = await Chromium.start({ extensions: [extension], web, managed: { word: 'first' } });
  // On a first install managed values arrive some seconds after the worker starts.
  await waitFor('the first value', () => web.count({ host: 'told.example', path: '/first' }));
});

after(async () => {
  await chromium?.close();
  await web?.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => web.clear());

test('a_forced_extension_blocks_and_the_server_counts_what_got_through', async () => {
  const page = await chromium.newPage();
  const open = await chromium.navigate(page, 'https://open.example/page');
  assert.deepEqual(open, { url: 'https://open.example/page', error: null });
  assert.equal(web.count({ host: 'open.example', path: '/page', type: 'document' }), 1);
  const closed = await chromium.navigate(page, 'https://open.example/forbidden');
  assert.equal(closed.error, 'ERR_BLOCKED_BY_CLIENT');
  assert.equal(web.count({ path: '/forbidden' }), 0);
  await page.close();
});

test('sub_resources_of_each_kind_reach_the_server_under_their_type', async () => {
  web.serve(({ host, path: where }) =>
    host === 'parts.example' && where === '/'
      ? {
          body: `<!doctype html><title>parts</title><img src="https://image.example/a.gif">
            <iframe src="https://frame.example/"></iframe><script src="https://script.example/a.js"></script>
            <script>
              const socket = new WebSocket('wss://socket.example/echo');
              socket.onopen = () => socket.send('hello');
              socket.onmessage = ({ data }) => { document.title = data; };
              fetch('https://fetch.example/a.json');
            </script>`,
        }
      : undefined,
  );
  const page = await chromium.newPage();
  await chromium.navigate(page, 'https://parts.example/');
  await waitFor('the echo', async () => (await page.title()) === 'hello');
  const wanted = { image: 'image', frame: 'iframe', script: 'script', socket: 'websocket', fetch: 'empty' };
  for (const [name, type] of Object.entries(wanted)) {
    assert.equal(web.count({ host: `${name}.example`, type }), 1, `${name} as ${type}`);
  }
  await page.close();
});

test('every_kind_of_part_reaches_an_open_host_and_none_a_forbidden_one', async () => {
  web.serve(partsPage('parts-page.example'));
  const page = await chromium.newPage();
  for (const from of ['open-parts.example', 'forbidden-parts.example']) {
    await chromium.navigate(page, `https://parts-page.example/parts?from=${from}`);
    await waitFor('every part to settle', async () => (await page.title()) === 'done');
    const arrived = Object.entries(PARTS).filter(([, part]) => web.count({ host: from, path: part.path }) > 0);
    const expected = from.startsWith('open') ? Object.keys(PARTS) : [];
    assert.deepEqual(arrived.map(([kind]) => kind), expected, from);
  }
  await page.close();
});

test('an_http_address_reaches_the_plain_server_and_no_other_name_is_resolved', async () => {
  const page = await chromium.newPage();
  assert.equal((await chromium.navigate(page, 'http://plain.example/x')).error, null);
  assert.equal((await chromium.navigate(page, 'https://plain.example:8443/')).error, 'ERR_NAME_NOT_RESOLVED');
  await page.close();
});

test('a_changed_managed_value_arrives_within_a_second', async () => {
  const before_ms = performance.now();
  chromium.setManaged({ word: 'second' });
  await waitFor('the new value', () => web.count({ host: 'told.example', path: '/second' }));
  const took_ms = performance.now() - before_ms;
  assert.ok(took_ms < 1000, `took ${Math.round(took_ms)} ms`);
  assert.deepEqual(await chromium.evaluateInWorker('chrome.storage.managed.get()'), { word: 'second' });
});

test('a_stopped_worker_is_gone_until_a_request_wakes_it', async () => {
  await chromium.stopWorker();
  assert.equal(await chromium.worker(), undefined);
  const page = await chromium.newPage();
  const closed = await chromium.navigate(page, 'https://open.example/forbidden');
  assert.equal(closed.error, 'ERR_BLOCKED_BY_CLIENT');
  assert.equal(web.count({ path: '/forbidden' }), 0);
  assert.ok(await chromium.worker());
  await page.close();
});

test('a_killed_extension_process_is_replaced', async () => {
  const [killed] = chromium.extensionProcesses();
  assert.ok(chromium.killExtensionProcesses() >= 1);
  await waitFor('the process to be gone', () => !chromium.extensionProcesses().includes(killed));
  const page = await chromium.newPage();
  assert.equal((await chromium.navigate(page, 'https://open.example/forbidden')).error, 'ERR_BLOCKED_BY_CLIENT');
  await page.close();
});

test('a_restart_keeps_the_profile_and_the_extension', async () => {
  const page = await chromium.newPage();
  await chromium.navigate(page, 'https://open.example/');
  await page.evaluate(() => localStorage.setItem('kept', 'yes'));
  await chromium.restart();
  const again = await chromium.newPage();
  await chromium.navigate(again, 'https://open.example/');
  assert.equal(await again.evaluate(() => localStorage.getItem('kept')), 'yes');
  assert.equal((await chromium.navigate(again, 'https://open.example/forbidden')).error, 'ERR_BLOCKED_BY_CLIENT');
  await again.close();
});

test('a_page_can_be_served_by_its_own_service_worker', async () => {
  web.serve(({ host, path: where }) => {
    if (host !== 'own-worker.example') return undefined;
    if (where === '/sw.js') {
      return {
        type: 'text/javascript',
        body: `addEventListener('install', () => skipWaiting());
          addEventListener('activate', (event) => event.waitUntil(clients.claim()));
          addEventListener('fetch', (event) => {
            if (event.request.mode === 'navigate' && event.request.url.endsWith('/inside'))
              event.respondWith(new Response('<title>from the worker</title>', { headers: { 'content-type': 'text/html' } }));
          });`,
      };
    }
    return { body: `<!doctype html><title>out</title><script>navigator.serviceWorker.register('/sw.js')
      .then(() => navigator.serviceWorker.ready).then(() => { document.title = 'ready'; })</script>` };
  });
  const page = await chromium.newPage();
  await chromium.navigate(page, 'https://own-worker.example/');
  await waitFor('the page’s worker', async () => (await page.title()) === 'ready');
  await chromium.navigate(page, 'https://own-worker.example/inside');
  assert.equal(await page.title(), 'from the worker');
  assert.equal(web.count({ host: 'own-worker.example', path: '/inside' }), 0);
  await page.close();
});

test('nothing_is_written_to_the_real_policy_folder', async () => {
  assert.equal(existsSync('/etc/chromium/policies/managed/run.json'), false);
  const updates = await UpdateServer.start([extension]);
  const answer = await (await fetch(updates.url)).text();
  assert.match(answer, new RegExp(extension.id));
  await updates.close();
});

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGKILL'])) {
  test(`a_runner_ended_by_${signal}_leaves_no_process_and_no_folder`, async () => {
    const runner = spawn(process.execPath, [fileURLToPath(new URL('lib/run-idle.mjs', import.meta.url))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise((resolve) => runner.stdout.once('data', (chunk) => resolve(String(chunk))));
    const { group, folder: left } = JSON.parse(line);
    assert.ok(statSync(left).isDirectory());
    assert.match(readFileSync(`/proc/${group}/cmdline`, 'utf8'), /remote-debugging-pipe/);
    runner.kill(signal);
    await waitFor('the folder to be removed', () => !existsSync(left));
    assert.throws(() => process.kill(-group, 0), /ESRCH/);
  });
}
