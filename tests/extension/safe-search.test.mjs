// Safe search: which addresses are asked for strictly, and what becomes of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { saferAddress } from '../../extension/safe-search.js';

test('a search is asked for strictly, and the rest of its query stays as it is', () => {
  for (const [url, safer] of [
    ['https://www.google.com/search?q=a%20b+c&hl=en', 'https://www.google.com/search?q=a%20b+c&hl=en&safe=active&ssui=on'],
    ['https://www.google.co.uk/search?safe=off&q=x#top', 'https://www.google.co.uk/search?q=x&safe=active&ssui=on#top'],
    ['https://google.com/', 'https://google.com/?safe=active&ssui=on'],
    ['https://www.bing.com/images/search?q=x&adlt=off&adlt=strict', 'https://www.bing.com/images/search?q=x&adlt=strict'],
    ['https://duckduckgo.com/?q=x&kp', 'https://duckduckgo.com/?q=x&kp=1'],
    ['https://uk.search.yahoo.com/search?p=x', 'https://uk.search.yahoo.com/search?p=x&vm=r'],
  ]) {
    assert.equal(saferAddress(String(url), 'main_frame'), safer);
    assert.equal(saferAddress(String(safer), 'main_frame'), null, 'asked for once');
  }
});

test('what is no search is left alone', () => {
  for (const url of ['https://docs.google.com/search?q=x', 'https://www.google.com/maps?q=x', 'https://notgoogle.com/search?q=x', 'https://www.google.com/recaptcha/api.js', 'https://page.example/?safe=off']) {
    assert.equal(saferAddress(url, 'main_frame'), null, url);
  }
  assert.equal(saferAddress('https://www.google.com/search?q=x', 'image'), null);
});
