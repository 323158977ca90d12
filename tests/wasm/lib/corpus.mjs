// The corpus of tests/corpus, read for the core in wasm.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} at RFC 3339.
 * @property {string} url
 * @property {string} [cohort]
 * @property {string} [user]
 * @property {string[]} [groups]
 * @property {string} [network]
 * @property {string} [type] Chrome's resource type; `main_frame` if absent.
 * @property {string} [initiator]
 * @property {[string, string][]} [acknowledged] Category and instant.
 * @property {string} [accepted]
 * @property {string} [exam]
 * @property {{id: string, from: string, until: string, entries?: string[], categories?: string[], closed_period?: boolean, off_site?: boolean}} [exception]
 * @property {string} action
 * @property {string} code
 * @property {string} [rule]
 * @property {string} [category]
 * @property {string} [entry]
 * @property {string} [period]
 * @property {string} [kind]
 * @property {string} [next]
 * @property {boolean} [browser]
 */

/** @typedef {{name: string, policy: string, case: Case[]}} CorpusFile */

/**
 * Reads a TOML file. Python reads it, which set-up asks for anyway.
 * @param {string} file From the repository's root.
 */
export function readToml(file) {
  const program = 'import json, sys, tomllib; json.dump(tomllib.load(open(sys.argv[1], "rb")), sys.stdout)';
  return JSON.parse(execFileSync('python3', ['-c', program, path.join(root, file)], { encoding: 'utf8', maxBuffer: 1 << 26 }));
}

/** @returns {CorpusFile[]} */
export function readCorpus() {
  return readdirSync(path.join(root, 'tests/corpus'))
    .filter((name) => name.endsWith('.toml') && name !== 'lists.toml')
    .sort()
    .map((name) => ({ name, ...readToml(`tests/corpus/${name}`) }));
}

/**
 * The packs that every case is decided with, made by the command as a school makes them.
 * @returns {{built_in: Uint8Array, school: Uint8Array, keys: string}} `keys` has signed the school's.
 */
export function buildPacks() {
  /** @type {Record<'built_in' | 'school', Record<string, string[]>>} */
  const lists = readToml('tests/corpus/lists.toml');
  const folder = mkdtempSync(path.join(tmpdir(), 'bellgate-corpus-'));
  try {
    const key = path.join(folder, 'key');
    const keys = bellgate('keygen', '--out', key).trim();
    /** @param {'built_in' | 'school'} which @param {string[]} more */
    const build = (which, ...more) => {
      const from = path.join(folder, which);
      mkdirSync(from);
      for (const [category, entries] of Object.entries(lists[which])) {
        writeFileSync(path.join(from, `${category}.txt`), `${entries.join('\n')}\n`);
      }
      bellgate('build', '--from', from, '--out', `${from}.pack`, ...more);
      return new Uint8Array(readFileSync(`${from}.pack`));
    };
    return { built_in: build('built_in'), school: build('school', '--sign-key', key), keys };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {string[]} words */
function bellgate(...words) {
  return execFileSync(path.join(root, 'target/debug/bellgate'), ['lists', ...words], { encoding: 'utf8' });
}

/**
 * The context of a case, in the core's shape.
 * @param {Case} one
 */
export function contextOf(one) {
  return {
    ...(one.cohort === undefined ? {} : { cohort: one.cohort }),
    ...(one.user === undefined ? {} : { user: one.user }),
    groups: one.groups ?? [],
    place: one.network === undefined ? { state: 'unknown' } : { state: 'address', address: one.network, proof: 'stated' },
    clock: { state: 'trusted' },
    acknowledgements: (one.acknowledged ?? []).map(([category, at]) => ({ category, at_ms: Date.parse(at) })),
    ...(one.accepted === undefined ? {} : { accepted_version: one.accepted }),
    ...(one.exam === undefined ? {} : { exam: one.exam }),
    exceptions: one.exception === undefined ? [] : [exceptionOf(one.exception)],
  };
}

/** @param {NonNullable<Case['exception']>} exception */
function exceptionOf({ id, from, until, entries, categories, off_site = false }) {
  const scope = entries ? { entries } : categories ? { categories } : 'closed_period';
  return { id, not_before_ms: Date.parse(from), not_after_ms: Date.parse(until), scope, off_site };
}

/**
 * What of a decision differs from what its case states.
 * @param {Case} one
 * @param {any} decision
 * @returns {string[]}
 */
export function differences(one, decision) {
  const instant = (/** @type {string | null | undefined} */ text) => (text ? Date.parse(text) : text);
  const found = {
    action: decision.action,
    code: decision.reason.code,
    rule: decision.reason.rule,
    category: decision.reason.category,
    entry: decision.reason.entry,
    period: decision.period?.name,
    kind: decision.period?.kind,
    next: instant(decision.next_change_at),
  };
  const wanted = { ...one, next: instant(one.next) };
  return Object.entries(found)
    .map(([what, got]) => ({ what, got, want: wanted[/** @type {keyof typeof found} */ (what)] }))
    .filter(({ got, want }) => want !== undefined && want !== got)
    .map(({ what, got, want }) => `${what}: ${want} wanted, ${got} found`);
}
