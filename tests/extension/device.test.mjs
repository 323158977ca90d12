// What the device knows: settings, the clock, how a page was opened, downloads.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { standIn } from './lib/browser.mjs';

standIn();
const { afterServerTime, afterTick, LONGEST_DOUBT_MS, stateOf, TOLERANCE_MS } = await import('../../extension/clock.js');
const { serverUrl, settingsFrom } = await import('../../extension/policy.js');
const { isOwn } = await import('../../extension/events.js');
const { isRefused } = await import('../../extension/downloads.js');
const { dueWarning } = await import('../../extension/warnings.js');

const HOUR = 3_600_000;
const NOON = Date.parse('2026-09-07T12:00:00Z');
const NOTES = { offset_ms: 0, last_seen_ms: NOON, doubted_at_ms: null };

test('a clock that runs on is trusted', () => {
  const notes = afterTick(NOTES, NOON + 30 * 24 * HOUR);
  assert.deepEqual(stateOf(notes), { state: 'trusted' });
  assert.deepEqual(stateOf(afterTick(NOTES, NOON - TOLERANCE_MS)), { state: 'trusted' });
});

test('a clock that ran back is in doubt until a server speaks, or half a day has passed', () => {
  const doubted = afterTick(NOTES, NOON - HOUR);
  assert.deepEqual(stateOf(doubted), { state: 'doubtful' });
  assert.deepEqual(stateOf(afterTick(doubted, NOON)), { state: 'doubtful' });
  assert.deepEqual(stateOf(afterTick(doubted, NOON - HOUR + LONGEST_DOUBT_MS)), { state: 'trusted' });
  assert.deepEqual(stateOf(afterServerTime(doubted, NOON - HOUR, NOON - HOUR)), { state: 'trusted' });
});

test('a wrong clock is corrected by what the server says', () => {
  assert.deepEqual(stateOf(afterServerTime(NOTES, NOON, NOON + 5 * HOUR)), { state: 'corrected', offset_ms: -5 * HOUR });
  assert.deepEqual(stateOf(afterServerTime(NOTES, NOON, NOON + TOLERANCE_MS)), { state: 'trusted' });
});

test('a correction ends when the clock is moved again', () => {
  const corrected = afterServerTime(NOTES, NOON, NOON + 5 * HOUR);
  assert.deepEqual(stateOf(afterTick(corrected, NOON)), { state: 'doubtful' });
});

test('servers are https, or http on this machine', () => {
  for (const url of ['https://school.example', 'https://school.example:8443/x', 'http://localhost:8480', 'http://127.0.0.1:1/', 'http://[::1]:1/']) {
    assert.equal(serverUrl(url), url);
  }
  for (const url of ['http://school.example', 'http://127.0.0.1.evil.example', 'ftp://school.example', 'https://user:word@school.example', 'school.example', '', 7, null, undefined]) {
    assert.equal(serverUrl(url), null, String(url));
  }
});

test('what is not usable among the managed keys is left out', () => {
  const settings = settingsFrom({ policy: '{}', cohort: ' year-9 ', user: '', network: 7, endpoint: 'http://school.example', extra: 'x' });
  assert.equal(settings.policy, '{}');
  assert.equal(settings.cohort, 'year-9');
  assert.deepEqual([settings.user, settings.network, settings.endpoint, settings.tenant], [null, null, null, null]);
  assert.ok(!('extra' in settings));
});

test('only what the pupil opened is theirs', () => {
  const opened = (/** @type {string} */ transitionType, /** @type {string[]} */ ...transitionQualifiers) => isOwn({ transitionType, transitionQualifiers });
  for (const type of ['link', 'typed', 'auto_bookmark', 'generated', 'keyword', 'form_submit']) assert.equal(opened(type, 'server_redirect'), true, type);
  for (const type of ['reload', 'start_page', 'auto_toplevel', 'auto_subframe', 'manual_subframe', 'unheard_of']) assert.equal(opened(type), false, type);
  assert.equal(opened('link', 'client_redirect'), false);
  assert.equal(opened('typed', 'forward_back'), false);
});

test('a download is refused by its name, its address or what it is', () => {
  const types = ['exe', 'zip'];
  for (const download of [
    { filename: '/home/a/Setup.EXE' },
    { url: 'https://a.example/file.zip?x=1' },
    { finalUrl: 'https://b.example/file.exe' },
    { mime: 'application/x-msdownload' },
    { url: 'blob:https://a.example/1', filename: 'innocent.txt', mime: 'application/zip; charset=binary' },
  ]) {
    assert.equal(isRefused({ id: 1, url: 'https://a.example/x', ...download }, types), true, JSON.stringify(download));
  }
  for (const download of [{ filename: 'exe.txt' }, { filename: 'essay.odt' }, { mime: 'application/pdf' }, { url: 'https://a.zip/' }]) {
    assert.equal(isRefused({ id: 1, url: 'https://a.example/x', ...download }, types), false, JSON.stringify(download));
  }
});

test('warnings come five minutes and one minute before', () => {
  assert.equal(dueWarning(6 * 60_000), null);
  assert.equal(dueWarning(5 * 60_000), 5 * 60_000);
  assert.equal(dueWarning(61_000), 5 * 60_000);
  assert.equal(dueWarning(60_000), 60_000);
  assert.equal(dueWarning(1), 60_000);
  assert.equal(dueWarning(0), null);
});
