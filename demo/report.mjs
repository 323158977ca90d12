// What the demo saw, as lines for people and as one line of JSON.

import path from 'node:path';

/** @typedef {import('./stage.mjs').Stage} Stage */

/**
 * One step of the day as it is printed.
 *
 * @typedef {object} Line
 * @property {string} who
 * @property {string} when
 * @property {string} what A URL, and for a part of a page its type.
 * @property {'allow' | 'block' | 'notice'} decision
 * @property {string} reason
 */

const WORDS = { allow: 'open', block: 'BLOCKED', notice: 'NOTICE' };

export class Report {
  allowed = 0;
  blocked = 0;
  leaked = 0;
  reported = 0;
  stored = 0;
  /** Paths of the screenshots, from the repository's root. @type {string[]} */
  screenshots = [];
  /** What was not as it must be. @type {string[]} */
  mistakes = [];
  #folder;
  #root;

  /** @param {{screenshots: string, root: string}} options */
  constructor({ screenshots, root }) {
    this.#folder = screenshots;
    this.#root = root;
  }

  /**
   * Says something about the day that is no step.
   *
   * @param {string} text
   */
  say(text) {
    console.log(text);
  }

  /**
   * Prints and counts one decision.
   *
   * @param {Line} line
   */
  step({ who, when, what, decision, reason }) {
    if (decision === 'allow') this.allowed += 1;
    else this.blocked += 1;
    console.log(`${when}  ${who.padEnd(22)} ${WORDS[decision].padEnd(8)} ${what.padEnd(52)} ${reason}`);
  }

  /**
   * Notes what went against the school's rules.
   *
   * @param {string} text
   */
  mistake(text) {
    this.mistakes.push(text);
    console.log(`       MISTAKE: ${text}`);
  }

  /**
   * The file for the next screenshot.
   *
   * @param {string} name
   */
  screenshotFile(name) {
    const number = String(this.screenshots.length + 1).padStart(2, '0');
    const file = path.join(this.#folder, `${number}-${name}.png`);
    this.screenshots.push(path.relative(this.#root, file));
    return file;
  }

  /**
   * Prints what the school has heard of.
   *
   * @param {Stage} stage
   */
  async heard(stage) {
    const stored = await stage.settledEvents();
    console.log('       the school has heard of:');
    for (const { at, kind, cohort, host, category, count } of stored.reverse()) {
      const what = [host, category].filter(Boolean).join(', ');
      console.log(`         ${at.slice(11, 19)} UTC  ${kind.padEnd(9)} ${count > 1 ? `${count} times ` : ''}${cohort ?? ''} ${what}`);
    }
  }

  /**
   * Compares what was sent with what is stored.
   *
   * @param {Stage} stage
   */
  async count(stage) {
    const stored = await stage.endpoint.stored();
    const reported = stage.endpoint.reportedIds();
    this.reported = reported.length;
    this.stored = stored.length;
    if (new Set(stored.map(({ id }) => id)).size !== stored.length) this.mistake('an event is stored twice');
    for (const id of reported) {
      if (!stored.some((event) => event.id === id)) this.mistake(`event ${id} was sent and is not stored`);
    }
  }

  /** Prints the totals. */
  print() {
    console.log(
      `\n${this.allowed} open, ${this.blocked} blocked, ${this.leaked} leaked; ` +
        `${this.reported} events reported, ${this.stored} stored; ${this.screenshots.length} screenshots`,
    );
    if (this.mistakes.length > 0) console.log(`${this.mistakes.length} mistakes`);
  }

  /** The line for programs. */
  summary() {
    const { allowed, blocked, leaked, reported, stored, screenshots } = this;
    return { allowed, blocked, leaked, reported, stored, screenshots };
  }
}
