// Packing a throwaway extension.

import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

/**
 * @typedef {object} PackedExtension
 * @property {string} id 32 letters a-p.
 * @property {string} version
 * @property {Buffer} crx
 */

/**
 * The id Chrome gives an extension with this public key: the first 32 hexadecimal
 * digits of its SHA-256, written with the letters a to p.
 *
 * @param {Buffer} publicKeyDer
 */
export function extensionId(publicKeyDer) {
  const digest = createHash('sha256').update(publicKeyDer).digest('hex').slice(0, 32);
  return [...digest].map((digit) => String.fromCharCode(97 + parseInt(digit, 16))).join('');
}

/** A fresh RSA key for throwaway extensions; keep it to pack a second version with the same id. */
export function createKey() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    der: publicKey.export({ type: 'spki', format: 'der' }),
  };
}

/**
 * Packs files into a .crx with Chromium itself.
 *
 * @param {Record<string, string | Buffer>} files Contents by path inside the extension; `manifest.json` is among them.
 * @param {object} options
 * @param {string} options.folder An existing folder for the files.
 * @param {string} [options.chromium]
 * @param {{pem: string, der: Buffer}} [options.key]
 * @returns {Promise<PackedExtension>}
 */
export async function packExtension(files, { folder, chromium = 'chromium', key = createKey() }) {
  const work = mkdtempSync(path.join(folder, 'pack-'));
  const source = path.join(work, 'extension');
  for (const [name, text] of Object.entries(files)) {
    const target = path.join(source, name);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  const keyFile = path.join(work, 'key.pem');
  writeFileSync(keyFile, key.pem);
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  await promisify(execFile)(
    chromium,
    [...root, '--headless=new', `--user-data-dir=${path.join(work, 'profile')}`, `--pack-extension=${source}`, `--pack-extension-key=${keyFile}`],
    { env: { ...process.env, HOME: work } },
  );
  const crx = readFileSync(`${source}.crx`);
  rmSync(work, { recursive: true, force: true });
  return { id: extensionId(key.der), version: JSON.parse(String(files['manifest.json'])).version, crx };
}
