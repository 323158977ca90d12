// A page that asks another host for a part of every kind.

/** @typedef {import('./web.mjs').Handler} Handler */

/**
 * The kinds of parts, by the path under which each is asked for, and what Chrome calls their type.
 *
 * @type {Record<string, {path: string, type: string}>}
 */
export const PARTS = {
  image: { path: '/part/image.gif', type: 'image' },
  background: { path: '/part/background.gif', type: 'image' },
  script: { path: '/part/script.js', type: 'script' },
  module: { path: '/part/module.js', type: 'script' },
  stylesheet: { path: '/part/style.css', type: 'stylesheet' },
  font: { path: '/part/font.woff2', type: 'font' },
  frame: { path: '/part/frame', type: 'sub_frame' },
  object: { path: '/part/object', type: 'object' },
  embed: { path: '/part/embed', type: 'object' },
  video: { path: '/part/video.mp4', type: 'media' },
  xhr: { path: '/part/xhr.json', type: 'xmlhttprequest' },
  fetch: { path: '/part/fetch.json', type: 'xmlhttprequest' },
  keepalive: { path: '/part/keepalive.json', type: 'xmlhttprequest' },
  events: { path: '/part/events', type: 'xmlhttprequest' },
  beacon: { path: '/part/beacon', type: 'ping' },
  prefetch: { path: '/part/prefetch', type: 'other' },
  websocket: { path: '/part/websocket', type: 'websocket' },
};

/**
 * Serves `https://HOST/parts?from=OTHER`: a page with every part in `PARTS` from OTHER.
 *
 * Once each part has loaded or failed, `self.outcomes` has an entry for each and the
 * title is `done`.
 *
 * @param {string} host
 * @returns {Handler}
 */
export function partsPage(host) {
  return (arrival) => {
    if (arrival.path.startsWith('/part/')) return part(arrival.path);
    const url = new URL(arrival.path, 'https://host');
    if (arrival.host !== host || url.pathname !== '/parts') return undefined;
    return { body: html(url.searchParams.get('from') ?? '') };
  };
}

/** @param {string} path */
function part(path) {
  if (path.startsWith(PARTS.events.path)) return { type: 'text/event-stream', body: 'data: hello\n\n' };
  if (path.startsWith(PARTS.font.path)) return { type: 'font/woff2', body: '' };
  if (path.startsWith(PARTS.video.path)) return { type: 'video/mp4', body: '' };
  return undefined;
}

/** @param {string} from */
function html(from) {
  const at = Object.fromEntries(Object.entries(PARTS).map(([kind, { path }]) => [kind, `https://${from}${path}`]));
  return `<!doctype html><meta charset="utf-8"><title>parts</title><link rel="icon" href="data:,">
<style>
  @font-face { font-family: part; src: url(${at.font}) }
  #font { font-family: part }
  #background { width: 9px; height: 9px; background: url(${at.background}) }
</style>
<p id="font">font</p><div id="background"></div>
<script>
self.outcomes = {};
const expected = ${JSON.stringify(Object.keys(PARTS))};
function settle(kind, outcome) {
  outcomes[kind] ??= outcome;
  if (expected.every((name) => name in outcomes)) document.title = 'done';
}
function element(kind, tag, attributes) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.onload = () => settle(kind, 'loaded');
  made.onerror = () => settle(kind, 'failed');
  document.body.append(made);
}
element('image', 'img', { src: '${at.image}' });
element('script', 'script', { src: '${at.script}' });
element('module', 'script', { type: 'module', src: '${at.module}' });
element('stylesheet', 'link', { rel: 'stylesheet', href: '${at.stylesheet}' });
element('frame', 'iframe', { src: '${at.frame}' });
element('object', 'object', { data: '${at.object}' });
element('embed', 'embed', { src: '${at.embed}' });
element('video', 'video', { src: '${at.video}', preload: 'auto' });
element('prefetch', 'link', { rel: 'prefetch', href: '${at.prefetch}' });
fetch('${at.fetch}').then(() => settle('fetch', 'loaded'), () => settle('fetch', 'failed'));
fetch('${at.keepalive}', { keepalive: true }).then(() => settle('keepalive', 'loaded'), () => settle('keepalive', 'failed'));
const xhr = new XMLHttpRequest();
xhr.onload = () => settle('xhr', 'loaded');
xhr.onerror = () => settle('xhr', 'failed');
xhr.open('GET', '${at.xhr}');
xhr.send();
const events = new EventSource('${at.events}');
events.onmessage = () => { settle('events', 'loaded'); events.close(); };
events.onerror = () => { settle('events', 'failed'); events.close(); };
const socket = new WebSocket('${at.websocket.replace('https', 'wss')}');
socket.onopen = () => settle('websocket', 'loaded');
socket.onerror = () => settle('websocket', 'failed');
settle('beacon', navigator.sendBeacon('${at.beacon}', 'x') ? 'sent' : 'refused');
document.fonts.ready.then(() => settle('font', 'asked'));
// A background picture tells nobody that it failed: its request is over when a later one is.
fetch('/after.json').then(() => requestAnimationFrame(() => settle('background', 'asked')));
// Nor do frames whose content was refused say so reliably.
setTimeout(() => { for (const kind of ['object', 'embed', 'frame', 'prefetch', 'video']) settle(kind, 'silent'); }, 1500);
</script>`;
}
