// Small policies for tests: one rule that holds around the clock, or a bell at a given minute.

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const CALENDAR_DAYS = 7;

/**
 * @typedef {object} PolicyOptions
 * @property {'filtered' | 'closed' | 'allowlist' | 'notice'} [mode] Of the one period. Default `filtered`.
 * @property {string[]} [block] Blocked categories. Default `games`, `social-media`, `adult`.
 * @property {string[]} [notice] Categories that want an acknowledgement.
 * @property {string[]} [deny] The school's own blocked entries.
 * @property {string[]} [allow] The school's own allowed entries.
 * @property {string[]} [allowlist] What the mode `allowlist` opens.
 * @property {boolean} [safe_search]
 * @property {string} [version]
 * @property {number} [bell_ms] A whole minute at which school begins (`from`) or ends (`until`).
 * @property {'from' | 'until'} [school] Which of the two; without it, school never ends.
 * @property {number} [now_ms]
 */

/**
 * A policy as the managed key `policy` takes it: every day is a school day and one
 * period named `Lesson` lasts all day, or until or from the bell.
 *
 * @param {PolicyOptions} [options]
 */
export function policyText(options = {}) {
  return JSON.stringify(policyOf(options));
}

/** The policy as an object. @param {PolicyOptions} [options] */
export function policyOf({
  mode = 'filtered',
  block = ['games', 'social-media', 'adult'],
  notice,
  deny,
  allow,
  allowlist,
  safe_search,
  version = 'test.1',
  bell_ms,
  school,
  now_ms = Date.now(),
} = {}) {
  const zone = middayZone(now_ms);
  const day = (/** @type {number} */ days) => new Date(zone.local_ms + days * DAY_MS).toISOString().slice(0, 10);
  const bell = bell_ms === undefined ? undefined : timeOf(bell_ms + zone.offset_ms);
  const start = school === 'from' && bell ? bell : '00:00';
  const end = school === 'until' && bell ? bell : '24:00';
  return {
    bellgate: 1,
    version,
    school: { name: 'Test School', timezone: zone.name },
    calendar: { terms: [{ first: day(-CALENDAR_DAYS), last: day(CALENDAR_DAYS) }], school_days: EVERY_DAY },
    cohorts: { 'year-9': { kind: 'pupil', filter: 'pupils' } },
    timetables: [{ name: 'All day', days: EVERY_DAY, periods: [{ name: 'Lesson', kind: 'lesson', start, end }] }],
    filters: { pupils: { block, notice, deny, allow, safe_search } },
    ...(allowlist ? { allowlists: { work: allowlist } } : {}),
    rules: [
      {
        name: 'Lessons',
        who: ['@everyone'],
        then: { mode, ...(mode === 'allowlist' ? { allowlist: 'work' } : {}) },
      },
    ],
    outside_school_hours: { pupils: 'open', staff: 'open' },
  };
}

/** A policy for measuring: lessons all day. */
export function lessonPolicy() {
  return policyText();
}

/**
 * The zone in which the present is between 11:30 and 12:30, so that no test meets midnight.
 *
 * @param {number} now_ms
 */
export function middayZone(now_ms) {
  const utc_hour = (now_ms % DAY_MS) / HOUR_MS;
  const east_hours = 12 - Math.round(utc_hour);
  // The names have their sign the other way round: Etc/GMT-5 is five hours east.
  const name = east_hours === 0 ? 'Etc/GMT' : `Etc/GMT${east_hours > 0 ? '-' : '+'}${Math.abs(east_hours)}`;
  const offset_ms = east_hours * HOUR_MS;
  return { name, offset_ms, local_ms: now_ms + offset_ms };
}

/** The wall clock's `HH:MM` at a moment that already has the zone's offset. @param {number} local_ms */
function timeOf(local_ms) {
  return new Date(Math.floor(local_ms / MINUTE_MS) * MINUTE_MS).toISOString().slice(11, 16);
}
