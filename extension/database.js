// The extension's IndexedDB: one database, opened once for each life of the worker.
//
// Stores: `packs` holds the last good list pack as a Blob (the quickest thing to
// read after a worker start); `events` and `counts` are the queue of what is still
// to be reported; `keys` holds the device's own key, which cannot be read out.

const NAME = 'bellgate';
const VERSION = 1;

/** @typedef {'packs' | 'events' | 'counts' | 'keys'} StoreName */

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

/**
 * Runs `work` in one transaction; it is complete, or nothing of it is.
 *
 * `work` must not wait for anything but requests of its own stores.
 * @template T
 * @param {StoreName[]} names
 * @param {IDBTransactionMode} mode
 * @param {(store: (name: StoreName) => IDBObjectStore) => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function transact(names, mode, work) {
  const database = await open();
  const transaction = database.transaction(names, mode, { durability: 'strict' });
  const finished = new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(undefined);
    transaction.onabort = () => reject(transaction.error ?? new Error('transaction aborted'));
  });
  try {
    const result = await work((name) => transaction.objectStore(name));
    await finished;
    return result;
  } catch (error) {
    finished.catch(() => {}); // The same failure as `error`, which goes to the caller.
    try {
      transaction.abort();
    } catch {
      // It is over already; the first error says more.
    }
    throw error;
  }
}

/**
 * The result of one request.
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const database = request.result;
      database.createObjectStore('packs');
      database.createObjectStore('events', { keyPath: 'id' });
      database.createObjectStore('counts', { keyPath: 'key' });
      database.createObjectStore('keys');
    };
    request.onsuccess = () => {
      const database = request.result;
      // Storage may be cleared under a running worker: the next use opens it anew.
      database.onclose = () => {
        opened = null;
      };
      database.onversionchange = () => {
        database.close();
        opened = null;
      };
      resolve(database);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('the database is held by an older version'));
  });
  opened.catch(() => {
    opened = null;
  });
  return opened;
}
