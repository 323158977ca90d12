// Chromium's policy folder of one run.

import { copyFileSync, existsSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PRIVATE_POLICIES = fileURLToPath(new URL('private-policies.sh', import.meta.url));

// Chromium waits five seconds after the newest modification time it sees before it
// reads its policies again. A time that never changes spares the tests that wait.
const CONSTANT_MTIME = new Date('2020-01-01T00:00:00Z');

/** The folder that stands for /etc/chromium in the browser's mount namespace. */
export class PolicyFolder {
  #folder;
  #managed;

  /** @param {string} folder An empty folder of the run. */
  constructor(folder) {
    this.#folder = folder;
    this.#managed = path.join(folder, 'policies', 'managed');
    mkdirSync(this.#managed, { recursive: true });
    if (existsSync('/etc/chromium/master_preferences')) {
      copyFileSync('/etc/chromium/master_preferences', path.join(folder, 'master_preferences'));
    }
  }

  /**
   * Replaces every policy at once; a running Chromium reads them again by itself.
   *
   * @param {Record<string, unknown>} policies Chrome policies by name, `3rdparty` among them.
   */
  write(policies) {
    const fresh = path.join(this.#folder, 'fresh.json');
    writeFileSync(fresh, JSON.stringify(policies));
    utimesSync(fresh, CONSTANT_MTIME, CONSTANT_MTIME);
    renameSync(fresh, path.join(this.#managed, 'run.json'));
    utimesSync(this.#managed, CONSTANT_MTIME, CONSTANT_MTIME);
  }

  /**
   * The command line that runs `command` under these policies.
   *
   * @param {string[]} command
   */
  wrap(command) {
    return ['sh', PRIVATE_POLICIES, this.#folder, ...command];
  }
}
