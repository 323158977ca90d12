// Messages of the extension's own pages, in one table, with the sender checked.

import { activeTab, ownId } from './chrome.js';
import { now } from './clock.js';
import { reportFault } from './faults.js';
import { recordStatement } from './events.js';
import { toolbarState } from './toolbar.js';

/** @type {Record<string, (message: Record<string, unknown>) => Promise<unknown>>} */
const HANDLERS = {
  state: () => toolbarState(),
  report: async ({ comment }) => {
    const tab = await activeTab();
    if (tab?.url === undefined) return false;
    return recordStatement('report', tab.url, now(), typeof comment === 'string' ? comment : null);
  },
};

/**
 * Answers one message; null when it is none of ours. The answer to one that failed is
 * null too, and the page says that it could not be done.
 * @param {unknown} message
 * @param {chrome.runtime.MessageSender} sender
 * @returns {Promise<unknown> | null}
 */
export function handle(message, sender) {
  const own_page = sender.id === ownId() && sender.url?.startsWith(`chrome-extension://${ownId()}/`) === true;
  if (!own_page || typeof message !== 'object' || message === null) return null;
  const { type } = /** @type {{type?: unknown}} */ (message);
  const handler = typeof type === 'string' && Object.hasOwn(HANDLERS, type) ? HANDLERS[type] : undefined;
  if (handler === undefined) return null;
  return handler(/** @type {Record<string, unknown>} */ (message)).catch((error) => {
    reportFault(`the message ${type}`, error);
    return null;
  });
}
