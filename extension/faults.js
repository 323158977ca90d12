// Work that failed although nothing made it wait or blocked a page: told on the
// console, and counted for the toolbar and for the signs of life.
//
// A leaf: everything may import it, also what runs before the gate stands.

let count = 0;

/**
 * Tells of a fault that somebody should hear of.
 * @param {string} what What was being done.
 * @param {unknown} error
 */
export function reportFault(what, error) {
  count += 1;
  console.error(`bellgate: ${what} failed`, error);
}

/** How much has failed since this worker started. */
export function backgroundFaults() {
  return count;
}
