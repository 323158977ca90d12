// The extension's core under Node against a JavaScript Set: from a URL string to a verdict.
//
// node tests/bench/lists.mjs WORKDIR   with what bellgate-bench wrote there
//
// Each URL is used once, and nothing is kept from one round to the next. The last line is
// JSON.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine, initSync } from '../../extension/wasm/bellgate.js';

const ROUNDS = 7;
const NOW_MS = 1_788_770_400_000;
const folder = process.argv[2];
const read = (/** @type {string} */ name) => readFileSync(join(folder, name), 'utf8');

const wasm = initSync({
  module: readFileSync(new URL('../../extension/wasm/bellgate.wasm', import.meta.url)),
});
const engine = new Engine();
const pack = readFileSync(join(folder, '5m.pack'));
const opened = performance.now();
const report = engine.set_school_pack(pack, read('5m.key'));
const openMs = performance.now() - opened;
if (!report.ok) throw new Error(report.error);

const encoder = new TextEncoder();

/** @param {string} url */
function verdict(url) {
  const bytes = url.length * 3;
  const view = new Uint8Array(wasm.memory.buffer, engine.url_buffer(bytes), bytes);
  const { written } = encoder.encodeInto(url, view);
  return engine.verdict(written, 0, 0, NOW_MS);
}

const hosts = new Set(read('hosts.txt').split('\n'));

/** @param {string} url */
function walk(url) {
  const { hostname } = new URL(url);
  let start = 0;
  for (;;) {
    if (hosts.has(start === 0 ? hostname : hostname.slice(start))) return 1;
    const dot = hostname.indexOf('.', start);
    if (dot < 0) return 0;
    start = dot + 1;
  }
}

/**
 * @param {string[]} urls
 * @param {(url: string) => number} ask
 */
function microseconds(urls, ask) {
  let sum = 0;
  const started = performance.now();
  for (const url of urls) sum += ask(url);
  const spent = performance.now() - started;
  if (sum < 0) throw new Error('unreachable');
  return (spent * 1000) / urls.length;
}

const median = (/** @type {number[]} */ values) => [...values].sort((a, b) => a - b)[values.length >> 1];

const urls = read('urls.txt').split('\n');
const size = Math.floor(urls.length / (ROUNDS + 1));
const round = (/** @type {number} */ number) => urls.slice(number * size, (number + 1) * size);
microseconds(round(ROUNDS), verdict);
microseconds(round(ROUNDS), walk);
const ours = [];
const theirs = [];
const ratios = [];
for (let number = 0; number < ROUNDS; number += 1) {
  const batch = round(number);
  const own = microseconds(batch, verdict);
  const other = microseconds(batch, walk);
  ours.push(own);
  theirs.push(other);
  ratios.push(other / own);
}
const blocked = urls.filter((url) => (verdict(url) & 3) === 1).slice(0, 2000);
const decide = blocked.length === 0 ? null : microseconds(blocked, (url) => engine.decide(url, 0, undefined, NOW_MS) ? 1 : 0);
const fixed = (/** @type {number | null} */ value) => (value === null ? null : Number(value.toFixed(3)));
console.log(
  JSON.stringify({
    wasm_vs_set: fixed(median(ratios)),
    wasm_us_median: fixed(median(ours)),
    set_us_median: fixed(median(theirs)),
    decision_us: fixed(decide),
    wasm_open_ms: fixed(openMs),
    wasm_memory_mib: fixed(wasm.memory.buffer.byteLength / 2 ** 20),
  }),
);
