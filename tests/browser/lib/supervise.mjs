// Child processes that cannot outlive the runner.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SUPERVISE = fileURLToPath(new URL('supervise.sh', import.meta.url));

/**
 * @typedef {object} Supervised
 * @property {number} group Process id of the command and of its process group.
 * @property {import('node:stream').Readable | null} stdout Standard output, where `pipe` was asked for.
 * @property {import('node:stream').Writable} toChild Descriptor 3 of the command.
 * @property {import('node:stream').Readable} fromChild Descriptor 4 of the command.
 * @property {Promise<void>} ended Settles when the command's group is dead and its folder gone.
 * @property {(folder?: 'remove' | 'keep') => Promise<void>} end Kills the group and waits until it is
 *   gone; may be called twice.
 */

/**
 * Starts a command whose process group dies with this process, however this process ends.
 *
 * @param {string[]} command The program and its arguments.
 * @param {object} [options]
 * @param {string} [options.folder] Removed with everything in it once the group is dead.
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {number | 'ignore' | 'inherit' | 'pipe'} [options.stdout] Where standard output goes.
 * @param {number | 'ignore' | 'inherit'} [options.stderr] Where standard error goes.
 * @returns {Promise<Supervised>}
 */
export async function supervise(command, options = {}) {
  const child = spawn('sh', [SUPERVISE, options.folder ?? '', ...command], {
    // A session of its own: a terminal's Ctrl-C reaches the runner, not the supervisor.
    detached: true,
    env: options.env ?? process.env,
    stdio: ['pipe', options.stdout ?? 'ignore', options.stderr ?? 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [keepAlive, , , toChild, fromChild, report] = /** @type {any[]} */ (child.stdio);
  keepAlive.on('error', () => {});
  toChild.on('error', () => {});
  const ended = new Promise((resolve) => child.once('exit', () => resolve(undefined)));
  const group = await new Promise((resolve, reject) => {
    child.once('error', reject);
    report.once('data', (/** @type {Buffer} */ chunk) => resolve(Number(chunk.toString())));
    child.once('exit', () => reject(new Error(`\`${command[0]}\` could not be started`)));
  });
  /** @param {'remove' | 'keep'} [folder] */
  const end = async (folder = 'remove') => {
    if (!keepAlive.writableEnded) keepAlive.end(folder === 'keep' ? 'keep\n' : undefined);
    await ended;
  };
  return { group, stdout: child.stdout, toChild, fromChild, ended, end };
}

/**
 * Sees to it that a folder is removed when this process is gone, even if it is killed.
 *
 * @param {string} folder
 */
export async function guardFolder(folder) {
  return supervise(['sleep', 'infinity'], { folder });
}
