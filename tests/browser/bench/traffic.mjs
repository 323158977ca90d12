// Steady traffic of all kinds, half of it to a blocked host.

/** @typedef {import('../lib/web.mjs').Handler} Handler */
/** @typedef {import('../lib/chromium.mjs').Chromium} Chromium */
/** @typedef {import('puppeteer-core').Page} Page */

export const OPEN_HOST = 'open.example';
export const BLOCKED_HOST = 'games.example';

const PAUSE_MS = 60;

/** Serves the page that sends the parts. */
export const trafficPage = /** @type {Handler} */ (
  ({ host, path }) =>
    host === OPEN_HOST && path === '/traffic'
      ? { body: `<!doctype html><meta charset="utf-8"><title>traffic</title><link rel="icon" href="data:,"><script>${SENDER}</script>` }
      : undefined
);

// Sends parts in turn to both hosts until the time is over; every one has an address of its own.
// Whether a fetch arrived is for the server to say: the page itself has nothing to do with it.
const SENDER = `
const senders = {
  fetch: (url) => fetch(url, { mode: 'no-cors' }).catch(() => {}),
  image: (url) => { new Image().src = url; },
  script: (url) => append('script', { src: url }),
  stylesheet: (url) => append('link', { rel: 'stylesheet', href: url }),
  frame: (url) => append('iframe', { src: url }),
  beacon: (url) => navigator.sendBeacon(url, 'x'),
  websocket: (url) => { const socket = new WebSocket(url.replace('https', 'wss')); socket.onopen = () => socket.close(); },
};
function append(tag, attributes) {
  const made = Object.assign(document.createElement(tag), attributes);
  document.body.append(made);
  setTimeout(() => made.remove(), 500);
}
self.send = async (run, for_ms) => {
  const sent = { blocked: 0, open: 0 };
  const until_ms = performance.now() + for_ms;
  for (let number = 0; performance.now() < until_ms; number += 1) {
    for (const [kind, sender] of Object.entries(senders)) {
      for (const [word, host] of [['blocked', '${BLOCKED_HOST}'], ['open', '${OPEN_HOST}']]) {
        sender('https://' + host + '/part?run=' + run + '&kind=' + kind + '&n=' + number);
        sent[word] += 1;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, ${PAUSE_MS}));
  }
  return sent;
};`;

/**
 * Sends parts from one tab and opens pages in another, until the time is over.
 *
 * @param {Page} page Shows the traffic page.
 * @param {Page} tab
 * @param {Chromium} chromium
 * @param {{run: string, for_ms: number}} options
 * @returns {Promise<{blocked: number, open: number}>} How many of each were sent.
 */
export async function storm(page, tab, chromium, { run, for_ms }) {
  const parts = /** @type {Promise<{blocked: number, open: number}>} */ (page.evaluate(`send('${run}', ${for_ms})`));
  const sent = { blocked: 0, open: 0 };
  const until_ms = performance.now() + for_ms;
  for (let number = 0; performance.now() < until_ms; number += 1) {
    const [word, host] = number % 2 === 0 ? /** @type {const} */ (['blocked', BLOCKED_HOST]) : /** @type {const} */ (['open', OPEN_HOST]);
    await chromium.navigate(tab, `https://${host}/page?run=${run}&kind=main_frame&n=${number}`);
    sent[word] += 1;
  }
  const { blocked, open } = await parts;
  return { blocked: sent.blocked + blocked, open: sent.open + open };
}
