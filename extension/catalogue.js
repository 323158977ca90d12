// What the lists say of categories and of help, for the words on the block page.

import { CATEGORIES, HELP_SERVICES } from './wasm/catalogue.js';

/**
 * @typedef {object} CategoryText
 * @property {string} id
 * @property {string} name
 * @property {string} [pupil_description]
 * @property {string[]} [help_topics]
 * @property {boolean} [sensitive]
 */

/** @typedef {{entry: string, name: string, topic: string}} HelpService */

/** Where anybody under 19 can talk about anything; always among the links. */
const GENERAL_TOPIC = 'crisis';
const MAX_LINKS = 4;
const MAX_PER_TOPIC = 2;

/** @type {Map<string, CategoryText>} */
const categories = new Map(CATEGORIES.map((/** @type {CategoryText} */ category) => [category.id, category]));
/** @type {HelpService[]} */
const services = HELP_SERVICES;

/**
 * What the lists say of a category; null for none and for an unknown one.
 * @param {string | null} id
 */
export function categoryOf(id) {
  return id === null ? null : (categories.get(id) ?? null);
}

/**
 * Name and URL of help services for these topics, at most four, and always one that is
 * there for everything. The order is that of the lists: the first of each topic in the
 * order of `topic_ids`, then the second of each.
 * @param {string[]} topic_ids
 * @returns {[string, string][]}
 */
export function helpLinks(topic_ids) {
  const general = ofTopic(GENERAL_TOPIC);
  /** @type {HelpService[]} */
  const chosen = [];
  for (let place = 0; place < MAX_PER_TOPIC; place += 1) {
    for (const topic of topic_ids) {
      const service = ofTopic(topic)[place];
      // The last place is kept for somebody who is there for everything.
      const room = chosen.some((one) => general.includes(one)) || (service && general.includes(service)) ? MAX_LINKS : MAX_LINKS - 1;
      if (service !== undefined && chosen.length < room) chosen.push(service);
    }
  }
  for (const service of general) {
    if (chosen.length < MAX_LINKS && !chosen.includes(service)) chosen.push(service);
  }
  return chosen.map(({ entry, name }) => [plain(name), `https://${entry.includes('/') ? entry : `${entry}/`}`]);
}

/** @param {string} topic */
function ofTopic(topic) {
  return services.filter((service) => service.topic === topic && !service.name.includes('older address'));
}

/**
 * A name without the remark in brackets that staff read.
 * @param {string} name
 */
function plain(name) {
  return name.replace(/\s*\(.*\)$/, '');
}
