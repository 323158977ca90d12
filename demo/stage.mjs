// What the day is played on: lists, endpoint, web and browser, all of this run only.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Chromium } from '../tests/browser/lib/chromium.mjs';
import { SchoolEndpoint } from '../tests/browser/lib/endpoint.mjs';
import { buildOwnPack } from '../tests/browser/lib/pack.mjs';
import { bellgate, builtExtension } from '../tests/browser/lib/product.mjs';
import { guardFolder } from '../tests/browser/lib/supervise.mjs';
import { waitFor } from '../tests/browser/lib/wait.mjs';
import { Web } from '../tests/browser/lib/web.mjs';
import { answer } from './pages.mjs';
import { schoolTime } from './school.mjs';

/** @typedef {import('../tests/browser/lib/endpoint.mjs').StoredEvent} StoredEvent */
/** @typedef {import('./report.mjs').Report} Report */
/** @typedef {import('puppeteer-core').Page} Page */

/**
 * A decision of the core as `bellgate decide --json` prints it.
 *
 * @typedef {object} Decision
 * @property {string} url
 * @property {string} at RFC 3339, with the school's offset.
 * @property {'allow' | 'block' | 'notice'} action
 * @property {{code: string, rule: string | null, category: string | null, entry: string | null}} reason
 * @property {{name: string, kind: string, ends_at: string} | null} period
 * @property {string | null} next_change_at
 */

/**
 * Who sits at the device, where, and under which policy.
 *
 * @typedef {object} Scene
 * @property {string} who As a line says it.
 * @property {string} cohort
 * @property {string} user
 * @property {string} network
 * @property {Record<string, unknown>} policy
 */

/**
 * A request that a step looks at.
 *
 * @typedef {object} Request
 * @property {string} url
 * @property {string} [type] Chrome's resource type. Default `main_frame`.
 * @property {string} [initiator]
 */

const TENANT = 'northfield';
const ENROLMENT_KEY = 'demo-enrolment-key';
/** So long a request may take that a filter let through by mistake. */
const LEAK_WITHIN_MS = 250;
/** An event is gathered, sent and stored well within this. */
const STORED_WITHIN_MS = 15_000;

/** The parts of a stage that `open` makes. */
export class Stage {
  #folder = mkdtempSync(path.join(tmpdir(), 'bellgate-demo-'));
  #policyFile = path.join(this.#folder, 'policy.json');
  #packFile = '';
  #packKey = '';
  #pace_ms = 0;
  /** Hosts of the blocked pages that the school is to hear of. @type {string[]} */
  #awaited = [];
  /** @type {{web: Web, endpoint: SchoolEndpoint, chromium: Chromium, page: Page} | undefined} */
  #open;
  /** What was started so far, to be closed from last to first. @type {(() => Promise<void>)[]} */
  #started = [];
  /** @type {Scene | undefined} */
  #scene;
  /** @type {Report} */
  #report;

  /** @param {Report} report */
  constructor(report) {
    this.#report = report;
  }

  /**
   * Builds the lists, starts endpoint, web and browser.
   *
   * @param {{headless: boolean, pace_ms: number}} options
   */
  async open({ headless, pace_ms }) {
    this.#pace_ms = pace_ms;
    const guard = await guardFolder(this.#folder);
    this.#started.push(() => guard.end());
    const pack = await buildOwnPack({ folder: this.#folder });
    this.#packFile = pack.file;
    this.#packKey = pack.publicKey;
    this.#report.say(`Lists: a signed pack of ${Math.round(pack.bytes / 1024)} KiB from lists/`);

    const web = await Web.start(answer);
    this.#started.push(() => web.close());
    const endpoint = await SchoolEndpoint.start({
      folder: this.#folder,
      tenant: TENANT,
      enrolmentKey: ENROLMENT_KEY,
      packs: path.dirname(this.#packFile),
    });
    this.#started.push(() => endpoint.close());
    const chromium = await Chromium.start({ extensions: [builtExtension()], web, headless });
    this.#started.push(() => chromium.close());
    const [page] = await chromium.browser.pages();
    this.#open = { web, endpoint, chromium, page };
    this.#report.say(
      `Browser: ${await chromium.browser.version()}, ${headless ? 'headless' : 'with a window'}; extension ${chromium.id} forced by policy\n`,
    );
  }

  get #parts() {
    if (!this.#open) throw new Error('the stage is not open');
    return this.#open;
  }

  get endpoint() {
    return this.#parts.endpoint;
  }

  get web() {
    return this.#parts.web;
  }

  /** The pupil's tab. */
  get page() {
    return this.#parts.page;
  }

  /**
   * Puts somebody in front of the device, with a tab of their own, and waits until the
   * extension has taken it over.
   *
   * @param {Scene} scene
   * @param {{tab?: 'new' | 'kept'}} [options] Kept: the same person goes on.
   */
  async set(scene, { tab = 'new' } = {}) {
    const { chromium, endpoint } = this.#parts;
    if (tab === 'new') await this.#changeTab();
    this.#scene = scene;
    const policy = JSON.stringify(scene.policy);
    writeFileSync(this.#policyFile, policy);
    const { cohort, user, network } = scene;
    const managed = {
      policy,
      cohort,
      user,
      network,
      endpoint: endpoint.url,
      tenant: TENANT,
      enrolment_key: ENROLMENT_KEY,
      pack_url: `${endpoint.url}/v1/packs/${path.basename(this.#packFile)}`,
      pack_keys: this.#packKey,
    };
    chromium.setManaged(managed);
    await waitFor(
      'the extension to take over the settings',
      async () => {
        const kept = await chromium.evaluateInWorker("chrome.storage.local.get(['settings', 'good_policy'])");
        return kept.good_policy === policy && Object.entries(managed).every(([key, value]) => kept.settings[key] === value);
      },
      { timeout_ms: 30_000 },
    );
  }

  /** A new tab in front, in place of the one before. */
  async #changeTab() {
    const { chromium, page } = this.#parts;
    this.#parts.page = await chromium.newPage();
    await page.close();
  }

  /**
   * What the core says of a request in the present scene.
   *
   * @param {Request} request
   * @returns {Promise<Decision>}
   */
  async decide({ url, type = 'main_frame', initiator }) {
    if (!this.#scene) throw new Error('nobody sits at the device yet');
    const { cohort, user, network } = this.#scene;
    const args = ['--policy', this.#policyFile, '--lists', this.#packFile, '--cohort', cohort, '--user', user];
    args.push('--network', network, '--at', schoolTime(Date.now()), '--url', url, '--type', type);
    return JSON.parse(await bellgate('decide', ...args, ...(initiator ? ['--initiator', initiator] : []), '--json'));
  }

  /**
   * Opens a page as a pupil would by typing its address, and compares what came with what the core says.
   *
   * @param {string} url
   * @param {object} expected
   * @param {Decision['action']} expected.action
   * @param {string} expected.code
   * @param {string} expected.screenshot
   * @param {boolean} [expected.reported] Whether the school hears of it. Default no.
   */
  async visit(url, { action, code, screenshot, reported = false }) {
    const { chromium, page } = this.#parts;
    const before = this.arrived(url);
    if (reported) this.#awaited.push(hostOf(url));
    const decision = await this.decide({ url });
    await chromium.navigate(page, url);
    await this.checkPage(decision, { action, code });
    if (action !== 'allow') await this.checkLeak({ url }, before);
    await this.shoot(screenshot);
    this.tell(decision, url);
    return decision;
  }

  /**
   * How many requests for this page or part have reached the local server.
   *
   * @param {string} url
   */
  arrived(url) {
    const { pathname } = new URL(url);
    return this.#parts.web.count({ host: hostOf(url), path: pathname });
  }

  /**
   * Says anew who sits at the device, where nothing else has changed.
   *
   * @param {string} who
   */
  present(who) {
    if (this.#scene) this.#scene = { ...this.#scene, who };
  }

  /**
   * Compares a decision, and what the tab shows, with what the step expects.
   *
   * @param {Decision} decision
   * @param {{action: Decision['action'], code: string}} expected
   */
  async checkPage({ url, action, reason }, expected) {
    if (action !== expected.action || reason.code !== expected.code) {
      this.#report.mistake(`the core says ${action} (${reason.code}) of ${url}, not ${expected.action} (${expected.code})`);
    }
    const on_its_way = () => this.page.url().startsWith('https://bellgate.invalid/');
    await waitFor('the tab to be asked about', async () => !on_its_way(), { timeout_ms: 5_000 }).catch((error) =>
      this.#report.mistake(String(error)),
    );
    const shown = this.page.url();
    const open = shown === url;
    const blocked = shown.startsWith('chrome-extension://');
    if (expected.action === 'allow' ? !open : !blocked) {
      this.#report.mistake(`${url} should be ${expected.action === 'allow' ? 'open' : 'blocked'}; the tab shows ${shown.slice(0, 80)}`);
    }
  }

  /**
   * Counts what reached the server although it was blocked.
   *
   * @param {Request} request
   * @param {number} before How many had arrived before the step.
   */
  async checkLeak({ url }, before) {
    // What leaks does so within a moment; what has not come by then was stopped.
    await new Promise((resolve) => setTimeout(resolve, LEAK_WITHIN_MS));
    const arrived = this.arrived(url) - before;
    this.#report.leaked += arrived;
    if (arrived > 0) this.#report.mistake(`${url} was blocked and reached the server`);
  }

  /**
   * Prints a decision as a step of the day.
   *
   * @param {Decision} decision
   * @param {string} what
   */
  tell(decision, what) {
    if (!this.#scene) throw new Error('nobody sits at the device yet');
    this.#report.step({
      who: this.#scene.who,
      when: `${decision.at.slice(11, 16)} ${(decision.period?.name ?? 'no school').padEnd(13)}`,
      what,
      decision: decision.action,
      reason: words(decision),
    });
  }

  /**
   * Saves what the pupil sees.
   *
   * @param {string} name
   */
  async shoot(name) {
    await this.#parts.chromium.screenshot(this.page, this.#report.screenshotFile(name));
    if (this.#pace_ms > 0) await new Promise((resolve) => setTimeout(resolve, this.#pace_ms));
  }

  /**
   * The stored events, once all that the school is to hear of have arrived.
   *
   * @returns {Promise<StoredEvent[]>}
   */
  async settledEvents() {
    const { endpoint } = this.#parts;
    /** @type {StoredEvent[]} */
    let stored = [];
    const missing = () => {
      const hosts = stored.filter(({ kind }) => kind === 'block').map(({ host }) => host);
      return this.#awaited.filter((host, index) => count(hosts, host) <= count(this.#awaited.slice(0, index), host));
    };
    await waitFor(
      'the events to be stored',
      async () => {
        stored = await endpoint.stored();
        return missing().length === 0;
      },
      { timeout_ms: STORED_WITHIN_MS },
    ).catch(() => this.#report.mistake(`blocked pages without a stored event: ${missing().join(', ')}`));
    const named = stored.filter(({ kind }) => kind === 'block').length;
    if (named > this.#awaited.length) {
      this.#report.mistake(`${named} blocks are stored, and only ${this.#awaited.length} should have been reported`);
    }
    return stored;
  }

  /** Ends everything and removes what it wrote. May be called at any time. */
  async close() {
    for (const end of this.#started.splice(0).reverse()) await end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * A decision's reason in a few words.
 *
 * @param {Decision} decision
 */
function words({ reason: { code, rule, category, entry } }) {
  const parts = [category ? `category ${category}` : code.replaceAll('_', ' ')];
  if (entry) parts.push(`entry ${entry}`);
  if (rule && rule.replaceAll(' ', '_') !== code) parts.push(`rule “${rule}”`);
  return parts.join(', ');
}

/** @param {string} url */
function hostOf(url) {
  return new URL(url).hostname;
}

/**
 * @param {unknown[]} items
 * @param {unknown} wanted
 */
function count(items, wanted) {
  return items.filter((item) => item === wanted).length;
}
