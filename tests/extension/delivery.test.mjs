// What is sent when, and what may be dropped afterwards.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { standIn } from './lib/browser.mjs';

standIn();
const { delayAfter } = await import('../../extension/delivery.js');
const { joined, readAnswer } = await import('../../extension/endpoint.js');
const { asCount } = await import('../../extension/queue.js');
const { uuidV7 } = await import('../../extension/uuid.js');

const EVENTS = /** @type {any} */ ([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);

/**
 * @param {number} status
 * @param {unknown} body
 * @param {Record<string, string>} [headers]
 */
const answer = (status, body, headers = {}) => readAnswer(new Response(JSON.stringify(body), { status, headers }), EVENTS);

test('exactly the acknowledged ids are settled, and only such as were sent', async () => {
  const delivery = await answer(200, { stored: ['a'], duplicate: ['b', 'zzz'], rejected: [{ id: 'c', code: 'invalid_host' }] });
  assert.deepEqual([delivery.state, delivery.settled], ['accepted', ['a', 'b', 'c']]);
  const partly = await answer(200, { stored: ['b'], duplicate: [], rejected: [] });
  assert.deepEqual(partly.settled, ['b']);
  assert.ok(partly.problem);
});

test('an answer that acknowledges nothing settles nothing', async () => {
  for (const body of [null, [], 'ok', {}, { stored: 'a' }, { stored: [1, null, { id: 2 }] }]) {
    const delivery = await answer(200, body);
    assert.deepEqual([delivery.state, delivery.settled], ['later', []], JSON.stringify(body));
  }
});

test('a batch that cannot be read is halved, everything else is sent again', async () => {
  for (const status of [413, 422]) assert.equal((await answer(status, {})).state, 'refused', `${status}`);
  for (const status of [400, 401, 403, 404, 408, 415, 429, 500, 502, 503]) {
    const delivery = await answer(status, { stored: ['a'] });
    assert.deepEqual([delivery.state, delivery.settled], ['later', []], `${status}`);
  }
});

test('a batch of another device is signed again, not halved', async () => {
  const delivery = await answer(422, { error: { code: 'wrong_device', message: 'm', path: '/device' } });
  assert.deepEqual([delivery.state, delivery.code], ['later', 'wrong_device']);
});

test('retry-after is heard in both its forms', async () => {
  const date = 'Mon, 07 Sep 2026 08:00:00 GMT';
  assert.equal((await answer(503, {}, { 'retry-after': '7' })).retry_after_ms, 7_000);
  assert.equal((await answer(503, {}, { date, 'retry-after': 'Mon, 07 Sep 2026 08:01:00 GMT' })).retry_after_ms, 60_000);
  assert.equal((await answer(503, {}, { 'retry-after': 'soon' })).retry_after_ms, null);
  assert.equal((await answer(503, {}, { date })).server_ms, Date.parse(date));
});

test('waits double up to half an hour, spread over half of themselves', () => {
  assert.equal(delayAfter(1, null, 0), 1_000);
  assert.ok(delayAfter(1, null, 0.999) < 2_000);
  assert.equal(delayAfter(5, null, 0), 16_000);
  assert.equal(delayAfter(400, null, 0), 15 * 60_000);
  assert.ok(delayAfter(400, null, 0.999) < 30 * 60_000);
});

test('what the endpoint asks for is never undercut, nor obeyed for ever', () => {
  assert.ok(delayAfter(1, 60_000, 0) >= 60_000);
  assert.ok(delayAfter(1, 10 ** 12, 0.5) <= 25 * 3_600_000);
});

test('ids are version 7, unique and in order even within a millisecond and after a step back', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => uuidV7(1_700_000_000_000 - (index > 5_000 ? 1_000 : 0)));
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(Number.parseInt((ids[0] ?? '').replaceAll('-', '').slice(0, 12), 16), 1_700_000_000_000);
});

test('a count carries no name, no address and no words', () => {
  const count = asCount(
    /** @type {any} */ ({ kind: 'block', subject: 'p', url: { host: 'a.example', path: null }, entry_key: 'k', comment: 'c', count: 1, cohort: 'year-9' }),
  );
  assert.deepEqual(count, { kind: 'count', subject: null, url: null, entry_key: null, comment: null, count: 1, cohort: 'year-9' });
});

test('a path is joined below any base', () => {
  assert.equal(joined('https://school.example', '/v1/events'), 'https://school.example/v1/events');
  assert.equal(joined('https://school.example/bellgate/', '/v1/events'), 'https://school.example/bellgate/v1/events');
});
