// A real Chromium with force-installed extensions, private to one run.

import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'puppeteer-core';

import { PolicyFolder } from './policies.mjs';
import { supervise } from './supervise.mjs';
import { PipeTransport } from './transport.mjs';
import { UpdateServer } from './update-server.mjs';
import { waitFor, within } from './wait.mjs';

/** @typedef {import('./package.mjs').PackedExtension} PackedExtension */

/**
 * @typedef {object} Options
 * @property {PackedExtension[]} [extensions] Force-installed, in this order; the first is the one the
 *   methods without an id speak of.
 * @property {Record<string, unknown>} [managed] Managed storage of the first extension.
 * @property {Record<string, unknown>} [chromePolicies] Further Chrome policies by name.
 * @property {import('./web.mjs').Web} [web] Where every host name leads; without it only loopback is reached.
 * @property {boolean} [headless] Default: true without a display.
 * @property {number} [width] Of the window, in pixels. Default 1366, an 11.6-inch Chromebook.
 * @property {number} [height] Default 768.
 * @property {string[]} [startUrls] Pages to open at once, as a session restore would.
 * @property {string} [program] Chromium's path. Default: `$BELLGATE_CHROMIUM` or `chromium`.
 * @property {string[]} [extraArguments]
 * @property {boolean} [waitForWorkers] Wait until each extension's worker runs. Default true.
 */

/** One running Chromium; `start` makes it, `close` ends it, the end of the runner ends it too. */
export class Chromium {
  /** @type {import('puppeteer-core').Browser | undefined} */
  #browser;
  /** Where everything goes that the browser writes to its standard output and error. */
  logFile;
  #options;
  #folder;
  #policies;
  /** The server the extensions are installed and updated from. */
  updates;
  /** @type {import('./supervise.mjs').Supervised | undefined} */
  #process;
  /** @type {import('puppeteer-core').CDPSession | undefined} */
  #session;
  #managed;
  #chromePolicies;

  /**
   * @param {Options} options
   * @param {{folder: string, policies: PolicyFolder, updates: UpdateServer}} parts
   */
  constructor(options, { folder, policies, updates }) {
    this.#options = options;
    this.#folder = folder;
    this.#policies = policies;
    this.updates = updates;
    this.#managed = options.managed ?? {};
    this.#chromePolicies = options.chromePolicies ?? {};
    this.logFile = path.join(folder, 'chromium.log');
  }

  /**
   * Starts Chromium and waits until the extensions' workers run.
   *
   * @param {Options} [options]
   */
  static async start(options = {}) {
    const folder = mkdtempSync(path.join(tmpdir(), 'bellgate-chromium-'));
    const etc = path.join(folder, 'etc');
    mkdirSync(etc);
    const updates = await UpdateServer.start(options.extensions ?? []);
    const chromium = new Chromium(options, { folder, policies: new PolicyFolder(etc), updates });
    try {
      await chromium.#launch();
    } catch (error) {
      const log = chromium.log();
      await chromium.close();
      throw new Error(`chromium did not start; it wrote:\n${log}`, { cause: error });
    }
    return chromium;
  }

  async #launch() {
    this.#writePolicies();
    const { web, width = 1366, height = 768, startUrls = ['about:blank'] } = this.#options;
    const headless = this.#options.headless ?? !hasDisplay();
    const program = this.#options.program ?? process.env.BELLGATE_CHROMIUM ?? 'chromium';
    const command = [
      program,
      ...(headless ? ['--headless=new'] : []),
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--user-data-dir=${path.join(this.#folder, 'profile')}`,
      `--window-size=${width},${height}`,
      '--remote-debugging-pipe',
      '--no-first-run',
      '--no-default-browser-check',
      '--disable-sync',
      '--disable-component-update',
      '--disable-breakpad',
      '--password-store=basic',
      '--lang=en-GB',
      ...(web ? web.chromiumArguments : ['--host-resolver-rules=EXCLUDE 127.0.0.1, MAP * ~NOTFOUND']),
      ...(this.#options.extraArguments ?? []),
      ...startUrls,
    ];
    const log = openSync(this.logFile, 'a');
    const child = await supervise(this.#policies.wrap(command), {
      folder: this.#folder,
      // A home of its own: certificates, caches and crash reports stay out of the user's.
      env: { ...process.env, HOME: this.#folder, TMPDIR: this.#folder, XDG_CONFIG_HOME: undefined, XDG_CACHE_HOME: undefined },
      stdout: log,
      stderr: log,
    });
    this.#process = child;
    const transport = new PipeTransport(child.toChild, child.fromChild);
    this.#browser = await within(
      'chromium to answer on its debugging pipe',
      connect({ transport, defaultViewport: null, acceptInsecureCerts: false }),
      30_000,
    );
    this.#session = await this.#browser.target().createCDPSession();
    if (this.#options.waitForWorkers ?? true) {
      for (const { id } of this.#options.extensions ?? []) await this.waitForWorker({ id });
    }
  }

  /** Process id of the browser and of its process group. */
  get group() {
    return started(this.#process).group;
  }

  /** The puppeteer browser, for what this class does not wrap. */
  get browser() {
    return started(this.#browser);
  }

  /** A DevTools session with the browser itself. */
  get session() {
    return started(this.#session);
  }

  /** Id of the first extension. */
  get id() {
    const [first] = this.#options.extensions ?? [];
    if (!first) throw new Error('this browser was started without an extension');
    return first.id;
  }

  /**
   * Replaces the managed storage of the first extension while the browser runs.
   *
   * @param {Record<string, unknown>} values All of them: what is left out is unset.
   */
  setManaged(values) {
    this.#managed = values;
    this.#writePolicies();
  }

  /**
   * Replaces the further Chrome policies while the browser runs.
   *
   * @param {Record<string, unknown>} policies
   */
  setChromePolicies(policies) {
    this.#chromePolicies = policies;
    this.#writePolicies();
  }

  #writePolicies() {
    const extensions = this.#options.extensions ?? [];
    this.#policies.write({
      // Without it no debugger may look into a forced extension's worker.
      DeveloperToolsAvailability: 1,
      ExtensionInstallForcelist: extensions.map(({ id }) => `${id};${this.updates.url}`),
      ...this.#chromePolicies,
      ...(extensions.length > 0 ? { '3rdparty': { extensions: { [this.id]: this.#managed } } } : {}),
    });
  }

  /** A new tab. */
  async newPage() {
    return this.browser.newPage();
  }

  /**
   * Opens a URL and says where that ended: a block page, the page itself or an error page.
   *
   * @param {import('puppeteer-core').Page} page
   * @param {string} url
   * @returns {Promise<{url: string, error: string | null}>} The committed URL, and Chromium's word for a failure.
   */
  async navigate(page, url) {
    /** @type {string | null} */
    let error = null;
    try {
      await page.goto(url, { waitUntil: 'load', timeout: 20_000 });
    } catch (cause) {
      error = cause instanceof Error ? (/net::(\w+)/.exec(cause.message)?.[1] ?? cause.message) : String(cause);
    }
    return { url: page.url(), error };
  }

  /**
   * Saves what a tab shows as a PNG.
   *
   * @param {import('puppeteer-core').Page} page
   * @param {string} file
   */
  async screenshot(page, file) {
    mkdirSync(path.dirname(file), { recursive: true });
    await page.screenshot({ path: /** @type {`${string}.png`} */ (file) });
  }

  /** Every target of the browser: tabs, workers, frames. */
  async targets() {
    const { targetInfos } = await this.session.send('Target.getTargets', { filter: [{}] });
    return targetInfos;
  }

  /**
   * The extension's service worker, if it runs now.
   *
   * @param {{id?: string}} [options]
   */
  async worker({ id = this.id } = {}) {
    const targets = await this.targets();
    return targets.find(({ type, url }) => type === 'service_worker' && url.startsWith(`chrome-extension://${id}/`));
  }

  /**
   * Waits until the extension's service worker runs.
   *
   * @param {{id?: string, timeout_ms?: number}} [options]
   */
  async waitForWorker({ id = this.id, timeout_ms = 30_000 } = {}) {
    return waitFor(`the worker of ${id}`, () => this.worker({ id }), { timeout_ms });
  }

  /**
   * Evaluates an expression in the extension's worker, starting it if need be, and detaches again,
   * so that the worker's lifetime is not the debugger's.
   *
   * @param {string} expression May be a promise; its value is copied out as JSON.
   * @param {{id?: string}} [options]
   * @returns {Promise<any>}
   */
  async evaluateInWorker(expression, options = {}) {
    const { targetId } = await this.waitForWorker(options);
    const { sessionId } = await this.session.send('Target.attachToTarget', { targetId, flatten: true });
    const session = this.session.connection()?.session(sessionId);
    if (!session) throw new Error('the worker could not be attached to');
    try {
      const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    } finally {
      // Not session.detach(): the session hangs below this one, not below the connection.
      await this.session.send('Target.detachFromTarget', { sessionId });
    }
  }

  /**
   * Stops the extension's worker as Chrome does when it is idle, and waits until it is gone.
   *
   * @param {{id?: string}} [options]
   */
  async stopWorker({ id = this.id } = {}) {
    const worker = await this.worker({ id });
    if (!worker) return;
    await this.session.send('Target.closeTarget', { targetId: worker.targetId });
    await waitFor('the worker to stop', async () => (await this.worker({ id }))?.targetId !== worker.targetId);
  }

  /** Process ids of the browser and everything below it. */
  processes() {
    return descendants(this.group);
  }

  /** Process ids of the extensions' processes. */
  extensionProcesses() {
    return this.processes().filter((pid) => commandLine(pid).includes('--extension-process'));
  }

  /** Kills the extensions' processes at once, as a crash would. Returns how many. */
  killExtensionProcesses() {
    const pids = this.extensionProcesses();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return pids.length;
  }

  /** What the browser wrote so far. */
  log() {
    try {
      return readFileSync(this.logFile, 'utf8');
    } catch {
      return ''; // It has not written anything yet, or its folder is gone with it.
    }
  }

  /**
   * Closes the browser as a user would, so that it saves its state, and starts it again on the same profile.
   *
   * Does not wait for a worker unless asked: an installed extension's worker starts with its first event.
   *
   * @param {Partial<Pick<Options, 'startUrls' | 'waitForWorkers' | 'managed' | 'chromePolicies'>>} [changes]
   */
  async restart(changes = {}) {
    const { group } = this;
    await this.session.send('Browser.close');
    // Not the pipe's end: that comes before the profile is written.
    await waitFor('chromium to close', () => hasEnded(group));
    await started(this.#process).end('keep');
    this.#options = { ...this.#options, waitForWorkers: false, ...changes };
    this.#managed = changes.managed ?? this.#managed;
    this.#chromePolicies = changes.chromePolicies ?? this.#chromePolicies;
    await this.#launch();
  }

  /** Ends the browser; nothing of it is left afterwards. May be called twice. */
  async close() {
    await this.#process?.end();
    await this.updates.close();
  }
}

/**
 * @template T
 * @param {T | undefined} part
 * @returns {T}
 */
function started(part) {
  if (part === undefined) throw new Error('the browser was not started');
  return part;
}

/** True where a window can be shown. */
export function hasDisplay() {
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/**
 * Every process below `root`, from /proc.
 *
 * @param {number} root
 */
function descendants(root) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [root];
  for (let index = 0; index < found.length; index += 1) found.push(...(children.get(found[index]) ?? []));
  return found;
}

/** @param {number} pid */
function parentOf(pid) {
  try {
    // "pid (name) state ppid …": the name may hold spaces and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // It has ended since the folder was read.
  }
}

/**
 * True once a process has exited, whether or not its parent has taken note of it.
 *
 * @param {number} pid
 */
function hasEnded(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] === 'Z';
  } catch {
    return true; // Nobody knows it any more.
  }
}

/** @param {number} pid */
function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It has ended meanwhile.
  }
}
