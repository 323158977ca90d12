// The queue: nothing lost, nothing doubled, never without bounds.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { seen, standIn } from './lib/browser.mjs';
import { memoryDatabase } from './lib/database.mjs';

standIn();
const stored = memoryDatabase();
const queue = await import('../../extension/queue.js');
const delivery = await import('../../extension/delivery.js');

const NOW = Date.parse('2026-09-07T10:00:00Z');
const MINUTE = 60_000;

/** @param {object} [more] */
const body = (more = {}) => /** @type {any} */ ({ kind: 'block', subject: 'p-1', cohort: 'year-9', url: { host: 'games.example', path: '/' }, type: 'main_frame', reason: { code: 'category', rule: 'lessons', category: 'games' }, period: null, count: 1, ...more });
const count = (more = {}) => body({ kind: 'count', subject: null, url: null, ...more });

/** A stand-in for the endpoint. */
const endpoint = {
  /** @type {any[]} */ taken: [],
  /** @type {(events: any[]) => any} */ answer: () => null,
};
const ACCEPT = (/** @type {any[]} */ events) => ({ state: 'accepted', settled: events.map((event) => event.id), retry_after_ms: null, server_ms: null, code: null, problem: null });
const LATER = () => ({ state: 'later', settled: [], retry_after_ms: null, server_ms: null, code: null, problem: 'down' });

/** @param {number} now_ms */
const run = (now_ms) =>
  delivery.run(
    async (events) => {
      const answered = endpoint.answer(events);
      endpoint.taken.push(...events.filter((event) => answered.settled.includes(event.id)));
      return answered;
    },
    () => now_ms,
  );

beforeEach(() => {
  stored.clear();
  for (const key of Object.keys(seen.local)) delete seen.local[key];
  endpoint.taken = [];
  endpoint.answer = ACCEPT;
});

test('what is added is on disk, with an id and its time', async () => {
  await queue.add(body(), NOW);
  const [event] = await queue.nextBatch(10, NOW);
  assert.match(event?.id ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(event?.at, '2026-09-07T10:00:00.000Z');
  assert.equal(event?.subject, 'p-1');
});

test('equal counts are added up, different ones kept apart', async () => {
  for (let index = 0; index < 40; index += 1) await queue.add(count({ type: 'image' }), NOW + index);
  await queue.add(count({ type: 'script', count: 3 }), NOW);
  assert.equal(await queue.waiting(), 2);
  await queue.sealCounts(NOW);
  const sealed = await queue.nextBatch(10, NOW);
  assert.deepEqual(sealed.map((event) => [event.type, event.count]), [['image', 40], ['script', 3]]);
  await queue.sealCounts(NOW);
  assert.equal(await queue.waiting(), 2, 'sealed once');
});

test('when the queue is full, events become counts, and none of them is lost', async () => {
  const rows = queue.MAX_EVENTS;
  const events = new Map(Array.from({ length: rows }, (_, index) => [`id-${index}`, { id: `id-${index}`, event: { id: `id-${index}` }, not_before_ms: 0 }]));
  await queue.add(body(), NOW);
  fill(events);
  for (let index = 0; index < 25; index += 1) await queue.add(body(), NOW);
  const counts = stored.all('counts');
  assert.equal(counts.length, 1);
  assert.equal(counts[0].body.count, 25);
  assert.deepEqual([counts[0].body.kind, counts[0].body.subject, counts[0].body.url], ['count', null, null]);
});

test('too many different counts fall together by kind', async () => {
  for (let index = 0; index < queue.MAX_COUNTS + 50; index += 1) await queue.add(count({ reason: { code: 'category', rule: `rule ${index}`, category: 'games' } }), NOW);
  const rows = stored.all('counts');
  assert.equal(rows.length, queue.MAX_COUNTS + 1);
  assert.equal(rows.reduce((sum, row) => sum + row.body.count, 0), queue.MAX_COUNTS + 50);
});

test('a delivery empties the queue in batches and drops what was acknowledged', async () => {
  for (let index = 0; index < 250; index += 1) await queue.add(body(), NOW + index);
  /** @type {number[]} */
  const sizes = [];
  endpoint.answer = (events) => {
    sizes.push(events.length);
    return ACCEPT(events);
  };
  await run(NOW + MINUTE);
  assert.deepEqual(sizes, [100, 100, 50]);
  assert.equal(await queue.waiting(), 0);
  assert.equal(new Set(endpoint.taken.map((event) => event.id)).size, 250);
});

test('a batch stays below the size that the endpoint takes', async () => {
  for (let index = 0; index < 60; index += 1) await queue.add(body({ url: { host: 'games.example', path: `/${'x'.repeat(8_000)}` } }), NOW + index);
  endpoint.answer = (events) => {
    assert.ok(JSON.stringify(events).length < 256 * 1024);
    return ACCEPT(events);
  };
  await run(NOW + MINUTE);
  assert.equal(await queue.waiting(), 0);
});

test('an event the endpoint left out of its answer is sent again', async () => {
  for (let index = 0; index < 3; index += 1) await queue.add(body(), NOW + index);
  let first = true;
  endpoint.answer = (events) => {
    const settled = first ? events.slice(0, 1) : events;
    first = false;
    return ACCEPT(settled);
  };
  await run(NOW + MINUTE);
  assert.equal(endpoint.taken.length, 3);
  assert.equal(new Set(endpoint.taken.map((event) => event.id)).size, 3);
});

test('a dead endpoint is asked ever more rarely, and gets everything in the end', async () => {
  for (let index = 0; index < 5; index += 1) await queue.add(body(), NOW + index);
  let asked = 0;
  endpoint.answer = () => {
    asked += 1;
    return LATER();
  };
  const week = 7 * 24 * 60;
  for (let minute = 0; minute < week; minute += 1) await run(NOW + minute * MINUTE);
  assert.ok(asked > 7 * 24 && asked < 7 * 24 * 5, `asked ${asked} times`);
  assert.equal(await queue.waiting(), 5);
  endpoint.answer = ACCEPT;
  await run(NOW + (week + 60) * MINUTE);
  assert.equal(endpoint.taken.length, 5);
  assert.equal((await delivery.pace()).failures, 0);
});

test('one unreadable event does not hold up the others, and is kept', async () => {
  for (let index = 0; index < 9; index += 1) await queue.add(body({ subject: `p-${index}` }), NOW + index);
  endpoint.answer = (events) => (events.some((event) => event.subject === 'p-4') ? { ...LATER(), state: 'refused' } : ACCEPT(events));
  await run(NOW + MINUTE);
  assert.deepEqual(endpoint.taken.map((event) => event.subject).sort(), ['p-0', 'p-1', 'p-2', 'p-3', 'p-5', 'p-6', 'p-7', 'p-8']);
  assert.equal(await queue.waiting(), 1);
  endpoint.answer = ACCEPT;
  await run(NOW + 25 * 60 * MINUTE);
  assert.equal(await queue.waiting(), 0);
});

test('a clock that was far ahead does not silence the device', async () => {
  await queue.add(body(), NOW);
  endpoint.answer = LATER;
  await run(NOW + 400 * 24 * 60 * MINUTE);
  endpoint.answer = ACCEPT;
  await run(NOW + MINUTE);
  assert.equal(endpoint.taken.length, 1);
});

/** @param {Map<string, any>} rows */
function fill(rows) {
  const events = stored.rows('events');
  for (const [id, row] of rows) events.set(id, row);
}
