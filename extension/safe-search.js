// Safe search and YouTube's restricted mode (T42), as their publishers document them:
// parameters in the address, which the listener adds, or a header, which Chrome adds.
//
// The parameters are the listener's work although a rule of Chrome's could add them:
// Chromium does not hold a request that a rule has redirected for the listener
// (decision 0023), and of 20 navigations to a search engine that the school blocks six
// were loaded that way.

/** @typedef {chrome.declarativeNetRequest.Rule} Rule */

/**
 * Search engines with a parameter for their strictest results. An engine that has
 * none belongs to a category of its own.
 */
const ENGINES = [
  // Google, with every country's name.
  { address: /^https:\/\/(www\.)?google\.[a-z.]+\/(search|images|imghp|webhp)?([?#].*)?$/, parameters: { safe: 'active', ssui: 'on' } },
  { address: /^https:\/\/([a-z]+\.)?bing\.com\//, parameters: { adlt: 'strict' } },
  { address: /^https:\/\/([a-z]+\.)?duckduckgo\.com\//, parameters: { kp: '1' } },
  { address: /^https:\/\/([a-z]+\.)*search\.yahoo\.com\//, parameters: { vm: 'r' } },
];

/** What a search is asked for as. */
const SEARCHED_AS = new Set(['main_frame', 'sub_frame', 'xmlhttprequest']);

/** Hosts that heed the header `YouTube-Restrict`. */
const YOUTUBE = ['www.youtube.com', 'm.youtube.com', 'youtubei.googleapis.com', 'youtube.googleapis.com', 'www.youtube-nocookie.com'];

/** @type {Record<'moderate' | 'strict', string>} */
const YOUTUBE_MODES = { moderate: 'Moderate', strict: 'Strict' };

/**
 * The address under which a search engine answers strictly; null where there is nothing
 * to change. The rest of the query stays as it is, byte for byte.
 * @param {string} url
 * @param {string} type Chrome's resource type.
 * @returns {string | null}
 */
export function saferAddress(url, type) {
  if (!SEARCHED_AS.has(type)) return null;
  const engine = ENGINES.find(({ address }) => address.test(url));
  if (engine === undefined) return null;
  const [whole = '', fragment] = url.split(/#(.*)/s);
  const [page = '', query = ''] = whole.split(/\?(.*)/s);
  const wanted = Object.entries(engine.parameters);
  const given = query === '' ? [] : query.split('&');
  const others = given.filter((part) => !wanted.some(([key]) => part === key || part.startsWith(`${key}=`)));
  const set = wanted.map(([key, value]) => `${key}=${value}`);
  if (given.length === others.length + set.length && set.every((part) => given.includes(part))) return null;
  return `${page}?${[...others, ...set].join('&')}${fragment === undefined ? '' : `#${fragment}`}`;
}

/**
 * The rules for the header that the policy asks for; none where it asks for nothing.
 * @param {'none' | 'moderate' | 'strict'} youtube
 * @param {number} priority
 * @returns {Omit<Rule, 'id'>[]}
 */
export function youtubeRules(youtube, priority) {
  if (youtube === 'none') return [];
  return [
    {
      priority,
      action: {
        type: 'modifyHeaders',
        requestHeaders: [{ header: 'YouTube-Restrict', operation: 'set', value: YOUTUBE_MODES[youtube] }],
      },
      condition: { requestDomains: YOUTUBE, resourceTypes: ['main_frame', 'sub_frame', 'xmlhttprequest', 'media'] },
    },
  ];
}
