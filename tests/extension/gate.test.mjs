// The gate: whatever goes wrong behind it is answered with a block.

import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';

import { BLOCK_PAGE, OWN_ID, seen, standIn } from './lib/browser.mjs';

standIn();
const gate = await import('../../extension/gate.js');

/** @param {Partial<chrome.webRequest.OnBeforeRequestDetails>} details */
const ask = (details) =>
  gate.answer(
    /** @type {any} */ ({ url: 'https://page.example/', type: 'main_frame', tabId: 1, frameId: 0, initiator: undefined, ...details }),
  );

afterEach(() => mock.timers.reset());

// Faults are reported to the console; here they are expected.
mock.method(console, 'error', () => {});

test('the listener stands as soon as the module is loaded', () => {
  assert.equal(seen.listeners.length, 1);
  assert.equal(seen.listeners[0], gate.answer);
});

test('before the decision is there everything is blocked but help and sign-in', () => {
  assert.deepEqual(ask({}), { redirectUrl: `${BLOCK_PAGE}#` });
  assert.deepEqual(ask({ type: 'image' }), { cancel: true });
  assert.deepEqual(ask({ url: 'https://www.childline.org.uk/' }), {});
  assert.deepEqual(ask({ url: 'https://accounts.google.com/signin' }), {});
});

test('a decision that throws blocks', () => {
  const before = gate.faultCount();
  gate.openGate(() => {
    throw new Error('broken');
  });
  assert.deepEqual(ask({}), { redirectUrl: `${BLOCK_PAGE}#` });
  assert.deepEqual(ask({ type: 'websocket', url: 'wss://page.example/' }), { cancel: true });
  assert.deepEqual(ask({ url: 'https://www.samaritans.org/' }), {});
  assert.equal(gate.faultCount(), before + 3);
});

test('a decision that rejects blocks', async () => {
  gate.openGate(() => Promise.reject(new Error('broken')));
  assert.deepEqual(await ask({}), { redirectUrl: `${BLOCK_PAGE}#` });
});

test('a decision that never comes blocks long before Chrome lets the request go', async () => {
  const enable = /** @type {(apis: unknown) => void} */ (mock.timers.enable.bind(mock.timers));
  // Node 18 wants the names alone.
  if (process.versions.node.startsWith('18.')) enable(['setTimeout']);
  else enable({ apis: ['setTimeout'] });
  gate.openGate(() => new Promise(() => {}));
  const answered = ask({ type: 'script' });
  mock.timers.tick(gate.DENY_AFTER_MS);
  assert.deepEqual(await answered, { cancel: true });
  assert.ok(gate.DENY_AFTER_MS <= 15_000);
});

test('details that make no sense block', () => {
  gate.openGate(() => {
    throw new Error('broken');
  });
  assert.deepEqual(gate.answer(/** @type {any} */ (undefined)), { cancel: true });
});

test('a tab that the worker sends somewhere is no request of the worker', () => {
  const initiator = `chrome-extension://${OWN_ID}`;
  const details = (/** @type {object} */ more) => /** @type {any} */ ({ url: 'https://page.example/', initiator, ...more });
  assert.equal(gate.isOwn(details({ type: 'main_frame', tabId: 3 })), false);
  assert.equal(gate.isOwn(details({ type: 'main_frame', tabId: -1 })), false);
  assert.equal(gate.isOwn(details({ type: 'xmlhttprequest', tabId: 3 })), false);
  assert.equal(gate.isOwn(details({ type: 'xmlhttprequest', tabId: -1 })), true);
  assert.equal(gate.isOwn(details({ type: 'xmlhttprequest', tabId: -1, initiator: 'https://page.example' })), false);
});
