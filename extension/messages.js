// Every sentence a pupil or teacher reads, by language.
//
// A text may hold `{names}`, which are replaced by plain text. English is whole;
// another language may lack keys, and English stands in for them.

/** @typedef {keyof typeof ENGLISH} MessageKey */

const ENGLISH = {
  product: 'Bellgate',

  // Headings of the block page.
  heading_closed: 'The web is closed for you right now',
  heading_exam: 'This is not part of your examination',
  heading_allowlist: 'Only school work is open right now',
  heading_category: 'Your school keeps this page closed',
  heading_url_rule: 'Your school keeps this page closed',
  heading_acceptance: 'First, please accept the school’s rules',
  heading_quiet: 'This page is not open at school',
  heading_fault: 'This page could not be checked',
  heading_notice: 'Before you go on',

  // Why.
  lead_closed: 'At this time of the day devices are not used. Your page is not lost: try again later.',
  lead_exam: 'During an examination only the pages it needs are open.',
  lead_allowlist: 'In this period you can use the pages your school chose for school work. {place} is not one of them.',
  lead_category: '{place} is in the group “{category}”.',
  lead_url_rule: 'Your school added {place} to its own list of closed pages.',
  lead_acceptance: 'Pages open once you have read your school’s acceptable use policy (version {version}) and accepted it. Ask your teacher where to find it.',
  lead_quiet: 'That can happen to pages that are perfectly fine. You have not done anything wrong. If you need it, or if something worries you, there are people who will listen.',
  lead_fault: 'Something went wrong while this page was being checked, so it stays closed to be safe. Try again in a moment.',
  lead_notice: '{place} is in the group “{category}”. Your school allows it, and asks you to think about this first:',
  lead_illegal: 'This address may never be opened, anywhere. If you came across it by accident, you have done nothing wrong: tell somebody you trust.',

  // The reminder about AI tools (T221-T224).
  notice_ai_1: 'Do not type in anything personal: no names, photos, addresses or results, neither yours nor anybody else’s.',
  notice_ai_2: 'Check what it says. These tools sound certain even when they are wrong.',
  notice_ai_3: 'Say when you used it, and hand in your own work.',
  notice_any_1: 'Use it for your school work, and be kind to others there.',
  notice_any_2: 'Do not share anything personal.',

  // Facts.
  fact_page: 'Page',
  fact_why: 'Why',
  fact_when: 'Until',
  fact_period: 'Now',
  fact_rule: 'Rule',
  until_time: '{time} today',
  until_date: '{date}, {time}',
  why_closed: 'Closed in this period',
  why_exam: 'Examination',
  why_allowlist: 'Not on the school-work list',
  why_category: '{category}',
  why_url_rule: 'The school’s own list',
  why_acceptance: 'Rules not accepted yet',

  // What to do.
  what_heading: 'What you can do',
  tell_teacher: 'Need it for your work? Ask your teacher, or send it for review below.',
  tell_closed: 'Need it now? Speak to a member of staff: they can open it for you.',
  tell_exam: 'Need it for the examination? Raise your hand and tell the invigilator.',
  tell_worry: 'Saw something that upset you? Tell a teacher, your safeguarding lead, a parent or a carer. You will not get into trouble for telling.',
  tell_worry_contact: 'Saw something that upset you? You can talk to {contact}, any teacher, a parent or a carer. You will not get into trouble for telling.',
  tell_fault_contact: 'If it keeps happening, tell {contact}.',
  tell_fault: 'If it keeps happening, tell your teacher: the IT team can look into it.',

  // Help.
  help_heading: 'Somebody to talk to',
  help_always: 'These pages are always open, and nobody is told that you opened them.',

  // Acting.
  review_summary: 'Ask for a review',
  review_label: 'Why should it be open? (You may leave this empty.)',
  review_send: 'Send to the school',
  review_sent: 'Sent. Somebody at school will look at it.',
  review_not_sent: 'That could not be sent from here. Ask your teacher instead.',
  review_private: 'The school sees the address and your words.',
  continue: 'I understand, continue',
  accept: 'I have read it and accept it',
  back: 'Go back',

  // Notifications.
  warning_title: 'Pages close at {time}',
  warning_minutes: 'In {minutes} minutes pages that are open now will close. Save your work.',
  warning_minute: 'In one minute pages that are open now will close. Save your work now.',
  download_title: 'This file was not downloaded',
  download_text: 'Your school does not allow files of this kind. Ask your teacher if you need it.',

  // The toolbar.
  popup_open: 'Not managed by school now',
  popup_open_more: 'Outside school hours nothing is filtered by category, and nothing is recorded.',
  popup_filtered: 'Filtered for school',
  popup_filtered_more: 'Unsuitable pages are closed. What is open is not recorded.',
  popup_notice: 'Filtered, with reminders',
  popup_notice_more: 'Some pages open after a reminder.',
  popup_allowlist: 'School work only',
  popup_allowlist_more: 'Only the pages your school chose are open.',
  popup_exam: 'Examination',
  popup_exam_more: 'Only what the examination needs is open.',
  popup_closed: 'Closed right now',
  popup_closed_more: 'Devices are not used in this period. Help services are always open.',
  popup_doubt: 'Lesson rules, to be safe',
  popup_doubt_more: 'Bellgate cannot tell which rules are yours at the moment, so the rules for lessons hold.',
  popup_fault: 'Not working properly',
  popup_fault_more: 'Pages stay closed to be safe. Please tell your teacher or the IT team.',
  popup_until: 'Until {time}',
  popup_report: 'Report this page',
  popup_report_hint: 'Tells the school that something on this page is not suitable. The school sees its address.',
  popup_report_label: 'What is wrong? (You may leave this empty.)',
  popup_report_send: 'Send report',
  popup_report_cancel: 'Cancel',
  popup_reported: 'Thank you. The school has been told.',
  popup_not_reported: 'This page cannot be reported from here.',
  popup_problem_policy: 'The school’s newest policy has a mistake in it; the one before holds.',
  popup_problem_no_policy: 'No policy has arrived yet.',
  popup_problem_pack: 'The newest list could not be fetched or used; the one before holds.',
  popup_problem_locked: 'The list of illegal pages is missing or older than two days.',
  popup_problem_delivery: 'The school’s endpoint has not answered for a while.',
  popup_problem_clock: 'This device’s clock seems to be wrong.',
  popup_problem_faults: 'Some pages could not be checked since the last start.',
  popup_problem_background: 'Something did not work in the background since the last start.',
  popup_private: 'What is recorded: closed pages you try to open in school hours. Never the pages that are open.',
};

/** @type {Record<string, Partial<Record<MessageKey, string>>>} */
const LANGUAGES = { en: ENGLISH };

/**
 * The text for `key`, with `{names}` filled in.
 * @param {MessageKey} key
 * @param {Record<string, string>} [values]
 * @param {string} [language] Such as `en-GB`.
 */
export function message(key, values = {}, language = 'en') {
  const text = LANGUAGES[languageOf(language)]?.[key] ?? ENGLISH[key];
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/**
 * The language whose texts are shown to somebody who prefers `wanted`.
 * @param {string} wanted
 */
export function languageOf(wanted) {
  const base = wanted.toLowerCase().split('-')[0] ?? 'en';
  return base in LANGUAGES ? base : 'en';
}

/** Every key, for tests. */
export function messageKeys() {
  return /** @type {MessageKey[]} */ (Object.keys(ENGLISH));
}
