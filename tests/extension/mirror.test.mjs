// The second layer: never stricter than the core, and nothing where nothing is closed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OWN_ID, standIn } from './lib/browser.mjs';

standIn();
const { namedInParts, rulesFor } = await import('../../extension/mirror.js');
const { WORST_HOSTS } = await import('../../extension/wasm/worst-hosts.js');
const { HELP_HOSTS, SIGN_IN_HOSTS } = await import('../../extension/wasm/help-hosts.js');

/** @param {object} [more] */
const standing = (more = {}) => /** @type {any} */ ({ mode: 'filtered', open_entries: [], safe_search: false, youtube: 'none', observe: false, ...more });

test('nothing is closed where the period is not', () => {
  for (const mode of ['open', 'filtered', 'notice']) assert.deepEqual(rulesFor(standing({ mode }), [], OWN_ID), [], mode);
});

test('a closed period sends frames to be decided and stops the rest', () => {
  for (const mode of ['closed', 'exam', 'allowlist']) {
    const [frames, parts] = rulesFor(standing({ mode }), [], OWN_ID);
    assert.equal(frames?.action.type, 'redirect');
    assert.equal(frames?.action.redirect?.regexSubstitution, 'https://bellgate.invalid/ask?\\0');
    assert.deepEqual(frames?.condition.resourceTypes, ['main_frame', 'sub_frame']);
    assert.equal(parts?.action.type, 'block');
    assert.ok(!parts?.condition.resourceTypes?.includes(/** @type {any} */ ('main_frame')));
    assert.ok(parts?.condition.excludedInitiatorDomains?.includes(OWN_ID), 'the worker itself reaches its endpoint');
  }
});

test('help, sign-in and what the mode leaves open beat the closing, with what their pages load', () => {
  const rules = rulesFor(standing({ mode: 'closed', open_entries: ['lichess.org', 'bbc.co.uk/bitesize', '[::1]'] }), [], OWN_ID);
  const closing = rules.filter((rule) => rule.action.type !== 'allow');
  const open = rules.filter((rule) => rule.action.type === 'allow');
  assert.ok(Math.min(...open.map((rule) => rule.priority ?? 1)) > Math.max(...closing.map((rule) => rule.priority ?? 1)));
  const hosts = open.flatMap((rule) => rule.condition.requestDomains ?? []);
  for (const host of ['lichess.org', 'childline.org.uk', 'accounts.google.com']) {
    assert.ok(hosts.includes(host), host);
    assert.ok(closing[1]?.condition.excludedInitiatorDomains?.includes(host), host);
  }
  assert.ok(open.some((rule) => rule.condition.urlFilter === '||bbc.co.uk/bitesize'));
  assert.ok(!hosts.some((host) => host.includes('/') || host.includes('[')));
  assert.equal(new Set(rules.map((rule) => rule.id)).size, rules.length);
});

test('where the core cannot list what is open, the layer stays out', () => {
  for (const open_entries of [null, undefined]) assert.deepEqual(rulesFor(standing({ mode: 'closed', open_entries }), [], OWN_ID), []);
});

test('in a filtered period the worst hosts that are closed are sent to be decided, and their parts stopped', () => {
  const [frames, parts, ...more] = rulesFor(standing(), ['adult.example'], OWN_ID);
  assert.deepEqual([frames?.action.type, frames?.condition.requestDomains, frames?.condition.resourceTypes], ['redirect', ['adult.example'], ['main_frame', 'sub_frame']]);
  assert.deepEqual([parts?.action.type, parts?.condition.requestDomains], ['block', ['adult.example']]);
  assert.ok(!parts?.condition.resourceTypes?.includes(/** @type {any} */ ('sub_frame')));
  assert.deepEqual(more, []);
});

test('a school that only observes has no second layer', () => {
  assert.deepEqual(rulesFor(standing({ mode: 'closed', observe: true }), [], OWN_ID), []);
});

test('a host of which the policy names a part is left to the core', () => {
  const named = namedInParts(JSON.stringify({ allow: ['bad.example/good', 'forum.worse.example', 'open.example', '*.wild.example'], pages: { closed: 'Go to a.b/c now' } }));
  assert.deepEqual([...named].filter((name) => name.includes('.')).sort(), ['bad.example', 'worse.example']);
});

test('no help service and no sign-in page lies on or below one of the worst hosts', () => {
  for (const entry of [...HELP_HOSTS, ...SIGN_IN_HOSTS]) {
    const labels = String(entry).split('/')[0]?.split('.') ?? [];
    assert.ok(!labels.some((_, index) => WORST_HOSTS.has(labels.slice(index).join('.'))), entry);
  }
  assert.ok(WORST_HOSTS.size > 1000);
});

test('restricted mode is a rule of its own', () => {
  const [rule, ...more] = rulesFor(standing({ safe_search: true, youtube: 'moderate' }), [], OWN_ID);
  assert.deepEqual(rule?.action.requestHeaders, [{ header: 'YouTube-Restrict', operation: 'set', value: 'Moderate' }]);
  assert.deepEqual(more, []);
});

test('no rule sends a request to a host that somebody serves', () => {
  for (const mode of ['open', 'filtered', 'notice', 'closed', 'exam', 'allowlist']) {
    for (const { action } of rulesFor(standing({ mode, safe_search: true, youtube: 'strict' }), ['adult.example'], OWN_ID)) {
      if (action.type === 'redirect') assert.match(String(action.redirect?.regexSubstitution), /^https:\/\/bellgate\.invalid\//);
    }
  }
});
