// Shows what the fragment holds. A classic script: a sandbox page has an origin of
// its own, for which modules of the extension would be foreign.
'use strict';

(() => {
  /** @typedef {import('../view.js').View} View */

  /** @param {string} id */
  const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

  /**
   * Fills an element with plain text and shows it.
   * @param {string} id
   * @param {string | null} text
   */
  const show = (id, text) => {
    const target = element(id);
    target.textContent = text ?? '';
    target.hidden = !text;
  };

  /**
   * @param {string} id
   * @param {string[]} texts
   */
  const showList = (id, texts) => {
    const target = element(id);
    target.replaceChildren(
      ...texts.map((text) => {
        const item = document.createElement('li');
        item.textContent = text;
        return item;
      }),
    );
    target.hidden = texts.length === 0;
  };

  /** @returns {View | null} */
  const read = () => {
    const [token, asked, words] = location.hash.slice(1).split('.');
    if (!token || !asked || !words) return null;
    // The words have been read; the address stays short, and F5 asks again.
    history.replaceState(null, '', `#${token}.${asked}`);
    const bytes = Uint8Array.fromBase64(words, { alphabet: 'base64url' });
    return JSON.parse(new TextDecoder().decode(bytes));
  };

  /** @param {View} view */
  const render = (view) => {
    document.documentElement.lang = view.language;
    document.body.dataset['tone'] = view.tone;
    // A screen reader says the title first, and so hears what became of a review.
    document.title = view.said ? `${view.said} · ${view.title}` : view.title;
    show('product', view.product);
    show('heading', view.heading);
    show('lead', view.lead);
    showList('points', view.points);

    element('facts').replaceChildren(
      ...view.facts.map(([label, value]) => {
        const row = document.createElement('div');
        const term = document.createElement('dt');
        const description = document.createElement('dd');
        term.textContent = label;
        description.textContent = value;
        row.append(term, description);
        return row;
      }),
    );
    element('facts').hidden = view.facts.length === 0;

    show('what-heading', view.what_heading);
    showList('what-list', view.what);
    element('what').hidden = view.what.length === 0;

    show('said', view.said);

    if (view.review) {
      show('review-summary', view.review.summary);
      show('review-label', view.review.label);
      show('review-note', view.review.note);
      show('review-send', view.review.send);
      /** @type {HTMLFormElement} */ (element('review-form')).action = view.review.action;
    }
    element('review').hidden = view.review === null;

    if (view.go) {
      show('go', view.go.label);
      /** @type {HTMLAnchorElement} */ (element('go')).href = view.go.href;
    }
    if (history.length > 1 && window.top === window) {
      show('back', view.back);
      element('back').addEventListener('click', () => history.back());
    }

    element('help').hidden = view.help === null;
    if (view.help) {
      show('help-heading', view.help.heading);
      show('help-note', view.help.note);
      element('help-list').replaceChildren(
        ...view.help.links.map(([name, url]) => {
          const item = document.createElement('li');
          const link = document.createElement('a');
          link.textContent = name;
          link.href = url;
          link.rel = 'noopener noreferrer';
          if (window.top !== window) link.target = '_blank';
          item.append(link);
          return item;
        }),
      );
    }
  };

  if (window.top !== window) document.documentElement.classList.add('framed');
  const view = read();
  if (view !== null) render(view);
})();
