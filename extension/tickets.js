// One-time tokens by which the block page speaks for the tab it is shown in.
//
// Any page may send requests to the reserved host, so what arrives there counts
// only with a token that was given to that very frame, once. The tickets live as
// long as the browser session, beyond the life of a worker.

import { keepForSession, readSession } from './chrome.js';
import { reportFault } from './faults.js';

/**
 * @typedef {object} Ticket
 * @property {string} token
 * @property {number} tab_id
 * @property {number} frame_id
 * @property {string} url What was asked for.
 * @property {'block' | 'notice' | 'acceptance'} kind
 * @property {string | null} category
 * @property {string | null} version Of the acceptable use policy that is asked about.
 * @property {string} because What the page says: another decision shows another page.
 * @property {'minted' | 'shown' | 'used'} state
 * @property {number} at_ms
 */

/** Most tickets kept; the oldest go first. */
export const MAX_TICKETS = 300;

const KEY = 'tickets';
const WRITE_AFTER_MS = 20;

/** @type {Map<string, Ticket>} */
let tickets = new Map();
/** @type {ReturnType<typeof setTimeout> | null} */
let timer = null;

/** Reads the tickets that an earlier worker of this browser session gave out. */
export async function loadTickets() {
  const kept = (await readSession([KEY]))[KEY];
  if (!Array.isArray(kept)) return;
  // What was given out since this worker started stays.
  const merged = new Map(kept.map((ticket) => [ticket.token, ticket]));
  for (const [token, ticket] of tickets) merged.set(token, ticket);
  tickets = merged;
}

/**
 * Gives out a ticket.
 * @param {Omit<Ticket, 'token' | 'state'>} ticket
 * @returns {Ticket}
 */
export function mint(ticket) {
  const token = randomToken();
  /** @type {Ticket} */
  const minted = { ...ticket, token, state: 'minted' };
  tickets.set(token, minted);
  for (const oldest of tickets.keys()) {
    if (tickets.size <= MAX_TICKETS) break;
    tickets.delete(oldest);
  }
  write();
  return minted;
}

/**
 * Says that the page of a ticket is being loaded; false when that has happened
 * before, so the page is being loaded again.
 * @param {string} token
 */
export function show(token) {
  const ticket = tickets.get(token);
  if (ticket === undefined || ticket.state !== 'minted') return false;
  ticket.state = 'shown';
  write();
  return true;
}

/**
 * The ticket for `token`, if it was given to this frame and is not used yet;
 * it is used by this.
 * @param {string} token
 * @param {number} tab_id
 * @param {number} frame_id
 * @returns {Ticket | null}
 */
export function redeem(token, tab_id, frame_id) {
  const ticket = tickets.get(token);
  if (ticket === undefined || ticket.state === 'used') return null;
  if (ticket.tab_id !== tab_id || ticket.frame_id !== frame_id) return null;
  ticket.state = 'used';
  write();
  return ticket;
}

/**
 * The ticket with this token, whatever its state.
 * @param {string} token
 */
export function ticketOf(token) {
  return tickets.get(token) ?? null;
}

/** 128 random bits in base64url. */
export function randomToken() {
  return crypto.getRandomValues(new Uint8Array(16)).toBase64({ alphabet: 'base64url', omitPadding: true });
}

function write() {
  timer ??= setTimeout(() => {
    timer = null;
    keepForSession({ [KEY]: [...tickets.values()] }).catch((error) => reportFault('keeping tickets', error));
  }, WRITE_AFTER_MS);
}
