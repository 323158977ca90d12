// A page of a hundred parts, for measuring what a filter adds to each of them.

/** @typedef {import('../lib/web.mjs').Handler} Handler */

const HOSTS = 10;
const KINDS = /** @type {const} */ ([
  ['gif', 60],
  ['js', 15],
  ['css', 10],
  ['json', 15],
]);

/** How many parts the page has beside itself. */
export const PARTS = KINDS.reduce((sum, [, count]) => sum + count, 0);

/**
 * The address of one load of the page.
 *
 * @param {'cold' | 'warm'} cache Cold: no part has been seen before. Warm: all may be in the cache.
 * @param {number} number Of the load.
 */
export function pageUrl(cache, number) {
  return `https://page.bench.example/?${cache === 'cold' ? `cold=${number}` : 'warm'}`;
}

/** Serves the page and its parts; `self.finished` is a promise of the milliseconds that all of it took. */
export const benchWeb = /** @type {Handler} */ (
  ({ host, path }) => {
    if (!host.endsWith('.bench.example')) return undefined;
    const cache = path.includes('warm') ? { 'cache-control': 'public, max-age=3600' } : undefined;
    if (host !== 'page.bench.example') return partOf(path, cache);
    const query = path.split('?')[1] ?? 'warm';
    return { body: html(query) };
  }
);

const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
/** @type {Record<string, {type: string, body: string | Buffer}>} */
const BODIES = {
  gif: { type: 'image/gif', body: PIXEL },
  js: { type: 'text/javascript', body: '"part";' },
  css: { type: 'text/css', body: '.part { color: inherit }' },
  json: { type: 'application/json', body: '{}' },
};

/**
 * @param {string} path
 * @param {Record<string, string> | undefined} headers
 */
function partOf(path, headers) {
  const ending = path.split('?')[0].split('.').pop() ?? '';
  return BODIES[ending] ? { ...BODIES[ending], headers } : undefined;
}

/** @param {string} query */
function html(query) {
  let number = 0;
  const urls = KINDS.flatMap(([ending, count]) =>
    Array.from({ length: count }, () => {
      number += 1;
      return { ending, url: `https://p${number % HOSTS}.bench.example/part/${number}.${ending}?${query}` };
    }),
  );
  const of = (/** @type {string} */ wanted) => urls.filter(({ ending }) => ending === wanted).map(({ url }) => url);
  return `<!doctype html><meta charset="utf-8"><title>bench</title><link rel="icon" href="data:,">
${of('css').map((url) => `<link rel="stylesheet" href="${url}">`).join('\n')}
<script>
self.finished = Promise.all([
  new Promise((resolve) => addEventListener('load', resolve)),
  ...${JSON.stringify(of('json'))}.map((url) => fetch(url).then((answer) => answer.text())),
]).then(() => performance.now());
</script>
${of('gif').map((url) => `<img src="${url}" width="1" height="1" alt="">`).join('\n')}
${of('js').map((url) => `<script src="${url}"></script>`).join('\n')}`;
}
