// The block page's address, and what stays open when nothing can be decided.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BLOCK_PAGE, standIn } from './lib/browser.mjs';

standIn();
const { addressOf, readAddress } = await import('../../extension/address.js');
const { alwaysOpen, covers } = await import('../../extension/fallback.js');
const { askedThrough } = await import('../../extension/mirror.js');

const VIEW = /** @type {any} */ ({ heading: 'Zu – “ja”' });

test('what was asked for comes back from the address, with the words cut off too', () => {
  for (const url of ['https://page.example/a?b=c&d=%20#e', 'http://xn--bcher-kva.example/', 'https://page.example/?q=ü']) {
    const address = addressOf('TOKEN', url, VIEW);
    assert.ok(address.startsWith(`${BLOCK_PAGE}#TOKEN.`));
    assert.deepEqual(readAddress(address), { token: 'TOKEN', asked_url: url });
    assert.deepEqual(readAddress(address.slice(0, address.lastIndexOf('.'))), { token: 'TOKEN', asked_url: url });
  }
});

test('an endless address is kept as its origin', () => {
  const address = addressOf('TOKEN', `https://page.example/${'x'.repeat(10_000)}`, VIEW);
  assert.equal(readAddress(address)?.asked_url, 'https://page.example/');
});

test('a fragment that was not made here names no address', () => {
  const encoded = (/** @type {string} */ text) => Buffer.from(text).toString('base64url');
  for (const fragment of [
    '',
    'TOKEN',
    'TOKEN.',
    '.aHR0cHM6Ly9hLmV4YW1wbGUv',
    'TOKEN.!!!',
    `TOKEN.${encoded('javascript:alert(1)')}`,
    `TOKEN.${encoded('chrome://kill')}`,
    `TOKEN.${encoded('data:text/html,x')}`,
    `TOKEN.${encoded('https://')}`,
    `TOKEN.${Buffer.from([0xff, 0xfe]).toString('base64url')}`,
  ]) {
    assert.equal(readAddress(`${BLOCK_PAGE}#${fragment}`), null, fragment);
  }
});

test('the second layer passes on web addresses alone', () => {
  assert.equal(askedThrough('https://bellgate.invalid/ask?https://a.example/?b=c&d'), 'https://a.example/?b=c&d');
  for (const url of [
    'https://bellgate.invalid/ask?javascript:1',
    'https://bellgate.invalid/ask?',
    'https://bellgate.invalid/continue?token=x',
    'https://bellgate.invalid.example/ask?https://a.example/',
    'https://a.example/ask?https://b.example/',
  ]) {
    assert.equal(askedThrough(url), null, url);
  }
});

test('an entry covers its names and paths on segment boundaries', () => {
  const entries = new Set(['a.example', 'b.example/help', '10.0.0.1']);
  for (const url of [
    'https://a.example/',
    'https://a.example./x',
    'https://deep.www.a.example/x',
    'wss://a.example/',
    'http://b.example/help',
    'http://www.b.example/help/me?x',
    'http://10.0.0.1/',
  ]) {
    assert.equal(covers(entries, url), true, url);
  }
  for (const url of [
    'https://nota.example/',
    'https://a.example.evil.example/',
    'https://b.example/',
    'https://b.example/helpless',
    'https://evil.example/a.example',
    'http://1.10.0.0.1.example/',
    'ftp://a.example/',
    'javascript:a.example',
    'a.example',
  ]) {
    assert.equal(covers(entries, url), false, url);
  }
});

test('help and sign-in are open even when nothing else can be decided', () => {
  for (const url of ['https://www.childline.org.uk/get-support/', 'https://www.nhs.uk/x', 'https://accounts.google.com/']) {
    assert.equal(alwaysOpen(url), true, url);
  }
  assert.equal(alwaysOpen('https://childline.org.uk.games.example/'), false);
});
