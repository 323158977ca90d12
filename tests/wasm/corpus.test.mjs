// The corpus through the core as the extension ships it: compiled to wasm.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { standIn } from '../extension/lib/browser.mjs';
import { buildPacks, contextOf, differences, readCorpus, root } from './lib/corpus.mjs';

standIn();
const { Engine, initSync } = await import('../../extension/wasm/bellgate.js');
const { RESOURCE_TYPES } = await import('../../extension/resource-types.js');

/** So that none can vanish. */
const LEAST_CASES = 536;
const ACTIONS = ['allow', 'block', 'notice'];
/** The verdict on what may be listed in the part of a pack that is not there yet. */
const PENDING = 255;

const module = readFileSync(path.join(root, 'extension/wasm/bellgate.wasm'));
const { memory } = initSync({ module });
const packs = buildPacks();
const corpus = readCorpus();

/** @param {string} policy From the repository's root. */
function engineWith(policy) {
  const engine = new Engine();
  const report = engine.set_policy(readFileSync(path.join(root, policy), 'utf8'));
  assert.deepEqual(report.errors, [], policy);
  engine.set_built_in_pack(packs.built_in);
  const taken = engine.set_school_pack(packs.school, packs.keys, 0);
  assert.equal(taken.ok, true, String(taken.error));
  return engine;
}

/** @param {import('./lib/corpus.mjs').Case} one */
const numberOfType = (one) => {
  const number = RESOURCE_TYPES.indexOf(/** @type {any} */ (one.type ?? 'main_frame'));
  assert.notEqual(number, -1, `${one.name}: unknown type ${one.type}`);
  return number;
};

/**
 * Writes a text into a buffer of the engine, as extension/engine.js does.
 * @param {number} at
 * @param {string} text
 */
const put = (at, text) => new TextEncoder().encodeInto(text, new Uint8Array(memory.buffer, at)).written;

/**
 * @param {InstanceType<typeof Engine>} engine
 * @param {import('./lib/corpus.mjs').Case} one
 */
function verdictOn(engine, one) {
  const initiator = one.initiator ?? '';
  const initiator_at = engine.initiator_buffer(initiator.length * 3);
  const url_at = engine.url_buffer(one.url.length * 3);
  return engine.verdict(put(url_at, one.url), numberOfType(one), put(initiator_at, initiator), Date.parse(one.at));
}

for (const { name, policy, case: cases } of corpus) {
  test(`${name}: every case is decided as it states`, () => {
    const engine = engineWith(policy);
    const wrong = [];
    for (const one of cases) {
      engine.set_context(contextOf(one));
      const decision = engine.decide(one.url, numberOfType(one), one.initiator, Date.parse(one.at));
      const different = differences(one, decision);
      if (different.length > 0) wrong.push(`${one.name}: ${different.join('; ')}`);
    }
    assert.deepEqual(wrong, [], `${wrong.length} of ${cases.length} cases`);
  });

  test(`${name}: the quick verdict agrees with the whole decision`, () => {
    const engine = engineWith(policy);
    for (const one of cases) {
      engine.set_context(contextOf(one));
      assert.equal(ACTIONS[verdictOn(engine, one) & 3], one.action, one.name);
    }
  });
}

test('no case has vanished', () => {
  const count = corpus.reduce((sum, { case: cases }) => sum + cases.length, 0);
  assert.ok(count >= LEAST_CASES, `only ${count} cases`);
});

test('a school pack that no key has signed is refused', () => {
  const engine = new Engine();
  assert.equal(engine.set_school_pack(packs.built_in, packs.keys, 0).ok, false);
  const changed = packs.school.slice();
  const last = changed.length - 1;
  changed[last] = (changed[last] ?? 0) ^ 1;
  assert.equal(engine.set_school_pack(changed, packs.keys, 0).ok, false);
});

test('a pack opened by its first part decides what it can, and nothing waits for a rest that does not fit', () => {
  const { policy, case: cases } = corpus[0] ?? assert.fail('there is no corpus');
  const { head_bytes } = new Engine().set_school_pack(packs.school, packs.keys, 0);
  const engine = engineWith(policy);
  const pending = () =>
    cases.filter((one) => {
      engine.set_context(contextOf(one));
      const verdict = verdictOn(engine, one);
      assert.ok(verdict === PENDING || before.get(one) === verdict || !complete, one.name);
      return verdict === PENDING;
    }).length;
  let complete = true;
  const before = new Map(cases.map((one) => [one, (engine.set_context(contextOf(one)), verdictOn(engine, one))]));

  assert.equal(engine.open_school_pack(packs.school.subarray(0, head_bytes), packs.keys, 0).ok, true);
  const waiting = pending();
  assert.ok(waiting > 0 && waiting < cases.length, `${waiting} of ${cases.length}`);
  assert.equal(engine.attach_school_pack(packs.school.subarray(head_bytes)), undefined);
  assert.equal(pending(), 0);

  engine.open_school_pack(packs.school.subarray(0, head_bytes), packs.keys, 0);
  assert.equal(typeof engine.attach_school_pack(new Uint8Array()), 'string');
  complete = false; // The built-in lists hold alone.
  assert.equal(pending(), 0);
});
