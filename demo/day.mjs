// The school day: every step, in order.

import { FOREIGN_PARTS } from './pages.mjs';
import { addressOf, around, examplePolicy, withDenied } from './school.mjs';
import { waitFor } from '../tests/browser/lib/wait.mjs';

/** @typedef {import('./report.mjs').Report} Report */
/** @typedef {import('./stage.mjs').Stage} Stage */
/** @typedef {import('./school.mjs').Policy} Policy */

const ON_SITE = '10.20.4.7';
const AT_HOME = '192.168.1.20';
const MINUTE_MS = 60_000;
/** The evening must last long enough to open a page in it. */
const EVENING_MS = 15_000;

const YEAR_9 = { who: 'Year 9, at school', cohort: 'year-9', user: addressOf(9, 'ahall', Date.now()), network: ON_SITE };
const YEAR_11 = { who: 'Year 11, at school', cohort: 'year-11', user: addressOf(11, 'cowens', Date.now()), network: ON_SITE };

const HOME_PAGE = 'https://www.school.example/';
const NOTICES = 'https://www.school.example/notices';
const OLD_FORUM = 'https://www.school.example/old-forum/games-corner';
const REVISION = 'https://www.bbc.co.uk/bitesize/topics/photosynthesis';
const FOOTBALL = 'https://www.bbc.co.uk/sport/football';
const GAMES = 'https://poki.com/en/new';
const PUZZLES = 'https://www.coolmathgames.com/puzzles';
const QUIZ = 'https://quiz.example/round/4';
const CHILDLINE = 'https://www.childline.org.uk/get-support/';

/**
 * Plays the day.
 *
 * @param {Stage} stage
 * @param {Report} report
 */
export async function playDay(stage, report) {
  const school = withDenied(examplePolicy(), ['www.school.example/old-forum']);
  const now = (/** @type {string} */ at, policy = school) => around(policy, at, Date.now());

  await playEvening(stage, report, school);

  report.say('\nLessons');
  await stage.set({ ...YEAR_9, policy: now('09:20') });
  await stage.visit(REVISION, { action: 'allow', code: 'not_listed', screenshot: 'lesson-revision-open' });
  await stage.visit(PUZZLES, { action: 'block', code: 'category', screenshot: 'lesson-games-blocked', reported: true });
  await playParts(stage, report);
  await stage.visit(OLD_FORUM, { action: 'block', code: 'url_rule', screenshot: 'lesson-path-rule', reported: true });

  report.say('\nThe school changes its policy while a page is open');
  await playPolicyChange(stage, report, school);

  report.say('\nBreak');
  await stage.set({ ...YEAR_9, policy: now('11:05') });
  await stage.visit(HOME_PAGE, { action: 'block', code: 'closed', screenshot: 'break-year-9-closed' });
  await stage.visit(CHILDLINE, { action: 'allow', code: 'help', screenshot: 'break-childline-open' });
  await stage.set({ ...YEAR_11, policy: now('11:05') });
  await stage.visit(REVISION, { action: 'allow', code: 'allowlist', screenshot: 'break-year-11-revision-open' });
  await stage.visit(FOOTBALL, { action: 'block', code: 'not_on_allowlist', screenshot: 'break-year-11-football', reported: true });

  report.say('\nAfter school, while the homework club is on');
  await stage.set({ ...YEAR_9, who: 'Year 9, homework club', policy: now('16:00') });
  await stage.visit(GAMES, { action: 'block', code: 'category', screenshot: 'club-games-blocked', reported: true });
  // What is left is sent while school lasts: out of hours no request carries an identity.
  await report.heard(stage);
  await stage.set({ ...YEAR_9, who: 'Year 9, at home', network: AT_HOME, policy: now('16:00') });
  await stage.visit(GAMES, { action: 'allow', code: 'outside_school_hours', screenshot: 'home-games-open' });
}

/**
 * A page opened in the evening is still open when registration begins.
 *
 * @param {Stage} stage
 * @param {Report} report
 * @param {Policy} school
 */
async function playEvening(stage, report, school) {
  report.say('The evening before, and the morning');
  const bell_ms = Math.ceil((Date.now() + EVENING_MS) / MINUTE_MS) * MINUTE_MS;
  // Registration is at 08:40; the minutes until the bell are still the night before.
  const policy = around(school, '08:40', bell_ms);
  await stage.set({ ...YEAR_9, who: 'Year 9, the evening', network: AT_HOME, policy });
  await stage.visit(GAMES, { action: 'allow', code: 'outside_school_hours', screenshot: 'evening-games-open' });

  report.say(`       (waiting ${Math.ceil((bell_ms - Date.now()) / 1000)} s for the bell)`);
  const { host, pathname } = new URL(GAMES);
  const before = stage.web.count({ host, path: pathname });
  await waitFor('the tab to be looked at again', () => stage.page.url().startsWith('chrome-extension://'), {
    timeout_ms: bell_ms - Date.now() + 10_000,
  }).catch((error) => report.mistake(String(error.message)));
  stage.present('Year 9, registration');
  const decision = await stage.decide({ url: GAMES });
  await stage.checkPage(decision, { action: 'block', code: 'category' });
  await stage.checkLeak({ url: GAMES }, before);
  stage.tell(decision, `${GAMES} (left open)`);
  await stage.shoot('registration-tab-of-the-evening');
}

/**
 * An open page with four parts from elsewhere that lessons block.
 *
 * @param {Stage} stage
 * @param {Report} report
 */
async function playParts(stage, report) {
  const before = new Map(Object.values(FOREIGN_PARTS).map((url) => [url, stage.arrived(url)]));
  await stage.visit(NOTICES, { action: 'allow', code: 'not_listed', screenshot: 'lesson-notices-without-parts' });
  const outcome = await waitFor('the page’s fetch and WebSocket to be over', async () => {
    const seen = /** @type {Record<string, string> | undefined} */ (await stage.page.evaluate('self.outcome'));
    return seen?.fetch && seen?.websocket ? seen : undefined;
  });
  for (const part of ['fetch', 'websocket']) {
    if (outcome[part] !== 'failed') report.mistake(`the page’s ${part} is ${outcome[part]}`);
  }
  const types = { image: 'image', frame: 'sub_frame', fetch: 'xmlhttprequest', websocket: 'websocket' };
  for (const [part, url] of Object.entries(FOREIGN_PARTS)) {
    const type = types[/** @type {keyof typeof types} */ (part)];
    const decision = await stage.decide({ url, type, initiator: NOTICES });
    if (decision.action !== 'block') report.mistake(`the core says ${decision.action} of ${url}`);
    await stage.checkLeak({ url }, before.get(url) ?? 0);
    stage.tell(decision, `${url} (${part})`);
  }
}

/**
 * A page is open; the school blocks it; the tab is looked at again.
 *
 * @param {Stage} stage
 * @param {Report} report
 * @param {Policy} school
 */
async function playPolicyChange(stage, report, school) {
  await stage.visit(QUIZ, { action: 'allow', code: 'not_listed', screenshot: 'policy-before-change' });
  const { host, pathname } = new URL(QUIZ);
  const before = stage.web.count({ host, path: pathname });
  const stricter = withDenied(school, ['quiz.example']);
  await stage.set({ ...YEAR_9, policy: around(stricter, '09:25', Date.now()) }, { tab: 'kept' });
  await waitFor('the tab to be looked at again', () => stage.page.url().startsWith('chrome-extension://')).catch(
    (error) => report.mistake(String(error.message)),
  );
  const decision = await stage.decide({ url: QUIZ });
  await stage.checkPage(decision, { action: 'block', code: 'url_rule' });
  await stage.checkLeak({ url: QUIZ }, before);
  stage.tell(decision, `${QUIZ} (was open)`);
  await stage.shoot('policy-after-change');
}
