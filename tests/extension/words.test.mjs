// What pupils read.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { standIn } from './lib/browser.mjs';

standIn();
const { message, messageKeys, languageOf } = await import('../../extension/messages.js');
const { viewOf, clockTime } = await import('../../extension/view.js');
const { CATEGORIES } = await import('../../extension/wasm/catalogue.js');

const EXTENSION = new URL('../../extension/', import.meta.url);
const HOST = 'www.some-host.example';

/**
 * @param {object} reason
 * @param {object} [more]
 */
const decision = (reason, more = {}) =>
  /** @type {any} */ ({
    url: `https://${HOST}/path?query`,
    at: '2026-09-07T10:55:00+01:00',
    action: 'block',
    reason: { rule: 'A rule', category: null, entry: HOST, ...reason },
    period: { name: 'Break', kind: 'break', ends_at: '2026-09-07T11:15:00+01:00' },
    next_change_at: '2026-09-07T11:15:00+01:00',
    ...more,
  });

/**
 * @param {boolean} can_review
 * @param {object} [more]
 */
const about = (can_review, more = {}) => /** @type {any} */ ({ token: 'TOKEN', wanted_language: 'en', can_review, school: null, open_entries: [], ...more });

const SCHOOL = {
  name: 'Example School',
  contacts: { dsl: { name: 'Ms Okafor', room: 'G12' }, it: { name: 'IT support', email: 'it@school.example' } },
  pages: { blocked: null, closed: 'Go and see your friends.', notices: { 'ai-tools': 'Our own words.' } },
  acceptable_use: { version: '3', text: 'Be kind.' },
};

test('the school speaks in its own words where it has some', () => {
  const view = (/** @type {object} */ reason, /** @type {object} */ more = {}) => viewOf(decision(reason, more), about(true, { school: SCHOOL }));
  assert.equal(view({ code: 'closed' }).product, 'Example School · Bellgate');
  assert.deepEqual(view({ code: 'closed' }).points, ['Go and see your friends.']);
  assert.deepEqual(view({ code: 'notice', category: 'ai-tools' }, { action: 'notice' }).points, ['Our own words.']);
  assert.match(view({ code: 'category', category: 'games' }).what.join(' '), /Ms Okafor \(G12\)/);
  assert.match(view({ code: 'fault' }).what.join(' '), /IT support \(it@school\.example\)/);
  const acceptance = view({ code: 'acceptance', rule: '3' });
  assert.deepEqual([acceptance.points, acceptance.go?.href], [['Be kind.'], 'https://bellgate.invalid/accept?token=TOKEN']);
  assert.deepEqual(viewOf(decision({ code: 'category', category: 'games' }), about(true)).points, []);
});

test('every text is used, and every used text exists', () => {
  const sources = readdirSync(EXTENSION, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.js') && !name.startsWith('wasm') && name !== 'messages.js')
    .map((name) => readFileSync(new URL(name, EXTENSION), 'utf8'))
    .join('\n');
  const made = /^(heading|lead|why|popup)_/;
  for (const key of messageKeys()) {
    const stem = key.replace(/_more$/, '').replace(made, '$1_');
    assert.ok(sources.includes(`'${key}'`) || sources.includes(`\`${stem}$`) || sources.includes(`\`${key.split('_')[0]}_\${`), key);
    assert.notEqual(message(key).trim(), '', key);
  }
});

test('an unknown language gets English', () => {
  assert.equal(languageOf('tlh-KX'), 'en');
  assert.equal(message('back', {}, 'tlh'), message('back'));
});

test('values are put in as plain text, also such as look like names', () => {
  assert.equal(message('lead_category', { place: '{category}', category: '$&' }), '{category} is in the group “$&”.');
});

test('a sensitive page says neither host nor category, nor which help would fit', () => {
  const sensitive = CATEGORIES.filter((/** @type {any} */ category) => category.sensitive);
  assert.ok(sensitive.length >= 5);
  const [first] = sensitive;
  for (const [action, code] of [['block', 'category'], ['notice', 'notice']]) {
    const plain = viewOf({ ...decision({ code, category: first.id }, { action }), url: 'https://other.example/' }, about(true));
    assert.equal(plain.title, 'Bellgate');
    assert.deepEqual(plain.facts, []);
    for (const category of sensitive) {
      const view = viewOf(decision({ code, category: category.id, rule: 'Another rule' }, { action }), about(true));
      assert.deepEqual(view, plain, category.id);
      assert.ok(!JSON.stringify(view).includes(HOST));
    }
  }
});

test('the locked layer is not named and cannot be sent for review', () => {
  const view = viewOf(decision({ code: 'illegal', rule: 'IWF' }), about(true));
  assert.equal(view.review, null);
  assert.deepEqual(view.facts, []);
  assert.ok(!JSON.stringify(view).includes(HOST) && !JSON.stringify(view).includes('IWF'));
});

test('every reason for a block has its own page', () => {
  const headings = new Set();
  for (const code of ['closed', 'exam', 'not_on_allowlist', 'acceptance', 'fault']) {
    const view = viewOf(decision({ code }), about(true));
    headings.add(view.heading);
    assert.ok(view.help && view.help.links.length > 0, code);
    assert.ok(view.title.includes(view.heading));
  }
  assert.equal(headings.size, 5);
});

test('a closed period says until when', () => {
  const view = viewOf(decision({ code: 'closed' }), about(false));
  assert.deepEqual(view.facts.at(-1), ['Until', '11:15 today']);
  // Whether a comma follows the day is up to the browser's own words of the language.
  assert.match(clockTime('2026-09-08T08:40:00+01:00', '2026-09-07T15:30:00+01:00', 'en-GB'), /^Tuesday,? 8 September, 08:40$/);
});

test('a review is offered where somebody would receive it', () => {
  assert.ok(viewOf(decision({ code: 'category', category: 'games' }), about(true)).review);
  assert.equal(viewOf(decision({ code: 'category', category: 'games' }), about(false)).review, null);
  assert.equal(viewOf(decision({ code: 'closed' }), about(true)).review, null);
});

test('a page is named with its path where the host alone would be wrong', () => {
  const lead = (/** @type {string} */ url, /** @type {object} */ reason, /** @type {string[]} */ open_entries = []) =>
    viewOf({ ...decision(reason), url }, about(true, { open_entries })).lead;
  const sport = 'https://www.bbc.co.uk/sport/football?x=1';
  assert.match(lead(sport, { code: 'not_on_allowlist' }, ['bbc.co.uk/bitesize']), /www\.bbc\.co\.uk\/sport\/football is not one/);
  assert.match(lead(sport, { code: 'not_on_allowlist' }, ['other.example/bitesize', 'docs.example']), /www\.bbc\.co\.uk is not one/);
  assert.match(lead(sport, { code: 'url_rule', entry: 'bbc.co.uk/sport' }), /added bbc\.co\.uk\/sport to/);
  assert.match(lead(sport, { code: 'url_rule', entry: 'bbc.co.uk' }), /added www\.bbc\.co\.uk to/);
  assert.ok(lead(`https://bbc.co.uk/${'a'.repeat(500)}`, { code: 'not_on_allowlist' }, ['bbc.co.uk/b']).length < 250);
});

test('help that fits the category comes first, and somebody for everything is among it', () => {
  const links = (/** @type {string} */ category) =>
    (viewOf(decision({ code: 'category', category }), about(true)).help?.links ?? []).map(([name]) => name);
  assert.equal(links('games')[0], 'Childline');
  assert.equal(links('gambling')[0], 'GamCare');
  assert.match(links('drugs')[0] ?? '', /FRANK/);
  for (const { id, sensitive, help_topics } of CATEGORIES) {
    if (sensitive || !help_topics) continue;
    assert.ok(links(id).includes('Childline') && links(id).length === 4 && new Set(links(id)).size === 4, id);
  }
});

test('a notice leads on with the token', () => {
  const view = viewOf(decision({ code: 'notice', category: 'ai-tools' }, { action: 'notice' }), about(true));
  assert.equal(view.go?.href, 'https://bellgate.invalid/continue?token=TOKEN');
  assert.ok(view.points.length >= 3);
});
