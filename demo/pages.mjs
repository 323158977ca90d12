// The pages of the demo's small web: made up, but what a pupil might really look at.

import { SCHOOL } from './school.mjs';

/** @typedef {import('../tests/browser/lib/web.mjs').Arrival} Arrival */
/** @typedef {import('../tests/browser/lib/web.mjs').Page} Page */

/**
 * @typedef {object} Article
 * @property {string} title
 * @property {string} lead
 * @property {string[]} text
 * @property {string} [parts] Further HTML: pictures, frames and scripts from elsewhere.
 */

/**
 * @typedef {object} Publication
 * @property {string} name As its header shows it.
 * @property {string} colour Of the header and the picture.
 * @property {string[]} menu
 * @property {Record<string, Article>} articles By path; `*` answers every other path.
 */

/** Where the parts of the school's notice board come from that lessons block. */
export const FOREIGN_PARTS = {
  image: 'https://poki.com/promo/banner.svg',
  frame: 'https://www.instagram.com/embed/wall',
  fetch: 'https://www.bet365.com/odds.json',
  websocket: 'wss://www.roblox.com/lobby',
};

/** What the notice board is made of that is open. */
const OWN_PICTURE = '<img src="https://www.school.example/picture.svg" alt="The school hall" width="560" height="140">';

const NOTICE_BOARD = `
  ${OWN_PICTURE}
  <section class="parts">
    <figure><img src="${FOREIGN_PARTS.image}" alt="" width="340" height="150"><figcaption>Advertisement</figcaption></figure>
    <figure><iframe src="${FOREIGN_PARTS.frame}" title="Wall" width="340" height="150"></iframe><figcaption>Our wall</figcaption></figure>
  </section>
  <script>
    self.outcome = {};
    fetch('${FOREIGN_PARTS.fetch}').then(() => { outcome.fetch = 'open'; }, () => { outcome.fetch = 'failed'; });
    const socket = new WebSocket('${FOREIGN_PARTS.websocket}');
    socket.onopen = () => { outcome.websocket = 'open'; };
    socket.onerror = () => { outcome.websocket = 'failed'; };
  </script>`;

/** @type {Record<string, Publication>} */
const PUBLICATIONS = {
  'www.school.example': {
    name: SCHOOL,
    colour: '#1f4e79',
    menu: ['Home', 'Notices', 'Homework', 'Library', 'Clubs'],
    articles: {
      '/notices': {
        title: 'Notices for this week',
        lead: 'Choir meets in the hall on Wednesday. Lost property is outside the library.',
        text: [
          'Year 9 science trip: consent forms go to the office by Friday. Bring a coat and a packed lunch.',
          'The library has new books on space, rivers and the Tudors. Ask if you cannot find something.',
        ],
        parts: NOTICE_BOARD,
      },
      '/old-forum/games-corner': {
        title: 'Games corner',
        lead: 'Posts from the old forum.',
        text: ['This part of the pages is kept for the record and is no longer looked after.'],
      },
      '*': {
        title: 'Welcome to Northfield',
        lead: 'Everything for your school day in one place: timetable, homework, clubs and the library.',
        text: [
          'Homework is set on the page of each class. Hand it in before registration on the day it is due.',
          'The homework club is open after school, Monday to Thursday, in the library.',
        ],
        parts: OWN_PICTURE,
      },
    },
  },
  'www.bbc.co.uk': {
    name: 'Revision and news',
    colour: '#5a2d82',
    menu: ['Biology', 'Chemistry', 'Physics', 'History', 'Sport'],
    articles: {
      '/sport/football': {
        title: 'Late goal settles the derby',
        lead: 'A header in stoppage time sends the home side top of the table.',
        text: ['The manager said the young squad had shown patience after a slow first half.'],
      },
      '*': {
        title: 'Photosynthesis',
        lead: 'How plants turn light, water and carbon dioxide into glucose and oxygen.',
        text: [
          'Photosynthesis happens in the chloroplasts, mostly in the palisade cells of a leaf. Chlorophyll absorbs light.',
          'Limiting factors are light, carbon dioxide and temperature. Which of them limits a pond plant at noon?',
        ],
        parts: '<img src="/picture.svg" alt="A leaf in section" width="560" height="140">',
      },
    },
  },
  'www.childline.org.uk': {
    name: 'Childline',
    colour: '#00695c',
    menu: ['Get support', 'Info and advice', 'Message boards', 'Calm zone'],
    articles: {
      '*': {
        title: 'You can talk to us about anything',
        lead: 'Free, private and confidential, at any time. Call 0800 1111 or chat online.',
        text: ['No problem is too big or too small. Whatever is worrying you, it is better out than in.'],
        parts: '<img src="/picture.svg" alt="" width="560" height="140">',
      },
    },
  },
  'poki.com': gamesPage('Thousands of free games', 'Jump, drive and build, right in your browser.'),
  'www.coolmathgames.com': gamesPage('Puzzles of the day', 'Can you get all three stars on the hardest level?'),
  'quiz.example': {
    name: 'Quick quiz',
    colour: '#9a3412',
    menu: ['Join', 'Create', 'Leaderboard'],
    articles: {
      '*': {
        title: 'Capital cities: round 4 of 10',
        lead: 'Waiting for the next question. Your class is in second place.',
        text: ['Answer quickly: the faster you are, the more points you get.'],
        parts: '<img src="/picture.svg" alt="A leaderboard" width="560" height="140">',
      },
    },
  },
};

/**
 * @param {string} title
 * @param {string} lead
 * @returns {Publication}
 */
function gamesPage(title, lead) {
  return {
    name: 'Free games',
    colour: '#b91c5c',
    menu: ['New', 'Racing', 'Puzzle', 'Two players'],
    articles: {
      '*': {
        title,
        lead,
        text: ['Most played this week: Kart Rally, Bubble Towers and Goal Rush.'],
        parts: '<img src="/picture.svg" alt="A racing game" width="560" height="140">',
      },
    },
  };
}

/**
 * Answers with a page, a picture or a small JSON text, as the path asks.
 *
 * @param {Arrival} arrival
 * @returns {Page | undefined}
 */
export function answer({ host, path }) {
  const { pathname } = new URL(path, 'https://host');
  const publication = PUBLICATIONS[host];
  if (pathname.endsWith('.svg')) {
    return { type: 'image/svg+xml', body: picture(publication?.colour ?? '#4c5868') };
  }
  if (!publication || pathname.includes('.')) return undefined;
  const article = publication.articles[pathname] ?? publication.articles['*'];
  return { body: html(publication, article) };
}

/**
 * @param {Publication} publication
 * @param {Article} article
 */
function html({ name, colour, menu }, { title, lead, text, parts = '' }) {
  return `<!doctype html>
<html lang="en-GB">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} · ${name}</title>
<link rel="icon" href="data:,">
<style>
  body { margin: 0; font: 17px/1.6 system-ui, sans-serif; color: #1f2933; background: #f6f7f9 }
  header { background: ${colour}; color: #fff; padding: 0.9rem 2rem; display: flex; gap: 2rem; align-items: baseline }
  header b { font-size: 1.25rem }
  nav { display: flex; gap: 1.2rem; font-size: 0.9rem; opacity: 0.9 }
  main { max-width: 46rem; margin: 2rem auto; background: #fff; padding: 1.5rem 2.5rem 2rem; border-radius: 6px }
  h1 { margin: 0.2rem 0 0.4rem; line-height: 1.2 }
  .lead { font-size: 1.15rem; color: #48525f; margin-top: 0 }
  img { max-width: 100%; border-radius: 4px; background: #e4e7eb }
  .parts { display: flex; gap: 1.5rem }
  figure { margin: 1rem 0 0 }
  figcaption { font-size: 0.8rem; color: #616e7c }
  iframe { border: 0; background: #e4e7eb; border-radius: 4px }
</style>
<header><b>${name}</b><nav>${menu.map((item) => `<span>${item}</span>`).join('')}</nav></header>
<main>
<h1>${title}</h1>
<p class="lead">${lead}</p>
${text.map((paragraph) => `<p>${paragraph}</p>`).join('\n')}
${parts}
</main>
</html>`;
}

/** @param {string} colour */
function picture(colour) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 40 560 140" preserveAspectRatio="xMidYMid slice">
<rect width="560" height="210" fill="#e8edf3"/>
<circle cx="455" cy="80" r="28" fill="#f4c95d"/>
<path d="M0 150 Q90 85 190 145 T380 130 T560 150 V210 H0Z" fill="${colour}" opacity=".45"/>
<path d="M0 178 Q120 120 250 172 T560 170 V210 H0Z" fill="${colour}" opacity=".8"/>
</svg>`;
}
