// The toolbar's pop-up: how the web stands, and "report this page".

import { send, uiLanguage } from '../chrome.js';
import { languageOf, message } from '../messages.js';

/** @typedef {import('../toolbar.js').ToolbarState} ToolbarState */
/** @typedef {import('../messages.js').MessageKey} MessageKey */

const language = uiLanguage();
document.documentElement.lang = languageOf(language);

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {MessageKey} key */
const say = (key) => message(key, {}, language);

/**
 * @param {string} id
 * @param {string | null} text
 */
function show(id, text) {
  const target = element(id);
  target.textContent = text ?? '';
  target.hidden = text === null;
}

/** @param {ToolbarState} state */
function render(state) {
  document.body.dataset['tone'] = state.tone;
  show('product', state.product);
  show('heading', state.heading);
  show('until', state.until);
  show('more', state.more);
  element('problems').replaceChildren(
    ...state.problems.map((problem) => {
      const item = document.createElement('li');
      item.textContent = problem;
      return item;
    }),
  );
  element('problems').hidden = state.problems.length === 0;
  element('report').hidden = !state.can_report;
}

/** @param {boolean} open */
function openForm(open) {
  element('report-form').hidden = !open;
  element('report-open').hidden = open;
  element('report-open').setAttribute('aria-expanded', String(open));
  element(open ? 'comment' : 'report-open').focus();
}

show('report-open', say('popup_report'));
show('report-hint', say('popup_report_hint'));
show('report-label', say('popup_report_label'));
show('report-send', say('popup_report_send'));
show('report-cancel', say('popup_report_cancel'));
show('private', say('popup_private'));
show('said', null);

element('report-open').addEventListener('click', () => openForm(true));
element('report-cancel').addEventListener('click', () => openForm(false));
element('report-form').addEventListener('submit', async (submitted) => {
  submitted.preventDefault();
  const comment = /** @type {HTMLTextAreaElement} */ (element('comment')).value;
  // A worker that cannot be reached has told nobody.
  const reported = await send({ type: 'report', comment }).catch(() => false);
  element('report-form').hidden = true;
  show('said', say(reported === true ? 'popup_reported' : 'popup_not_reported'));
});

// A worker that cannot be reached is a fault, and shown as one below.
const state = /** @type {ToolbarState | null} */ (await send({ type: 'state' }).catch(() => null));
render(
  state ?? {
    language,
    product: message('product'),
    tone: 'fault',
    heading: say('popup_fault'),
    more: say('popup_fault_more'),
    until: null,
    problems: [],
    can_report: false,
  },
);
