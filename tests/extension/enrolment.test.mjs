// The device's key and what it signs, checked the way the endpoint checks it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { beforeEach, mock, test } from 'node:test';

import { memoryDatabase } from './lib/database.mjs';
import { standIn } from './lib/browser.mjs';

standIn();
const stored = memoryDatabase();
const { heedRefusal, signerFor } = await import('../../extension/enrolment.js');

const SETTINGS = /** @type {any} */ ({ endpoint: 'https://school.example/base', tenant: 'school', enrolment_key: 'secret', cohort: 'year-9' });
const BODY = new TextEncoder().encode('{"schema":1}');
const NOW = 1_788_771_600_000;

/** @type {{url: string, body: any}[]} */
let asked = [];
let last_sequence = 0;
let status = 200;

mock.method(globalThis, 'fetch', async (/** @type {string} */ url, /** @type {any} */ { body }) => {
  const enrolment = JSON.parse(new TextDecoder().decode(body));
  asked.push({ url, body: enrolment });
  const device = createHash('sha256').update(enrolment.public_key).digest('hex').slice(0, 32);
  return new Response(JSON.stringify({ device, status: 'unverified', last_sequence, endpoint_key: '', server_time_ms: NOW }), { status });
});

beforeEach(() => {
  asked = [];
  last_sequence = 0;
  status = 200;
  stored.clear();
});

/**
 * @param {string} public_key
 * @param {string} text
 * @param {string} signature
 */
async function verifies(public_key, text, signature) {
  const key = await crypto.subtle.importKey('raw', Buffer.from(public_key, 'base64url'), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(signature, 'base64url'), Buffer.from(text));
}

test('a school without an enrolment key has unsigned batches', async () => {
  assert.equal(await signerFor({ ...SETTINGS, enrolment_key: null }, null), null);
  assert.equal(await signerFor({ ...SETTINGS, endpoint: null }, null), null);
  assert.equal(asked.length, 0);
});

test('a device enrols once, below the endpoint’s base, and proves that it holds the key', async () => {
  await signerFor(SETTINGS, 'p-1');
  await signerFor(SETTINGS, 'p-1');
  await signerFor(SETTINGS, null);
  assert.equal(asked.length, 1);
  const [{ url, body } = assert.fail()] = asked;
  assert.equal(url, 'https://school.example/base/v1/enrol');
  assert.equal(Buffer.from(body.public_key, 'base64url').length, 65);
  assert.ok(await verifies(body.public_key, `bellgate-enrol-1\nschool\nES256\n${body.public_key}\np-1`, body.signature));
});

test('the private half cannot be read out', async () => {
  await signerFor(SETTINGS, null);
  assert.equal(stored.get('keys', 'device').private_key.extractable, false);
});

test('each request has a signature of its own and a higher number', async () => {
  last_sequence = 41;
  const signer = (await signerFor(SETTINGS, null)) ?? assert.fail();
  const [{ body: { public_key } } = assert.fail()] = asked;
  const digest = createHash('sha256').update(BODY).digest('hex');
  for (const sequence of [42, 43]) {
    const headers = await signer.headers('POST', '/v1/events', BODY, NOW);
    assert.equal(headers['bellgate-sequence'], String(sequence));
    const text = `bellgate-request-1\nPOST\n/v1/events\n${digest}\n${signer.device}\n${NOW}\n${sequence}`;
    assert.ok(await verifies(public_key, text, headers['bellgate-signature'] ?? ''));
  }
});

test('a profile that changed hands is another device', async () => {
  const first = await signerFor(SETTINGS, 'p-1');
  const second = await signerFor(SETTINGS, 'p-2');
  assert.notEqual(first?.device, second?.device);
});

test('an endpoint that forgot the device gets the same key again', async () => {
  const first = await signerFor(SETTINGS, 'p-1');
  for (const code of ['unknown_device', 'replayed', 'wrong_tenant', 'signature_required']) {
    await heedRefusal(code);
    assert.equal((await signerFor(SETTINGS, 'p-1'))?.device, first?.device, code);
  }
  assert.equal(asked.length, 5);
  await heedRefusal('rate_limited');
  await signerFor(SETTINGS, 'p-1');
  assert.equal(asked.length, 5);
});

test('a signature refused twice gets a new key', async () => {
  const first = await signerFor(SETTINGS, 'p-1');
  await heedRefusal('bad_signature');
  assert.equal((await signerFor(SETTINGS, 'p-1'))?.device, first?.device);
  await heedRefusal('bad_signature');
  assert.notEqual((await signerFor(SETTINGS, 'p-1'))?.device, first?.device);
});

test('a refused enrolment is an error, and nothing is signed', async () => {
  status = 403;
  await assert.rejects(signerFor(SETTINGS, 'p-1'), /403/);
});
