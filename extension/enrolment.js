// The device's own key: made here, unreadable even to the extension, of which the
// endpoint holds the public half (docs/endpoint.md). It signs what is sent; whose
// device it is, staff decide, since pupils can read the enrolment key.

import { result, transact } from './database.js';
import { joined, post } from './endpoint.js';

/** @typedef {import('./policy.js').Settings} Settings */

/**
 * @typedef {object} DeviceKey
 * @property {CryptoKey} private_key Not extractable.
 * @property {string} public_key Raw point in base64url.
 * @property {number} sequence Of the last request signed.
 * @property {Enrolled | null} enrolled
 * @property {boolean} [doubted] Whether the endpoint refused its signature before it enrolled again.
 */

/**
 * @typedef {object} Enrolled
 * @property {string} endpoint
 * @property {string} tenant
 * @property {string | null} subject
 * @property {string} device The id the endpoint knows it by.
 */

/**
 * Signs requests of an enrolled device.
 * @typedef {object} Signer
 * @property {string} device
 * @property {(method: string, path: string, body: Uint8Array<ArrayBuffer>, now_ms: number) => Promise<Record<string, string>>} headers
 */

const ALGORITHM = 'ES256';
const KEY = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
const CURRENT = 'device';
const ENROL_AGAIN = new Set(['signature_required', 'unknown_device', 'bad_signature', 'wrong_tenant', 'replayed']);
const BASE64URL = /** @type {const} */ ({ alphabet: 'base64url', omitPadding: true });

/**
 * Makes sure that the device is enrolled; null where the school enrols none.
 * @param {Settings} settings
 * @param {string | null} subject How the school names the user, where it does.
 * @returns {Promise<Signer | null>}
 * @throws {Error} when the endpoint refuses or cannot be reached.
 */
export async function signerFor(settings, subject) {
  const { endpoint, enrolment_key, cohort } = settings;
  if (endpoint === null || enrolment_key === null) return null;
  const tenant = settings.tenant ?? 'school';
  const kept = await readKey();
  const other_user = kept?.enrolled?.subject != null && subject !== null && kept.enrolled.subject !== subject;
  // A profile that changed hands is another device.
  const key = kept === null || other_user ? await makeKey() : kept;
  const known = key.enrolled;
  const same = known?.endpoint === endpoint && known.tenant === tenant && (subject === null || known.subject === subject);
  const device = same ? known.device : await enrol(key, { endpoint, tenant, enrolment_key, subject, cohort });
  return { device, headers: (method, path, body, now_ms) => signed(device, method, path, body, now_ms) };
}

/**
 * What an endpoint's refusal asks of the enrolment: with the same key it gives the
 * same id, and tells the number of the device's last request.
 * @param {string | null} code
 */
export async function heedRefusal(code) {
  if (code === null || !ENROL_AGAIN.has(code)) return;
  const key = await readKey();
  if (key === null) return;
  // A key whose signature was refused right after enrolling is of no use.
  if (code === 'bad_signature' && key.doubted) await makeKey();
  else await writeKey({ ...key, enrolled: null, doubted: code === 'bad_signature' });
}

/**
 * @param {DeviceKey} key
 * @param {{endpoint: string, tenant: string, enrolment_key: string, subject: string | null, cohort: string | null}} school
 */
async function enrol(key, { endpoint, tenant, enrolment_key, subject, cohort }) {
  const text = `bellgate-enrol-1\n${tenant}\n${ALGORITHM}\n${key.public_key}\n${subject ?? ''}`;
  const body = {
    schema: 1,
    tenant,
    enrolment_key,
    algorithm: ALGORITHM,
    public_key: key.public_key,
    subject,
    cohort,
    signature: await sign(key.private_key, text),
  };
  const response = await post(joined(endpoint, '/v1/enrol'), new TextEncoder().encode(JSON.stringify(body)), {});
  if (!response.ok) throw new Error(`the endpoint answered ${response.status} to the enrolment`);
  const { device, last_sequence } = /** @type {{device: unknown, last_sequence: unknown}} */ (await response.json());
  if (typeof device !== 'string') throw new Error('the endpoint enrolled the device under no id');
  const sequence = Math.max(key.sequence, typeof last_sequence === 'number' ? last_sequence : 0);
  await writeKey({ ...key, sequence, enrolled: { endpoint, tenant, subject, device } });
  return device;
}

/**
 * The headers of a signed request. Its number is on disk before it is used, so that
 * none is used twice.
 * @param {string} device
 * @param {string} method
 * @param {string} path With the query.
 * @param {Uint8Array<ArrayBuffer>} body
 * @param {number} now_ms
 */
async function signed(device, method, path, body, now_ms) {
  const key = await transact(['keys'], 'readwrite', async (store) => {
    /** @type {DeviceKey | undefined} */
    const kept = await result(store('keys').get(CURRENT));
    if (kept === undefined) throw new Error('the device has no key');
    const next = { ...kept, sequence: kept.sequence + 1 };
    store('keys').put(next, CURRENT);
    return next;
  });
  const digest = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', body)));
  const text = `bellgate-request-1\n${method}\n${path}\n${digest}\n${device}\n${now_ms}\n${key.sequence}`;
  return {
    'bellgate-device': device,
    'bellgate-time': String(now_ms),
    'bellgate-sequence': String(key.sequence),
    'bellgate-signature': await sign(key.private_key, text),
  };
}

/**
 * @param {CryptoKey} private_key
 * @param {string} text
 */
async function sign(private_key, text) {
  const signature = await crypto.subtle.sign(SIGNATURE, private_key, new TextEncoder().encode(text));
  return new Uint8Array(signature).toBase64(BASE64URL);
}

/** @returns {Promise<DeviceKey>} */
async function makeKey() {
  const pair = await crypto.subtle.generateKey(KEY, false, ['sign', 'verify']);
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  /** @type {DeviceKey} */
  const key = { private_key: pair.privateKey, public_key: raw.toBase64(BASE64URL), sequence: 0, enrolled: null };
  await writeKey(key);
  return key;
}

/** @returns {Promise<DeviceKey | null>} */
async function readKey() {
  return (await transact(['keys'], 'readonly', (store) => result(store('keys').get(CURRENT)))) ?? null;
}

/** @param {DeviceKey} key */
function writeKey(key) {
  return transact(['keys'], 'readwrite', (store) => {
    store('keys').put(key, CURRENT);
  });
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
