// The school's endpoint: the one place events go to.

import { ownVersion } from './chrome.js';

/** @typedef {import('./queue.js').Event} Event */

/**
 * What the endpoint said of a batch.
 * @typedef {object} Delivery
 * @property {'accepted' | 'later' | 'refused'} state `later`: try again; `refused`: this batch as it is never.
 * @property {string[]} settled Ids that need not be sent again.
 * @property {number | null} retry_after_ms What the endpoint asked to wait.
 * @property {number | null} server_ms The endpoint's clock, Unix epoch milliseconds.
 * @property {string | null} code The endpoint's own code of what was wrong.
 * @property {string | null} problem For the health display, without anybody's name.
 */

const EVENTS_PATH = '/v1/events';
const TIMEOUT_MS = 20_000;

/** The batch is too large, or something in it cannot be read: docs/endpoint.md. */
const UNREADABLE = new Set([413, 422]);

/**
 * Delivers one batch.
 * @param {object} request
 * @param {string} request.endpoint Base URL, already checked.
 * @param {string} request.tenant
 * @param {Event[]} request.events
 * @param {number} request.now_ms
 * @param {import('./enrolment.js').Signer | null} request.signer
 * @returns {Promise<Delivery>}
 */
export async function deliver({ endpoint, tenant, events, now_ms, signer }) {
  const url = joined(endpoint, EVENTS_PATH);
  const batch = { schema: 1, tenant, device: signer?.device ?? null, sent_at: new Date(now_ms).toISOString(), events };
  const body = new TextEncoder().encode(JSON.stringify(batch));
  try {
    const headers = signer === null ? {} : await signer.headers('POST', EVENTS_PATH, body, now_ms);
    return await readAnswer(await post(url, body, headers), events);
  } catch (error) {
    return unreachable(error);
  }
}

/**
 * What a delivery that never got an answer amounts to.
 * @param {unknown} error
 * @returns {Delivery}
 */
export function unreachable(error) {
  return { state: 'later', settled: [], retry_after_ms: null, server_ms: null, code: null, problem: `unreachable: ${String(error)}` };
}

/**
 * @param {string} url
 * @param {Uint8Array<ArrayBuffer>} body JSON.
 * @param {Record<string, string>} headers
 */
export function post(url, body, headers) {
  return fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-bellgate-version': ownVersion(),
      ...headers,
    },
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

/**
 * A path below a base URL.
 * @param {string} base
 * @param {string} path Begins with a slash.
 */
export function joined(base, path) {
  return base.replace(/\/+$/, '') + path;
}

/**
 * Reads the endpoint's answer; only ids that were sent are believed.
 * @param {Response} response
 * @param {Event[]} events
 * @returns {Promise<Delivery>}
 */
export async function readAnswer(response, events) {
  const server_ms = dateOf(response);
  const retry_after_ms = retryAfter(response, server_ms);
  if (!response.ok) {
    // What a proxy answers in the endpoint's place is no JSON; its status says enough.
    const code = codeIn(await response.json().catch(() => null));
    return {
      state: UNREADABLE.has(response.status) && code !== 'wrong_device' ? 'refused' : 'later',
      settled: [],
      retry_after_ms,
      server_ms,
      code,
      problem: `the endpoint answered ${response.status}`,
    };
  }
  const answer = /** @type {unknown} */ (await response.json());
  const sent = new Set(events.map((event) => event.id));
  const settled = idsIn(answer).filter((id) => sent.has(id));
  return {
    state: settled.length > 0 || events.length === 0 ? 'accepted' : 'later',
    settled,
    retry_after_ms,
    server_ms,
    code: null,
    problem: settled.length < events.length ? 'the endpoint left events unanswered' : null,
  };
}

/**
 * The code in an answer of the shape `{error: {code, message, path}}`.
 * @param {unknown} answer
 */
function codeIn(answer) {
  const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : null;
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/**
 * The ids in the three sets of an answer.
 * @param {unknown} answer
 * @returns {string[]}
 */
function idsIn(answer) {
  if (typeof answer !== 'object' || answer === null) return [];
  const { stored, duplicate, rejected } = /** @type {Record<string, unknown>} */ (answer);
  const ids = [stored, duplicate, rejected].flatMap((set) => (Array.isArray(set) ? set : []));
  return ids
    .map((item) => (typeof item === 'object' && item !== null ? item.id : item))
    .filter((id) => typeof id === 'string');
}

/**
 * The clock of whoever answered.
 * @param {Response} response
 */
export function dateOf(response) {
  const at_ms = Date.parse(response.headers.get('date') ?? '');
  return Number.isNaN(at_ms) ? null : at_ms;
}

/**
 * `Retry-After` in milliseconds, as seconds or as a date (RFC 9110, 10.2.3).
 * @param {Response} response
 * @param {number | null} server_ms
 */
function retryAfter(response, server_ms) {
  const value = response.headers.get('retry-after');
  if (value === null) return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at_ms = Date.parse(value);
  if (Number.isNaN(at_ms) || server_ms === null) return null;
  return Math.max(0, at_ms - server_ms);
}
