// A small world wide web on the loopback interface that counts what reaches it.

import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

import { answerWebSocket } from './websocket.mjs';

/**
 * One request that reached the server: the proof that a filter let it through.
 *
 * @typedef {object} Arrival
 * @property {string} host Without a port.
 * @property {string} path With the query.
 * @property {string} type `document`, `iframe`, `image`, `empty` (fetch) … as in Sec-Fetch-Dest,
 *   `websocket`, or `unknown` where Chromium does not say (plain http).
 * @property {string} method
 * @property {string} body At most 64 KiB of it.
 * @property {number} at_ms Milliseconds since the Unix epoch.
 */

/**
 * @typedef {object} Page
 * @property {string} [type] Content type; HTML without one.
 * @property {string | Buffer} body
 * @property {number} [status]
 * @property {Record<string, string>} [headers]
 */

/**
 * What answers a request: a page, or nothing to leave the request to the next handler.
 *
 * @typedef {(arrival: Arrival) => Page | undefined | Promise<Page | undefined>} Handler
 */

const MAX_BODY_BYTES = 65_536;

/** An HTTP and HTTPS server for every host name, with a WebSocket echo on every path. */
export class Web {
  /** Everything that arrived since the start or the last `clear`. @type {Arrival[]} */
  arrivals = [];
  /** @type {Handler[]} */
  #handlers = [];
  #plain;
  #secure;
  #certificate;
  #ports = { plain: 0, secure: 0 };

  /** @param {{key: string, cert: string}} certificate */
  constructor(certificate) {
    this.#certificate = certificate;
    /** @type {http.RequestListener} */
    const listener = (request, response) => void this.#answer(request, response);
    this.#plain = http.createServer(listener);
    this.#secure = https.createServer(certificate, listener);
    for (const server of [this.#plain, this.#secure]) {
      server.on('upgrade', (request, socket) => {
        this.arrivals.push(arrivalOf(request, 'websocket', ''));
        answerWebSocket(request, socket);
      });
    }
  }

  /**
   * Starts both servers on free ports of the loopback interface.
   *
   * @param {...Handler} handlers Asked in order; what none of them answers gets a plain page,
   *   image, script, style sheet or JSON text by the ending of its path.
   */
  static async start(...handlers) {
    const web = new Web(selfSignedCertificate());
    web.#handlers = handlers;
    web.#ports = { plain: await listen(web.#plain), secure: await listen(web.#secure) };
    return web;
  }

  /** Chromium's switches that send every host name here and nothing anywhere else. */
  get chromiumArguments() {
    const publicKey = new X509Certificate(this.#certificate.cert).publicKey.export({ type: 'spki', format: 'der' });
    const fingerprint = createHash('sha256').update(publicKey).digest('base64');
    const rules = [
      'EXCLUDE 127.0.0.1',
      `MAP *:80 127.0.0.1:${this.#ports.plain}`,
      `MAP *:443 127.0.0.1:${this.#ports.secure}`,
      'MAP * ~NOTFOUND',
    ];
    return [`--host-resolver-rules=${rules.join(', ')}`, `--ignore-certificate-errors-spki-list=${fingerprint}`];
  }

  /**
   * Puts a handler before the others.
   *
   * @param {Handler} handler
   */
  serve(handler) {
    this.#handlers.unshift(handler);
  }

  /**
   * How many requests arrived that match every field given.
   *
   * @param {{host?: string, path?: string, type?: string}} [wanted] `path` also matches with a query behind it.
   */
  count(wanted = {}) {
    return this.arrivals.filter((arrival) => matches(arrival, wanted)).length;
  }

  /** Forgets what arrived. */
  clear() {
    this.arrivals = [];
  }

  async close() {
    for (const server of [this.#plain, this.#secure]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(() => resolve(undefined)));
    }
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  async #answer(request, response) {
    const body = await bodyOf(request);
    const arrival = arrivalOf(request, header(request, 'sec-fetch-dest') ?? 'unknown', body);
    this.arrivals.push(arrival);
    let page;
    for (const handler of this.#handlers) {
      page = await handler(arrival);
      if (page) break;
    }
    page ??= plainPage(arrival);
    response.writeHead(page.status ?? 200, {
      'content-type': page.type ?? 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
      ...page.headers,
    });
    response.end(page.body);
  }
}

const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

/**
 * @param {Arrival} arrival
 * @returns {Page}
 */
function plainPage({ host, path }) {
  const { pathname } = new URL(path, 'http://host');
  const ending = pathname.split('.').pop();
  if (ending === 'gif' || ending === 'png' || ending === 'ico') return { type: 'image/gif', body: PIXEL };
  if (ending === 'js') return { type: 'text/javascript', body: 'self.loaded = (self.loaded ?? 0) + 1;' };
  if (ending === 'css') return { type: 'text/css', body: 'body { margin: 1rem }' };
  if (ending === 'json') return { type: 'application/json', body: '{}' };
  return { body: `<!doctype html><meta charset="utf-8"><title>${host}</title><h1>${host}</h1><p>${pathname}</p>` };
}

/**
 * @param {Arrival} arrival
 * @param {{host?: string, path?: string, type?: string}} wanted
 */
function matches(arrival, { host, path, type }) {
  return (
    (host === undefined || arrival.host === host) &&
    (path === undefined || arrival.path === path || arrival.path.startsWith(`${path}?`)) &&
    (type === undefined || arrival.type === type)
  );
}

/**
 * @param {http.IncomingMessage} request
 * @param {string} type
 * @param {string} body
 * @returns {Arrival}
 */
function arrivalOf(request, type, body) {
  return {
    host: (request.headers.host ?? '').replace(/:\d+$/, ''),
    path: request.url ?? '/',
    type,
    method: request.method ?? 'GET',
    body,
    at_ms: Date.now(),
  };
}

/** @param {http.IncomingMessage} request */
async function bodyOf(request) {
  /** @type {Buffer[]} */
  const chunks = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    }
  } catch {
    // The browser went away in the middle: what came is all there is.
  }
  return Buffer.concat(chunks).toString();
}

/**
 * @param {http.IncomingMessage} request
 * @param {string} name
 */
function header(request, name) {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** @param {http.Server | https.Server} server */
async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the web server has no port');
  return address.port;
}

function selfSignedCertificate() {
  const command = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-keyout', '-', '-out', '-', '-days', '2', '-subj', '/CN=local test web'];
  let pem;
  try {
    pem = execFileSync('openssl', [...command, ...names], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (cause) {
    throw new Error('no certificate could be made: install `openssl`', { cause });
  }
  const [key, cert] = ['PRIVATE KEY', 'CERTIFICATE'].map((label) => {
    const found = new RegExp(`-----BEGIN ${label}-----[^]+?-----END ${label}-----`).exec(pem);
    if (!found) throw new Error(`openssl printed no ${label}`);
    return found[0];
  });
  return { key, cert };
}
