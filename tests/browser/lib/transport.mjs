// The DevTools protocol over the pipe that `--remote-debugging-pipe` opens.

/**
 * A puppeteer transport on Chromium's debugging pipe: messages are JSON ended by a NUL byte.
 *
 * No port is opened, so no other process can join in. Workers are left out of
 * auto-attachment: a debugger attached to a service worker pauses its start and
 * keeps it alive, and a test of its lifetime would then measure the debugger.
 *
 * @typedef {import('puppeteer-core').ConnectionTransport} ConnectionTransport
 * @implements {ConnectionTransport}
 */
export class PipeTransport {
  /** @type {((message: string) => void) | undefined} */
  onmessage;
  /** @type {(() => void) | undefined} */
  onclose;
  #toBrowser;
  #pending = '';

  /**
   * @param {import('node:stream').Writable} toBrowser
   * @param {import('node:stream').Readable} fromBrowser
   */
  constructor(toBrowser, fromBrowser) {
    this.#toBrowser = toBrowser;
    fromBrowser.setEncoding('utf8');
    fromBrowser.on('data', (chunk) => this.#receive(chunk));
    fromBrowser.on('close', () => this.onclose?.());
    fromBrowser.on('error', () => this.onclose?.());
  }

  /** @param {string} message */
  send(message) {
    this.#toBrowser.write(`${withoutWorkers(message)}\0`);
  }

  close() {
    this.#toBrowser.end();
  }

  /** @param {string} chunk */
  #receive(chunk) {
    const parts = (this.#pending + chunk).split('\0');
    this.#pending = parts.pop() ?? '';
    for (const part of parts) setImmediate(() => this.onmessage?.(part));
  }
}

/** @param {string} message */
function withoutWorkers(message) {
  if (!message.includes('"Target.setAutoAttach"')) return message;
  const command = JSON.parse(message);
  const excluded = ['service_worker', 'shared_worker', 'worker'].map((type) => ({ type, exclude: true }));
  command.params.filter = [...excluded, ...(command.params.filter ?? [{}])];
  return JSON.stringify(command);
}
