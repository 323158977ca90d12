// Faults behind the gate: none is swallowed, and none that is no fault is counted.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { standIn } from './lib/browser.mjs';

standIn();
const { onTab } = await import('../../extension/chrome.js');
const { backgroundFaults, reportFault } = await import('../../extension/faults.js');

const told = mock.method(console, 'error', () => {});

test('a fault is told and counted', () => {
  const before = backgroundFaults();
  reportFault('the pack', new Error('broken'));
  assert.equal(backgroundFaults(), before + 1);
  assert.match(String(told.mock.calls.at(-1)?.arguments[0]), /the pack failed/);
});

test('a tab that was closed meanwhile is no fault', async () => {
  assert.equal(await onTab(() => Promise.reject(new Error('No tab with id: 7.'))), null);
});

test('whatever else goes wrong with a tab is for the caller', async () => {
  await assert.rejects(onTab(() => Promise.reject(new Error('Cannot navigate to a devtools:// page.'))), /devtools/);
});

test('a tab that somebody holds with the mouse is tried again until they let go', async () => {
  let refusals = 3;
  const done = onTab(async () => {
    refusals -= 1;
    if (refusals >= 0) throw new Error('Tabs cannot be edited right now (user may be dragging a tab).');
    return 'moved';
  });
  assert.equal(await done, 'moved');
});
