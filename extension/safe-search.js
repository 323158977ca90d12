// Safe search and YouTube's restricted mode (T42), as their publishers document
// them: parameters in the address, or a header. Chrome applies the rules itself, so
// they cost the listener nothing.

/** @typedef {chrome.declarativeNetRequest.Rule} Rule */

/**
 * Search engines with a parameter for their strictest results. An engine that has
 * none belongs to a category of its own.
 */
const ENGINES = [
  // Google, with every country's name.
  { address: '^https://(www\\.)?google\\.[a-z.]+/(search|images|imghp|webhp)?([?#].*)?$', parameters: { safe: 'active', ssui: 'on' } },
  { address: '^https://([a-z]+\\.)?bing\\.com/', parameters: { adlt: 'strict' } },
  { address: '^https://([a-z]+\\.)?duckduckgo\\.com/', parameters: { kp: '1' } },
  { address: '^https://([a-z]+\\.)*search\\.yahoo\\.com/', parameters: { vm: 'r' } },
];

/** Hosts that heed the header `YouTube-Restrict`. */
const YOUTUBE = ['www.youtube.com', 'm.youtube.com', 'youtubei.googleapis.com', 'youtube.googleapis.com', 'www.youtube-nocookie.com'];

/** @type {Record<'moderate' | 'strict', string>} */
const YOUTUBE_MODES = { moderate: 'Moderate', strict: 'Strict' };

/**
 * The rules for what the policy asks; none where it asks for nothing.
 * @param {{safe_search: boolean, youtube: 'none' | 'moderate' | 'strict'}} wanted
 * @param {number} priority
 * @returns {Omit<Rule, 'id'>[]}
 */
export function safeSearchRules({ safe_search, youtube }, priority) {
  /** @type {Omit<Rule, 'id'>[]} */
  const rules = [];
  if (safe_search) {
    for (const { address, parameters } of ENGINES) {
      rules.push({
        priority,
        action: {
          type: 'redirect',
          redirect: {
            transform: {
              queryTransform: {
                addOrReplaceParams: Object.entries(parameters).map(([key, value]) => ({ key, value })),
              },
            },
          },
        },
        condition: { regexFilter: address, resourceTypes: ['main_frame', 'sub_frame', 'xmlhttprequest'] },
      });
    }
  }
  if (youtube !== 'none') {
    rules.push({
      priority,
      action: {
        type: 'modifyHeaders',
        requestHeaders: [{ header: 'YouTube-Restrict', operation: 'set', value: YOUTUBE_MODES[youtube] }],
      },
      condition: { requestDomains: YOUTUBE, resourceTypes: ['main_frame', 'sub_frame', 'xmlhttprequest', 'media'] },
    });
  }
  return rules;
}
