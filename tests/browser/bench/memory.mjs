// What a browser's processes hold.

import { readFileSync } from 'node:fs';

/** @typedef {import('../lib/chromium.mjs').Chromium} Chromium */

/**
 * Proportional set sizes in MiB: the extension's process, the browser's, and all together.
 *
 * @param {Chromium} chromium
 */
export function memoryMib(chromium) {
  const sum = (/** @type {number[]} */ pids) => Math.round(pids.reduce((total, pid) => total + pssKib(pid), 0) / 1024);
  return {
    extension: sum(chromium.extensionProcesses()),
    browser: sum([chromium.group]),
    all: sum(chromium.processes()),
  };
}

/** @param {number} pid */
function pssKib(pid) {
  try {
    const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return found ? Number(found[1]) : 0;
  } catch {
    return 0; // The process has ended meanwhile, and takes no memory.
  }
}
