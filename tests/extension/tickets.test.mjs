// One-time tokens: what the block page may say counts for its own frame, once.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { seen, standIn } from './lib/browser.mjs';

standIn();
const { loadTickets, MAX_TICKETS, mint, redeem, show, ticketOf } = await import('../../extension/tickets.js');

/** @param {object} [more] */
const ticket = (more = {}) =>
  mint(/** @type {any} */ ({ tab_id: 3, frame_id: 0, url: 'https://page.example/', kind: 'notice', category: null, version: null, because: '', at_ms: 0, ...more }));

test('a token counts in the frame it was given to, and nowhere else', () => {
  const { token } = ticket();
  assert.equal(redeem(token, 4, 0), null, 'another tab');
  assert.equal(redeem(token, 3, 1), null, 'another frame');
  assert.equal(redeem('made-up', 3, 0), null);
  assert.equal(redeem(token, 3, 0)?.url, 'https://page.example/');
});

test('a token counts once', () => {
  const { token } = ticket();
  assert.notEqual(redeem(token, 3, 0), null);
  assert.equal(redeem(token, 3, 0), null);
});

test('a page is shown once with its token; again it is decided anew', () => {
  const { token } = ticket();
  assert.deepEqual([show(token), show(token), show('made-up')], [true, false, false]);
});

test('the next worker of the session knows the tokens, and only so many are kept', async () => {
  const kept = { ...ticket(), token: 'from-an-earlier-worker' };
  seen.session['tickets'] = [kept];
  await loadTickets();
  assert.equal(redeem('from-an-earlier-worker', 3, 0)?.kind, 'notice');
  const { token } = ticket();
  for (let count = 0; count < MAX_TICKETS; count += 1) ticket();
  assert.equal(ticketOf(token), null);
});
