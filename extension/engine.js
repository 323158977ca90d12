// The core in wasm: sole importer of its glue, sole holder of its engine.
//
// The core is compiled and started synchronously (3 ms for 300 KB), so no request
// ever meets a listener without one. An engine that trapped may hold anything in
// its memory: it is thrown away with its whole instance, and a fresh one is given
// what the old one had. The request that met the trap is blocked by the gate.

import { reportFault } from './faults.js';
import { RESOURCE_TYPES } from './resource-types.js';
import * as glue from './wasm/bellgate.js';
import { wasmBytes } from './wasm/bytes.js';
import { corePack } from './wasm/core-pack.js';

/**
 * @typedef {object} Decision
 * @property {string} url
 * @property {string} at RFC 3339.
 * @property {'allow' | 'block' | 'notice'} action
 * @property {{code: string, rule: string | null, category: string | null, entry: string | null}} reason
 * @property {{name: string, kind: string, ends_at: string} | null} period
 * @property {string | null} next_change_at RFC 3339.
 */

/**
 * @typedef {object} Standing What holds now, before any URL is looked at.
 * @property {'open' | 'filtered' | 'notice' | 'allowlist' | 'exam' | 'closed'} mode
 * @property {string | null} rule
 * @property {{name: string, kind: string, ends_at: string} | null} period
 * @property {number | null} next_change_at_ms
 * @property {string | null} doubt
 * @property {boolean} managed Whether the school manages websites now.
 * @property {boolean} observe Whether blocks are counted but not carried out.
 * @property {string[]} download_types Endings that may not be downloaded, without the dot.
 * @property {string[] | null} [open_entries] What is open although the mode would close it, each `host` or
 *   `host/path`; absent where no such list says it all.
 * @property {boolean} safe_search
 * @property {'none' | 'moderate' | 'strict'} youtube
 */

/**
 * @typedef {object} School What pages say in the school's own words.
 * @property {string} name
 * @property {Record<string, {name?: string | null, email?: string | null, phone?: string | null, room?: string | null}>} contacts By role.
 * @property {{blocked?: string | null, closed?: string | null, notices?: Record<string, string>}} pages
 * @property {{version: string, text?: string | null} | null} [acceptable_use]
 */

/** @typedef {{ok: boolean, version: string | null, errors: {code: string, message: string, path: string}[], warnings: unknown[]}} PolicyReport */
/**
 * @typedef {object} PackReport
 * @property {boolean} ok
 * @property {string | null} error
 * @property {string | null} version
 * @property {number | null} sequence
 * @property {number | null} built_at_ms Unix epoch milliseconds.
 * @property {number | null} head_bytes How much of the file is its first part.
 */
/** @typedef {'iwf' | 'ctiru'} LockedSlot A list of the locked illegal layer. */
/** @typedef {import('./queue.js').EventBody} EventBody */
/** @typedef {import('./context.js').Context} Context */
/** @typedef {'own' | 'other' | 'transition'} Navigation */

/** Actions by their number in a verdict. */
const ACTIONS = /** @type {const} */ (['allow', 'block', 'notice']);

/** The verdict on what may be listed in the part of the pack that is not there yet. */
const PENDING = 255;

/** The number of the reason `fault` in a verdict. */
const FAULT = 17;

const TYPE_NUMBERS = new Map(RESOURCE_TYPES.map((name, number) => [/** @type {string} */ (name), number]));
const OTHER = RESOURCE_TYPES.length - 1;
const MAX_BYTES_PER_UNIT = 3; // UTF-8 of one UTF-16 unit.
const LONGEST_URL = 2 * 1024 * 1024;

const encoder = new TextEncoder();

/** What a fresh engine must be given again. */
const given = {
  /** @type {string | null} */ policy: null,
  /** @type {Context | null} */ context: null,
  /** @type {string | null} */ subject_key: null,
  has_packs: false,
};

/** @type {glue.Engine | null} */
let engine = null;
/** @type {WebAssembly.Memory | null} */
let memory = null;
let bytes_view = new Uint8Array(0);
// Where the core takes text, and how long a text fits there; they stay until more is asked for.
const url_buffer = { at: 0, units: 0 };
const initiator_buffer = { at: 0, units: 0 };
let started = false;
let traps = 0;
let revisions = 0;

/** @type {() => void} */
let onPackLost = () => {};

/**
 * Starts the core.
 * @param {() => void} pack_lost Called when a fresh engine wants the school's pack again.
 */
export function startEngine(pack_lost) {
  onPackLost = pack_lost;
  renew();
}

/** How often the core trapped since this worker started. */
export function trapCount() {
  return traps;
}

/**
 * What to do with a request: the path all of them take.
 * @param {string} url
 * @param {string} type Chrome's resource type.
 * @param {string | undefined} initiator
 * @param {number} now_ms Unix epoch milliseconds.
 * @returns {'allow' | 'block' | 'notice' | 'pending'} Pending until the rest of the school's pack is attached.
 */
export function verdict(url, type, initiator, now_ms) {
  return guarded((core) => {
    if (url.length > LONGEST_URL) return 'block';
    const from = initiator ?? '';
    if (from.length > initiator_buffer.units) {
      initiator_buffer.at = core.initiator_buffer(from.length * MAX_BYTES_PER_UNIT);
      initiator_buffer.units = from.length;
    }
    if (url.length > url_buffer.units) {
      url_buffer.at = core.url_buffer(url.length * MAX_BYTES_PER_UNIT);
      url_buffer.units = url.length;
    }
    const url_bytes = write(url, url_buffer.at);
    const initiator_bytes = from === '' ? 0 : write(from, initiator_buffer.at);
    const code = core.verdict(url_bytes, typeNumber(type), initiator_bytes, now_ms);
    if (code === PENDING) return 'pending';
    if (code >> 2 === FAULT) onFaultyPack(core);
    return ACTIONS[/** @type {0 | 1 | 2} */ (code & 3)] ?? 'block';
  });
}

/**
 * The whole decision, for what is shown and recorded.
 * @param {string} url
 * @param {string} type
 * @param {string | undefined} initiator
 * @param {number} now_ms
 * @returns {Decision}
 */
export function decide(url, type, initiator, now_ms) {
  return guarded((core) => core.decide(url, typeNumber(type), initiator, now_ms));
}

/**
 * What may be recorded of a request; null for nothing.
 * @param {string} url
 * @param {string} type
 * @param {string | undefined} initiator
 * @param {number} now_ms
 * @param {Navigation} navigation
 * @returns {EventBody | null}
 */
export function event(url, type, initiator, now_ms, navigation) {
  return guarded((core) => core.event(url, typeNumber(type), initiator, now_ms, navigation)) ?? null;
}

/**
 * What leaves the device when a pupil says something about a page; null when nobody
 * is to hear of it, such as outside school hours.
 * @param {'notice' | 'review' | 'report'} kind
 * @param {string} url
 * @param {number} now_ms
 * @returns {EventBody | null}
 */
export function statement(kind, url, now_ms) {
  return guarded((core) => core.statement(kind, url, now_ms)) ?? null;
}

/**
 * How the school names the user in what is recorded now; null where it does not.
 * @param {number} now_ms
 */
export function subjectAt(now_ms) {
  return statement('report', 'https://bellgate.invalid/', now_ms)?.subject ?? null;
}

/**
 * What holds now.
 * @param {number} now_ms
 * @returns {Standing}
 */
export function standing(now_ms) {
  return guarded((core) => core.standing(now_ms));
}

/**
 * What the school says of itself; null while there is no policy.
 * @returns {School | null}
 */
export function school() {
  return guarded((core) => core.school()) ?? null;
}

/**
 * Replaces the policy; a faulty one changes nothing.
 * @param {string} text
 * @returns {PolicyReport}
 */
export function setPolicy(text) {
  const report = guarded((core) => core.set_policy(text));
  if (report.ok) {
    given.policy = text;
    revisions += 1;
  }
  return report;
}

/** Another number whenever a decision may have become another: policy, lists, person or engine. */
export function revision() {
  return revisions;
}

/** The text of the policy that holds; null while there is none. */
export function policyInForce() {
  return given.policy;
}

/**
 * Replaces who is asking, from where, and with what leave.
 * @param {Context} context
 */
export function setContext(context) {
  guarded((core) => core.set_context(context));
  if (JSON.stringify(context) !== JSON.stringify(given.context)) revisions += 1;
  given.context = context;
}

/**
 * Sets the key that makes pseudonyms.
 * @param {string} key
 */
export function setSubjectKey(key) {
  guarded((core) => core.set_subject_key(key));
  given.subject_key = key;
}

/**
 * Opens a pack that the school delivers; one that is not signed by one of `keys`,
 * cannot be read or is older than `min_sequence` changes nothing.
 * @param {Uint8Array} bytes
 * @param {string} keys Ed25519 public keys in base64, separated by spaces.
 * @param {number} min_sequence
 * @returns {PackReport}
 */
export function setSchoolPack(bytes, keys, min_sequence) {
  const report = guarded((core) => core.set_school_pack(bytes, keys, min_sequence));
  return noted(report);
}

/**
 * Opens a pack by its first part; takes and answers what `setSchoolPack` does.
 * @param {Uint8Array} head
 * @param {string} keys
 * @param {number} min_sequence
 * @returns {PackReport}
 */
export function openSchoolPack(head, keys, min_sequence) {
  const report = guarded((core) => core.open_school_pack(head, keys, min_sequence));
  return noted(report);
}

/**
 * Brings the rest of a pack that was opened by its first part; what was wrong with it,
 * which drops the pack, or null.
 * @param {Uint8Array} blocks
 * @returns {string | null}
 */
export function attachSchoolPack(blocks) {
  revisions += 1;
  return guarded((core) => core.attach_school_pack(blocks)) ?? null;
}

/**
 * Loads a list of the locked illegal layer; nothing unloads it again.
 * @param {LockedSlot} slot
 * @param {Uint8Array} bytes
 * @param {string} keys As for `setSchoolPack`.
 * @param {string} secret The key of the list's entries, in hexadecimal.
 * @returns {PackReport}
 */
export function lockList(slot, bytes, keys, secret) {
  const report = guarded((core) => core.lock(slot, bytes, keys, secret));
  return noted(report);
}

/**
 * Remembers that a pack is in use.
 * @param {PackReport} report
 */
function noted(report) {
  if (report.ok) {
    given.has_packs = true;
    revisions += 1;
  }
  return report;
}

/**
 * A pack that turned out broken while deciding was dropped by the core: it is read again.
 * @param {glue.Engine} core
 */
function onFaultyPack(core) {
  const fault = core.take_pack_fault();
  if (typeof fault !== 'string') return;
  reportFault('reading the list pack', fault);
  given.has_packs = false;
  onPackLost();
}

/**
 * Works with the engine; one that throws is replaced before the error goes on.
 * @template T
 * @param {(core: glue.Engine) => T} work
 * @returns {T}
 */
function guarded(work) {
  if (engine === null) renew();
  try {
    return work(/** @type {glue.Engine} */ (engine));
  } catch (error) {
    traps += 1;
    engine = null;
    try {
      renew();
    } catch (again) {
      reportFault('making a fresh engine', again);
    }
    throw error;
  }
}

/** Makes a fresh engine in a fresh instance and gives it what the last one had. */
function renew() {
  if (started) glue.__wbg_reset_state();
  started = true;
  memory = glue.initSync({ module: wasmBytes() }).memory;
  bytes_view = new Uint8Array(0);
  url_buffer.units = 0;
  initiator_buffer.units = 0;
  const fresh = new glue.Engine();
  const built_in = corePack();
  if (built_in !== null) fresh.set_built_in_pack(built_in);
  if (given.policy !== null) fresh.set_policy(given.policy);
  if (given.subject_key !== null) fresh.set_subject_key(given.subject_key);
  if (given.context !== null) fresh.set_context(given.context);
  engine = fresh;
  revisions += 1;
  if (given.has_packs) {
    given.has_packs = false;
    onPackLost();
  }
}

/**
 * Writes text into the core's memory; the bytes it took.
 * @param {string} text
 * @param {number} at
 */
function write(text, at) {
  // A view has no length any more when its memory has grown.
  if (bytes_view.length === 0) bytes_view = new Uint8Array(/** @type {WebAssembly.Memory} */ (memory).buffer);
  return encoder.encodeInto(text, bytes_view.subarray(at, at + text.length * MAX_BYTES_PER_UNIT)).written;
}

/** @param {string} type */
function typeNumber(type) {
  return TYPE_NUMBERS.get(type) ?? OTHER;
}
