// What kinds of request there are.

/** Chrome's resource types, by the number the core knows them by. */
export const RESOURCE_TYPES = /** @type {const} */ ([
  'main_frame',
  'sub_frame',
  'stylesheet',
  'script',
  'image',
  'font',
  'object',
  'xmlhttprequest',
  'ping',
  'csp_report',
  'media',
  'websocket',
  'webtransport',
  'webbundle',
  'other',
]);

/** @typedef {typeof RESOURCE_TYPES[number]} ResourceType */

/** Documents: where they are blocked, a page can be shown instead. */
export const FRAME_TYPES = /** @type {ResourceType[]} */ (['main_frame', 'sub_frame']);

/** What a page loads into itself. */
export const PART_TYPES = RESOURCE_TYPES.filter((type) => !FRAME_TYPES.includes(type));
