// The school endpoint of one run: `bellgate serve` on a database of its own.

import http from 'node:http';
import path from 'node:path';

import { bellgate, bellgateCommand } from './product.mjs';
import { supervise } from './supervise.mjs';
import { within } from './wait.mjs';

/** A stored event as `bellgate events list --json` prints it. @typedef {Record<string, any>} StoredEvent */

/**
 * `bellgate serve` behind a relay on the loopback interface.
 *
 * The relay sees what a device sends whether or not it is stored, and can refuse
 * it, as a dead endpoint would.
 */
export class SchoolEndpoint {
  /** Bodies of every batch that devices sent to /v1/events, in order. @type {any[]} */
  batches = [];
  /** While true, the relay answers nothing but 503. */
  down = false;
  /** While true, the endpoint stores a batch but the device never hears of it. */
  deaf = false;
  #process;
  #database;
  #target;
  #relay = http.createServer((request, response) => void this.#pass(request, response));
  #port = 0;

  /**
   * @param {import('./supervise.mjs').Supervised} process
   * @param {string} database
   * @param {string} target
   */
  constructor(process, database, target) {
    this.#process = process;
    this.#database = database;
    this.#target = target;
  }

  /**
   * @param {object} options
   * @param {string} options.folder Where the database goes.
   * @param {string} options.tenant
   * @param {string} options.enrolmentKey
   * @param {string} [options.packs] A folder to serve at /v1/packs/.
   */
  static async start({ folder, tenant, enrolmentKey, packs }) {
    const database = path.join(folder, 'events.db');
    const command = [bellgateCommand(), 'serve', '--listen', '127.0.0.1:0', '--database', database];
    command.push('--tenant', tenant, '--enrolment-key', enrolmentKey, ...(packs ? ['--packs', packs] : []));
    const process = await supervise(command, { stdout: 'pipe', stderr: 'inherit' });
    const ready = await within(
      'the endpoint to be ready',
      new Promise((resolve, reject) => {
        process.stdout?.once('data', (chunk) => resolve(JSON.parse(String(chunk).split('\n')[0])));
        process.stdout?.once('end', () => reject(new Error('`bellgate serve` ended at once')));
      }),
    );
    const endpoint = new SchoolEndpoint(process, database, ready.url);
    await new Promise((resolve) => endpoint.#relay.listen(0, '127.0.0.1', () => resolve(undefined)));
    endpoint.#relay.unref();
    const address = endpoint.#relay.address();
    if (address === null || typeof address === 'string') throw new Error('the relay has no port');
    endpoint.#port = address.port;
    return endpoint;
  }

  /** What managed policy states as `endpoint`. */
  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Ids of all events that devices sent, each once. */
  reportedIds() {
    return [...new Set(this.batches.flatMap(({ events }) => events.map((/** @type {StoredEvent} */ event) => event.id)))];
  }

  /**
   * The events in the database, newest first.
   *
   * @returns {Promise<StoredEvent[]>}
   */
  async stored() {
    const lines = await bellgate('events', 'list', '--database', this.#database, '--json', '--limit', '0');
    return lines.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  async close() {
    this.#relay.closeAllConnections();
    await new Promise((resolve) => this.#relay.close(() => resolve(undefined)));
    await this.#process.end();
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  async #pass(request, response) {
    try {
      /** @type {Buffer[]} */
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      if (this.down) {
        response.writeHead(503, { 'retry-after': '1', 'access-control-allow-origin': '*' }).end();
        return;
      }
      if (request.url === '/v1/events' && request.method === 'POST') this.batches.push(JSON.parse(body.toString()));
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers)) if (!HOP_HEADERS.has(name)) headers.set(name, String(value));
      const answer = await fetch(this.#target + request.url, {
        method: request.method,
        headers,
        body: body.length > 0 ? body : undefined,
      });
      const answered = Buffer.from(await answer.arrayBuffer());
      if (this.deaf && request.method === 'POST') {
        request.socket.destroy();
        return;
      }
      answer.headers.forEach((value, name) => {
        if (!HOP_HEADERS.has(name)) response.setHeader(name, value);
      });
      response.writeHead(answer.status);
      response.end(answered);
    } catch {
      // A device or an endpoint that went away: the device will try again.
      response.destroy();
    }
  }
}

/** Headers of one connection only; `fetch` sets its own. */
const HOP_HEADERS = new Set(['connection', 'content-length', 'host', 'keep-alive', 'transfer-encoding', 'content-encoding', 'expect']);
