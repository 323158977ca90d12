// The example school's policy with its calendar and timetable written around the present.
//
// Only the product's own means are used: a policy may name any time zone and any
// timetable, so "break" is on now where the policy says so. The zone is chosen such
// that the present is near midday, and no period of the day crosses midnight.

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { middayZone } from '../tests/browser/lib/policy.mjs';
import { root } from '../tests/browser/lib/product.mjs';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MINUTES_A_DAY = 1440;
const CALENDAR_DAYS = 7;
/** The name on the school's own pages (demo/pages.mjs) and on its block page. */
export const SCHOOL = 'Northfield School';
/** Years move up on its first day. */
const SEPTEMBER = 8;
const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** A policy as parsed JSON. @typedef {Record<string, any>} Policy */

/** docs/examples/chromebook-school.json as parsed JSON. */
export function examplePolicy() {
  return /** @type {Policy} */ (JSON.parse(readFileSync(path.join(root, 'docs/examples/chromebook-school.json'), 'utf8')));
}

/**
 * A moment as RFC 3339 with the school's own offset, so that its digits are the wall clock's.
 *
 * @param {number} now_ms
 */
export function schoolTime(now_ms) {
  const { offset_ms, local_ms } = middayZone(now_ms);
  const minutes = Math.abs(offset_ms) / MINUTE_MS;
  return `${new Date(local_ms).toISOString().slice(0, 19)}${offset_ms < 0 ? '-' : '+'}${timeOf(minutes)}`;
}

/**
 * A pupil's address as the school forms it: the year of entry to Year 7, then the name.
 *
 * @param {number} year
 * @param {string} name
 * @param {number} now_ms
 */
export function addressOf(year, name, now_ms) {
  const now = new Date(now_ms);
  const began = now.getUTCMonth() >= SEPTEMBER ? now.getUTCFullYear() : now.getUTCFullYear() - 1;
  return `${String(began - (year - 7)).slice(-2)}${name}@school.example`;
}

/**
 * The policy under which `now_ms` is `at` of the school day.
 *
 * Timetables and sessions keep their lengths and order and are moved as a whole; they
 * hold on every day of the week. What has a date of its own (examinations, remote
 * days, clubs that ended) stays where it is.
 *
 * @param {Policy} policy
 * @param {string} at As the example's timetable has it, such as `11:05`.
 * @param {number} now_ms
 * @returns {Policy}
 */
export function around(policy, at, now_ms) {
  const zone = middayZone(now_ms);
  const now_minute = Math.floor(zone.local_ms / MINUTE_MS) % MINUTES_A_DAY;
  const day = (/** @type {number} */ days) => new Date(zone.local_ms + days * DAY_MS).toISOString().slice(0, 10);
  const timetables = policy.timetables.filter((/** @type {Policy} */ one) => !one.dates && !one.cycle && !one.day_kinds);
  const moved = /** @type {Policy} */ (move({ ...policy, timetables }, now_minute - minuteOf(at)));
  return {
    ...moved,
    school: { ...policy.school, name: SCHOOL, timezone: zone.name },
    calendar: { terms: [{ first: day(-CALENDAR_DAYS), last: day(CALENDAR_DAYS) }], school_days: EVERY_DAY },
  };
}

/**
 * The policy with further entries that the school blocks for pupils.
 *
 * @param {Policy} policy
 * @param {string[]} entries
 * @returns {Policy}
 */
export function withDenied(policy, entries) {
  const filters = Object.entries(policy.filters).map(([name, filter]) => [
    name,
    filter.extends ? filter : { ...filter, deny: [...(filter.deny ?? []), ...entries] },
  ]);
  return { ...policy, filters: Object.fromEntries(filters) };
}

/**
 * Moves every time of day and lets what holds on some weekdays hold on all.
 *
 * @param {unknown} value
 * @param {number} minutes
 * @returns {unknown}
 */
function move(value, minutes) {
  if (Array.isArray(value)) return value.map((item) => move(item, minutes));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if ((key === 'start' || key === 'end') && typeof inner === 'string' && /^\d\d:\d\d$/.test(inner)) {
        return [key, timeOf(minuteOf(inner) + minutes)];
      }
      if (key === 'days' && Array.isArray(inner)) return [key, EVERY_DAY];
      return [key, move(inner, minutes)];
    }),
  );
}

/** @param {string} time */
function minuteOf(time) {
  const [hours, minutes] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** @param {number} minute */
function timeOf(minute) {
  const wrapped = ((minute % MINUTES_A_DAY) + MINUTES_A_DAY) % MINUTES_A_DAY;
  return `${String(Math.floor(wrapped / 60)).padStart(2, '0')}:${String(wrapped % 60).padStart(2, '0')}`;
}
