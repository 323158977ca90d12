// What scripts/build made: the packed extension and the `bellgate` command.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { extensionId } from './package.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COMMANDS = ['target/release/bellgate', 'target/debug/bellgate'];
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * The packed extension in dist/.
 *
 * @returns {import('./package.mjs').PackedExtension}
 * @throws {Error} saying what to run where it has not been built.
 */
export function builtExtension() {
  const manifest = `${ROOT}dist/bellgate/manifest.json`;
  const crx = `${ROOT}dist/bellgate.crx`;
  if (!existsSync(manifest) || !existsSync(crx)) throw new Error('there is no dist/bellgate.crx: run scripts/build');
  const { key, version } = JSON.parse(readFileSync(manifest, 'utf8'));
  if (!key) throw new Error('dist/bellgate/manifest.json has no `key`: its id cannot be told');
  return { id: extensionId(Buffer.from(key, 'base64')), version, crx: readFileSync(crx) };
}

/** Path of the `bellgate` command: `$BELLGATE_COMMAND`, or the newest that cargo built. */
export function bellgateCommand() {
  if (process.env.BELLGATE_COMMAND) return process.env.BELLGATE_COMMAND;
  const built = COMMANDS.map((name) => ROOT + name).filter((file) => existsSync(file));
  built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (built.length === 0) throw new Error('there is no `bellgate` command: run cargo build -p bellgate-cli');
  return built[0];
}

/**
 * Runs `bellgate` and returns what it printed.
 *
 * @param {...string} args
 * @throws {Error} with its standard error where it fails.
 */
export async function bellgate(...args) {
  try {
    const { stdout } = await promisify(execFile)(bellgateCommand(), args, { cwd: ROOT, maxBuffer: MAX_OUTPUT_BYTES });
    return stdout;
  } catch (cause) {
    const { stderr } = /** @type {{stderr?: string}} */ (cause);
    throw new Error(`\`bellgate ${args[0]} ${args[1] ?? ''}\` failed: ${stderr?.trim() || cause}`, { cause });
  }
}

/** The repository's root, with a slash at its end. */
export const root = ROOT;
