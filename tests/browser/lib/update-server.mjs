// The local server that a forced extension is installed and updated from.

import http from 'node:http';

/** Serves `updates.xml` and the .crx files of the extensions it is given. */
export class UpdateServer {
  /** Requests for a .crx so far. */
  downloads = 0;
  /** While true, every .crx download is refused with 503: an install that is not complete yet. */
  refusing = false;
  /** @type {Map<string, import('./package.mjs').PackedExtension>} */
  #extensions = new Map();
  #server = http.createServer((request, response) => this.#answer(request, response));
  #port = 0;

  /** @param {import('./package.mjs').PackedExtension[]} extensions */
  static async start(extensions) {
    const server = new UpdateServer();
    extensions.forEach((extension) => server.offer(extension));
    await new Promise((resolve) => server.#server.listen(0, '127.0.0.1', () => resolve(undefined)));
    server.#server.unref();
    const address = server.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the update server has no port');
    server.#port = address.port;
    return server;
  }

  /**
   * Offers an extension, or a newer version of one.
   *
   * @param {import('./package.mjs').PackedExtension} extension
   */
  offer(extension) {
    this.#extensions.set(extension.id, extension);
  }

  /** Address of `updates.xml`. */
  get url() {
    return `http://127.0.0.1:${this.#port}/updates.xml`;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(() => resolve(undefined)));
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  #answer(request, response) {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname === '/updates.xml') {
      const apps = [...this.#extensions.values()].map(
        ({ id, version }) =>
          `<app appid='${id}'><updatecheck codebase='http://127.0.0.1:${this.#port}/${id}-${version}.crx' version='${version}'/></app>`,
      );
      response.setHeader('content-type', 'text/xml');
      response.end(
        `<?xml version='1.0' encoding='UTF-8'?><gupdate xmlns='http://www.google.com/update2/response' protocol='2.0'>${apps.join('')}</gupdate>`,
      );
      return;
    }
    const extension = this.#extensions.get(pathname.slice(1, 33));
    if (!extension || !pathname.endsWith('.crx')) {
      response.writeHead(404).end();
      return;
    }
    this.downloads += 1;
    if (this.refusing) {
      response.writeHead(503).end();
      return;
    }
    response.setHeader('content-type', 'application/x-chrome-extension');
    response.end(extension.crx);
  }
}
