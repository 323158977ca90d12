// List packs for tests and the demo, made by `bellgate lists build`.

import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';

import { bellgate, root } from './product.mjs';

/**
 * A pack on disk.
 *
 * @typedef {object} BuiltPack
 * @property {string} file
 * @property {string} publicKey Base64, as the managed key `pack_keys` takes it.
 */

/** A signing key of this run: its file, and its public half in base64. @typedef {{file: string, publicKey: string}} SigningKey */

/**
 * Makes a signing key.
 *
 * @param {string} folder
 * @returns {Promise<SigningKey>}
 */
export async function createSigningKey(folder) {
  const file = path.join(mkdtempSync(path.join(folder, 'key-')), 'signing-key');
  const publicKey = (await bellgate('lists', 'keygen', '--out', file)).trim();
  return { file, publicKey };
}

/**
 * Makes the secret key of a keyed pack.
 *
 * @param {string} folder
 * @returns {Promise<{file: string, digits: string}>}
 */
export async function createSecretKey(folder) {
  const file = path.join(mkdtempSync(path.join(folder, 'secret-')), 'secret-key');
  await bellgate('lists', 'keygen', '--secret', '--out', file);
  return { file, digits: readFileSync(file, 'utf8').trim() };
}

/**
 * @typedef {object} PackOptions
 * @property {string} folder
 * @property {SigningKey} [key]
 * @property {number} [sequence] Says which of two packs is newer.
 * @property {string} [secretFile] Makes it a keyed pack.
 */

/**
 * Builds a pack from hosts and paths by category.
 *
 * @param {Record<string, string[]>} categories
 * @param {PackOptions} options
 * @returns {Promise<BuiltPack>}
 */
export async function buildPack(categories, options) {
  const { folder } = options;
  const work = mkdtempSync(path.join(folder, 'lists-'));
  for (const [category, entries] of Object.entries(categories)) {
    writeFileSync(path.join(work, `${category}.txt`), `${entries.join('\n')}\n`);
  }
  return build([work], options);
}

/**
 * Builds the pack a fresh machine can build: the repository's own lists.
 *
 * @param {{folder: string}} options
 */
export function buildOwnPack({ folder }) {
  const lists = path.join(root, 'lists/curated');
  if (!existsSync(lists)) throw new Error(`there is no folder ${lists}`);
  return build([lists], { folder });
}

/**
 * Builds a pack of made-up hosts, most of them `adult` as in real lists.
 *
 * @param {{folder: string, hosts: number}} options
 */
export async function buildBigPack({ folder, hosts }) {
  const work = path.join(folder, 'big-lists');
  mkdirSync(work);
  const names = ['adult', 'adult', 'adult', 'malware', 'gambling', 'phishing', 'games', 'social-media'];
  const files = new Map([...new Set(names)].map((name) => [name, createWriteStream(path.join(work, `${name}.txt`))]));
  for (let number = 0; number < hosts; number += 1) {
    const file = files.get(names[number % names.length]);
    // Spread over made-up registrable domains, a third of them with a name in front.
    const host = `${number % 3 === 0 ? 'www.' : ''}h${number.toString(36)}-${(number * 7919) % 9973}.example.net`;
    if (file && !file.write(`${host}\n`)) await once(file, 'drain');
  }
  for (const file of files.values()) {
    file.end();
    await once(file, 'finish');
  }
  return build([work], { folder });
}

/**
 * @param {string[]} from
 * @param {PackOptions} options
 * @returns {Promise<BuiltPack & {bytes: number}>}
 */
async function build(from, { folder, key, sequence, secretFile }) {
  const signing = key ?? (await createSigningKey(folder));
  const file = path.join(mkdtempSync(path.join(folder, 'pack-')), 'lists.pack');
  const args = ['--out', file, '--sign-key', signing.file, ...(sequence ? ['--sequence', String(sequence)] : []), ...(secretFile ? ['--secret-key', secretFile] : [])];
  await bellgate('lists', 'build', ...from.flatMap((each) => ['--from', each]), ...args);
  return { file, publicKey: signing.publicKey, bytes: statSync(file).size };
}
