// What the block page shows, worked out here because the page itself has no
// extension API: the words of one decision, in the pupil's language.

import { ANSWER_HOST } from './chrome.js';
import { categoryOf, helpLinks } from './catalogue.js';
import { languageOf, message } from './messages.js';

/** @typedef {import('./engine.js').Decision} Decision */
/** @typedef {import('./engine.js').School} School */
/** @typedef {import('./messages.js').MessageKey} MessageKey */
/** @typedef {(key: MessageKey, values?: Record<string, string>) => string} Say */

/**
 * @typedef {object} View
 * @property {string} language
 * @property {'block' | 'notice' | 'quiet' | 'closed'} tone
 * @property {string} product
 * @property {string} title The tab's title.
 * @property {string} heading
 * @property {string} lead
 * @property {string[]} points
 * @property {[string, string][]} facts Label and value.
 * @property {string} what_heading
 * @property {string[]} what
 * @property {{heading: string, note: string, links: [string, string][]} | null} help Name and URL.
 * @property {{summary: string, label: string, send: string, note: string, action: string} | null} review
 * @property {string | null} said What happened to a review that was asked for.
 * @property {{label: string, href: string} | null} go
 * @property {string} back
 */

/** Of a path no more than this is said; a pupil knows where they went. */
const LONGEST_PATH = 60;

/** The host the block page's forms and links go to. */
export const ANSWERS = `https://${ANSWER_HOST}`;

/** Codes whose pages can be sent for review: the school decided about the page itself. */
const REVIEWABLE = new Set(['category', 'url_rule', 'not_on_allowlist']);

/**
 * The view for a block or a notice.
 * @param {Decision} decision
 * @param {object} about
 * @param {string} about.token
 * @param {string} about.wanted_language
 * @param {boolean} about.can_review Whether anybody would receive a review request.
 * @param {School | null} about.school
 * @param {string[]} about.open_entries What the mode leaves open, each `host` or `host/path`, as far as it
 *   can be listed.
 * @returns {View}
 */
export function viewOf(decision, { token, wanted_language, can_review, school, open_entries }) {
  const language = languageOf(wanted_language);
  /** @type {Say} */
  const say = (key, values = {}) => message(key, values, language);
  const code = decision.reason.code;
  const category = categoryOf(decision.reason.category);
  const quiet = code === 'illegal' || category?.sensitive === true;
  const place = placeOf(decision, open_entries);
  const names = {
    place,
    category: category?.name ?? decision.reason.category ?? place,
    version: decision.reason.rule ?? '',
  };
  const notice = decision.action === 'notice';
  const kind = quiet ? 'quiet' : notice ? 'notice' : kindOf(code);
  const plain_notice = notice && !quiet;

  return {
    language,
    tone: quiet ? 'quiet' : notice ? 'notice' : kind === 'closed' ? 'closed' : 'block',
    product: productName(school, language),
    title: quiet ? say('product') : `${say(`heading_${kind}`)} · ${say('product')}`,
    heading: say(`heading_${kind}`),
    lead: leadOf(code, kind, say, names, category?.pupil_description ?? null),
    points: pointsOf(kind, decision.reason.category, say, school),
    facts: quiet ? [] : factsOf(decision, kind, names, language),
    what_heading: say('what_heading'),
    what: notice ? [] : whatToDo(kind, say, school),
    help: plain_notice
      ? null
      : {
          heading: say('help_heading'),
          note: say('help_always'),
          // Help for one topic would say aloud what the page keeps quiet.
          links: helpLinks(quiet ? [] : (category?.help_topics ?? [])),
        },
    review:
      can_review && REVIEWABLE.has(code) && !notice
        ? {
            summary: say('review_summary'),
            label: say('review_label'),
            send: say('review_send'),
            note: say('review_private'),
            action: `${ANSWERS}/review?token=${token}`,
          }
        : null,
    said: null,
    go: goOf(notice, code, token, say),
    back: say('back'),
  };
}

/**
 * Who speaks: the school, where its name is known, by means of the product.
 * @param {School | null} school
 * @param {string} language
 */
export function productName(school, language) {
  const product = message('product', {}, language);
  return school === null ? product : `${school.name} · ${product}`;
}

/** @typedef {'closed' | 'exam' | 'allowlist' | 'category' | 'url_rule' | 'acceptance' | 'fault' | 'notice' | 'quiet'} ViewKind */

/**
 * Where the page's button leads, if it has one.
 * @param {boolean} notice
 * @param {string} code
 * @param {string} token
 * @param {Say} say
 */
function goOf(notice, code, token, say) {
  if (notice) return { label: say('continue'), href: `${ANSWERS}/continue?token=${token}` };
  if (code === 'acceptance') return { label: say('accept'), href: `${ANSWERS}/accept?token=${token}` };
  return null;
}

/**
 * @param {string} code
 * @param {ViewKind} kind
 * @param {Say} say
 * @param {{place: string, category: string, version: string}} names
 * @param {string | null} description What the category holds, in plain words.
 */
function leadOf(code, kind, say, names, description) {
  if (code === 'illegal') return say('lead_illegal');
  const lead = say(`lead_${kind}`, names);
  return kind === 'category' && description !== null ? `${lead} ${description}` : lead;
}

/**
 * @param {string} code
 * @returns {Exclude<ViewKind, 'notice' | 'quiet'>}
 */
function kindOf(code) {
  switch (code) {
    case 'closed':
    case 'exam':
    case 'category':
    case 'url_rule':
    case 'acceptance':
      return code;
    case 'not_on_allowlist':
      return 'allowlist';
    default:
      return 'fault';
  }
}

/**
 * What the pupil can do, with the school's own people where it names them.
 * @param {ViewKind} kind
 * @param {Say} say
 * @param {School | null} school
 */
function whatToDo(kind, say, school) {
  const dsl = contactOf(school, 'dsl');
  const it = contactOf(school, 'it');
  const worry = dsl === null ? say('tell_worry') : say('tell_worry_contact', { contact: dsl });
  switch (kind) {
    case 'closed':
      return [say('tell_closed')];
    case 'exam':
      return [say('tell_exam')];
    case 'fault':
      return [it === null ? say('tell_fault') : say('tell_fault_contact', { contact: it })];
    case 'quiet':
      return [worry];
    case 'acceptance':
      return [];
    default:
      return [say('tell_teacher'), worry];
  }
}

/**
 * Somebody at the school: name, and where to find them.
 * @param {School | null} school
 * @param {string} role
 */
function contactOf(school, role) {
  const contact = school?.contacts[role];
  if (!contact?.name) return null;
  const where = [contact.room, contact.email, contact.phone].filter(Boolean).join(', ');
  return where === '' ? contact.name : `${contact.name} (${where})`;
}

/**
 * What stands out on the page: a notice's reminders (T221-T224), or what the school says.
 * @param {ViewKind} kind
 * @param {string | null} category
 * @param {Say} say
 * @param {School | null} school
 * @returns {string[]}
 */
function pointsOf(kind, category, say, school) {
  const pages = school?.pages;
  switch (kind) {
    case 'notice': {
      const own = pages?.notices?.[category ?? '*'];
      if (own) return [own];
      return category === 'ai-tools'
        ? [say('notice_ai_1'), say('notice_ai_2'), say('notice_ai_3')]
        : [say('notice_any_1'), say('notice_any_2')];
    }
    case 'closed':
      return pages?.closed ? [pages.closed] : [];
    case 'category':
    case 'url_rule':
    case 'allowlist':
      return pages?.blocked ? [pages.blocked] : [];
    case 'acceptance':
      return school?.acceptable_use?.text ? [school.acceptable_use.text] : [];
    default:
      return [];
  }
}

/**
 * @param {Decision} decision
 * @param {ViewKind} kind
 * @param {{place: string, category: string, version: string}} names
 * @param {string} language
 * @returns {[string, string][]}
 */
function factsOf(decision, kind, names, language) {
  const say = (/** @type {MessageKey} */ key, /** @type {Record<string, string>} */ values = {}) =>
    message(key, values, language);
  /** @type {[string, string][]} */
  const facts = kind === 'closed' || kind === 'exam' || kind === 'acceptance' || kind === 'fault' ? [[say('fact_page'), names.place]] : [];
  if (kind === 'closed' || kind === 'exam' || kind === 'allowlist' || kind === 'category' || kind === 'url_rule' || kind === 'acceptance') {
    facts.push([say('fact_why'), say(`why_${kind}`, names)]);
  }
  if (decision.reason.rule !== null && kind !== 'acceptance') facts.push([say('fact_rule'), decision.reason.rule]);
  if (decision.period !== null) facts.push([say('fact_period'), decision.period.name]);
  const ends_at = kind === 'closed' || kind === 'exam' || kind === 'allowlist' ? (decision.next_change_at ?? decision.period?.ends_at) : null;
  if (ends_at) facts.push([say('fact_when'), clockTime(ends_at, decision.at, language)]);
  return facts;
}

/**
 * An instant as a pupil reads it, in the school's own time.
 *
 * The core writes instants with the school's offset, so the digits are the wall
 * clock of the school, wherever the device believes to be.
 * @param {string} at RFC 3339.
 * @param {string} now RFC 3339.
 * @param {string} language
 */
export function clockTime(at, now, language) {
  const [date = '', time = ''] = [at.slice(0, 10), at.slice(11, 16)];
  if (date === now.slice(0, 10)) return message('until_time', { time }, language);
  const day = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' });
  return message('until_date', { date: day.format(new Date(`${date}T00:00:00Z`)), time }, language);
}

/**
 * What to call the page that was asked for: its host, or more where that alone would be
 * wrong: where a path is listed, or another path of the same host is open.
 * @param {Decision} decision
 * @param {string[]} open_entries
 */
function placeOf({ url, reason }, open_entries) {
  if (reason.entry?.includes('/')) return reason.entry;
  const host = hostOf(url);
  const other_path_is_open = open_entries.some((entry) => {
    const [name = ''] = entry.split('/');
    return entry.includes('/') && (host === name || host.endsWith(`.${name}`));
  });
  const path = other_path_is_open && URL.canParse(url) ? new URL(url).pathname.replace(/\/$/, '') : '';
  return path.length > LONGEST_PATH ? `${host}${path.slice(0, LONGEST_PATH)}…` : host + path;
}

/** @param {string} url */
export function hostOf(url) {
  return URL.canParse(url) ? new URL(url).hostname : url;
}
