// A school for one test file: lists, policy, web, endpoint and a browser with the product forced.

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Chromium } from './chromium.mjs';
import { SchoolEndpoint } from './endpoint.mjs';
import { buildPack, createSecretKey, createSigningKey } from './pack.mjs';
import { policyText } from './policy.mjs';
import { builtExtension } from './product.mjs';
import { guardFolder } from './supervise.mjs';
import { partsPage } from './traffic.mjs';
import { waitFor } from './wait.mjs';
import { Web } from './web.mjs';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('./policy.mjs').PolicyOptions} PolicyOptions */

/** Hosts of the test lists, by category. Nothing else blocks them. */
export const LISTED = {
  games: ['games.example', 'listed.example', 'mixed.example/bad'],
  'social-media': ['social.example'],
  adult: ['adult.example'],
};

const PACK_HOST = 'packs.school.example';
const TENANT = 'test-school';
const ENROLMENT_KEY = 'test-enrolment-key';

/**
 * @typedef {object} SchoolOptions
 * @property {PolicyOptions | null} [policy] Null: no policy is pushed.
 * @property {boolean} [endpoint] Whether the school has one. Default false.
 * @property {Record<string, unknown>} [managed] Further managed keys.
 * @property {boolean} [waitForLists] Wait until the school's own lists are in force. Default true.
 * @property {number} [width]
 * @property {number} [height]
 * @property {string[]} [extraArguments] Further switches of Chromium.
 */

/**
 * What a tab shows after a navigation.
 *
 * @typedef {object} Shown
 * @property {'page' | 'block' | 'error'} kind
 * @property {string} title
 * @property {string} text Of the whole page.
 */

export class School {
  /** The lists' signing key. @type {import('./pack.mjs').SigningKey} */
  key;
  /** @type {Web} */
  web;
  /** @type {Chromium} */
  chromium;
  /** @type {SchoolEndpoint | undefined} */
  #endpoint;
  #folder;
  #guard;
  /** @type {Buffer} */
  #pack = Buffer.alloc(0);
  /** Lists of the locked layer, by path. @type {Map<string, Buffer>} */
  #locked = new Map();
  /** How often the pack was sent whole. */
  packDownloads = 0;
  /** @type {Record<string, unknown>} */
  #managed;

  /**
   * @param {{guard: import('./supervise.mjs').Supervised, folder: string, key: import('./pack.mjs').SigningKey, web: Web, endpoint: SchoolEndpoint | undefined, options: SchoolOptions}} parts
   */
  constructor({ guard, folder, key, web, endpoint, options }) {
    this.#guard = guard;
    this.#folder = folder;
    this.key = key;
    this.web = web;
    this.#endpoint = endpoint;
    this.#managed = {
      ...(options.policy === null ? {} : { policy: policyText(options.policy) }),
      cohort: 'year-9',
      user: '24ahall@school.example',
      network: '10.20.4.7',
      pack_url: `https://${PACK_HOST}/lists.pack`,
      pack_keys: key.publicKey,
      tenant: TENANT,
      ...(endpoint ? { endpoint: endpoint.url, enrolment_key: ENROLMENT_KEY } : {}),
      ...options.managed,
    };
    this.chromium = /** @type {Chromium} */ (/** @type {unknown} */ (undefined));
  }

  /**
   * Opens the school and waits until its lists and its policy are in force.
   *
   * @param {SchoolOptions} [options]
   */
  static async open(options = {}) {
    const folder = mkdtempSync(path.join(tmpdir(), 'bellgate-school-'));
    const guard = await guardFolder(folder);
    try {
      return await School.#openIn(folder, guard, options);
    } catch (error) {
      // What is still waited for would keep the runner from ending.
      await guard.end();
      throw error;
    }
  }

  /**
   * @param {string} folder
   * @param {import('./supervise.mjs').Supervised} guard
   * @param {SchoolOptions} options
   */
  static async #openIn(folder, guard, options) {
    const key = await createSigningKey(folder);
    const web = await Web.start(partsPage('open.example'));
    const endpoint = options.endpoint
      ? await SchoolEndpoint.start({ folder, tenant: TENANT, enrolmentKey: ENROLMENT_KEY })
      : undefined;
    const school = new School({ guard, key, folder, web, endpoint, options });
    try {
      await school.publishLists(LISTED);
      web.serve((arrival) => school.#servePack(arrival));
      school.chromium = await Chromium.start({
        extensions: [builtExtension()],
        web,
        managed: school.#managed,
        headless: true,
        width: options.width,
        height: options.height,
        extraArguments: options.extraArguments,
      });
      if (options.waitForLists ?? true) await school.waitForLists();
    } catch (error) {
      await school.close();
      throw error;
    }
    return school;
  }

  /** The endpoint of a school that was opened with one. */
  get endpoint() {
    if (!this.#endpoint) throw new Error('this school has no endpoint');
    return this.#endpoint;
  }

  /** Everything the administrator has pushed. */
  get managed() {
    return { ...this.#managed };
  }

  /**
   * Builds and publishes lists; devices fetch them when they ask next.
   *
   * @param {Record<string, string[]>} categories
   * @param {{key?: import('./pack.mjs').SigningKey, sequence?: number}} [options] Another key than the school's forges it.
   */
  async publishLists(categories, { key = this.key, sequence } = {}) {
    const { file } = await buildPack(categories, { folder: this.#folder, key, sequence });
    this.publishBytes(readFileSync(file));
  }

  /**
   * Publishes any bytes as the lists.
   *
   * @param {Buffer} bytes
   */
  publishBytes(bytes) {
    this.#pack = bytes;
  }

  /**
   * Builds and publishes a list of the locked layer, keyed and signed by the school.
   *
   * @param {string[]} entries
   * @param {{sequence?: number}} [options]
   * @returns {Promise<{url: string, key: string}>} What the managed keys of its slot hold.
   */
  async publishLocked(entries, { sequence } = {}) {
    const secret = await createSecretKey(this.#folder);
    const { file } = await buildPack({ illegal: entries }, { folder: this.#folder, key: this.key, sequence, secretFile: secret.file });
    const at = `/locked-${this.#locked.size}.pack`;
    this.#locked.set(at, readFileSync(file));
    return { url: `https://${PACK_HOST}${at}`, key: secret.digits };
  }

  /** @param {import('./web.mjs').Arrival} arrival */
  #servePack({ host, path: asked }) {
    if (host !== PACK_HOST) return undefined;
    const locked = this.#locked.get(asked);
    if (locked === undefined) this.packDownloads += 1;
    const body = locked ?? this.#pack;
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
    return { type: 'application/octet-stream', body, headers: { etag } };
  }

  /** Waits until the school's own lists block, which is when settings, policy and pack have arrived. */
  async waitForLists() {
    // Not by trying pages: while one page after the other loads, Chromium puts off
    // handing out the managed settings of a first install.
    await waitFor('the managed settings of a first install', async () => (await this.kept('settings')).settings, {
      timeout_ms: 40_000,
    });
    await waitFor('the device to fetch the lists', () => this.packDownloads > 0);
    const page = await this.chromium.newPage();
    await waitFor('the school’s lists to be in force', async () => (await this.show(page, 'https://listed.example/')).kind === 'block', {
      timeout_ms: 40_000,
    });
    await page.close();
    this.web.clear();
  }

  /**
   * Changes managed keys and waits until the extension has taken them over.
   *
   * @param {Record<string, unknown>} changes A key with `undefined` is unset.
   */
  async push(changes) {
    this.#managed = Object.fromEntries(
      Object.entries({ ...this.#managed, ...changes }).filter(([, value]) => value !== undefined),
    );
    this.chromium.setManaged(this.#managed);
    await waitFor('the settings to be taken over', async () => {
      const { settings } = await this.kept('settings');
      return Object.entries(this.#managed).every(([key, value]) => settings[key] === value);
    });
  }

  /**
   * Pushes a policy and waits until it holds.
   *
   * @param {PolicyOptions} options
   */
  async pushPolicy(options) {
    const policy = policyText(options);
    await this.push({ policy });
    await waitFor('the policy to hold', async () => (await this.kept('good_policy')).good_policy === policy);
  }

  /**
   * What the extension keeps on disk under `key`.
   *
   * @param {string} key
   * @returns {Promise<Record<string, any>>}
   */
  kept(key) {
    return this.chromium.evaluateInWorker(`chrome.storage.local.get('${key}')`);
  }

  /**
   * Opens a URL as if typed and tells what the tab shows.
   *
   * @param {Page} page
   * @param {string} url
   * @returns {Promise<Shown>}
   */
  async show(page, url) {
    const { error } = await this.chromium.navigate(page, url);
    // The web of these tests answers for every name, so what the second layer sends round
    // may show the reserved host for a moment (docs/decisions/0023-second-layer.md).
    await waitFor('the reserved host to be left', () => !page.url().startsWith('https://bellgate.invalid/'));
    return waitFor('a page that stays', () => this.shown(page, error));
  }

  /**
   * What a tab shows now.
   *
   * @param {Page} page
   * @param {string | null} [error]
   * @returns {Promise<Shown>}
   */
  async shown(page, error = null) {
    const url = page.url();
    if (url.startsWith('chrome-error:') || (error !== null && !isBlockPage(url))) return { kind: 'error', title: '', text: error ?? url };
    // The block page's words are there once its script has run.
    if (isBlockPage(url)) await waitFor('the block page to be whole', () => page.evaluate("document.readyState === 'complete'"));
    const title = await page.title();
    const text = String(await page.evaluate('document.body?.innerText ?? ""'));
    return { kind: isBlockPage(url) ? 'block' : 'page', title, text };
  }

  /**
   * Waits until a tab shows a block page, or a page.
   *
   * @param {Page} page
   * @param {Shown['kind']} kind
   * @param {{timeout_ms?: number}} [options]
   */
  async waitToShow(page, kind, options) {
    return waitFor(
      `the tab to show a ${kind}`,
      async () => {
        const shown = await this.shown(page);
        return shown.kind === kind ? shown : undefined;
      },
      options,
    );
  }

  async close() {
    await this.chromium?.close();
    await this.#endpoint?.close();
    await this.web.close();
    await this.#guard.end();
  }
}

/**
 * True for the page that pupils see in place of a blocked one.
 *
 * @param {string} url
 */
export function isBlockPage(url) {
  return /^chrome-extension:\/\/[^/]+\/block\/page\.html/.test(url);
}
