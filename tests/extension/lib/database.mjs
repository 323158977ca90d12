// An IndexedDB in memory with just what extension/database.js uses: whole stores, no
// indexes, transactions that never fail. How the real one behaves is for tests/browser.

/** @typedef {Map<string, Map<IDBValidKey, any>>} Stores */

/** Puts a database in place of the browser's; import modules afterwards. */
export function memoryDatabase() {
  /** @type {Stores} */
  const stores = new Map();
  /** @type {Map<string, string | undefined>} */
  const key_paths = new Map();

  /** @param {any} value */
  function request(value) {
    const made = { result: value, onsuccess: null, onerror: null };
    queueMicrotask(() => /** @type {any} */ (made).onsuccess?.());
    return made;
  }

  /** @param {string} name */
  function store(name) {
    const rows = stores.get(name) ?? new Map();
    const path = key_paths.get(name);
    const sorted = () => [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      get: (/** @type {IDBValidKey} */ key) => request(rows.get(key)),
      put: (/** @type {any} */ value, /** @type {IDBValidKey} */ key) => request(rows.set(path ? value[path] : key, value)),
      delete: (/** @type {IDBValidKey} */ key) => request(rows.delete(key)),
      count: () => request(rows.size),
      getAll: () => request(sorted().map(([, value]) => value)),
      openCursor() {
        const rest = sorted();
        const made = /** @type {any} */ ({ result: null, onsuccess: null, onerror: null });
        const step = () => {
          const next = rest.shift();
          made.result = next === undefined ? null : { value: next[1], continue: () => queueMicrotask(step) };
          made.onsuccess?.();
        };
        queueMicrotask(step);
        return made;
      },
    };
  }

  const database = {
    createObjectStore(/** @type {string} */ name, /** @type {{keyPath?: string}} */ { keyPath } = {}) {
      stores.set(name, new Map());
      key_paths.set(name, keyPath);
    },
    transaction() {
      const made = /** @type {any} */ ({ objectStore: store, abort() {} });
      setTimeout(() => made.oncomplete?.(), 2);
      return made;
    },
    close() {},
  };
  Object.assign(globalThis, {
    indexedDB: {
      open() {
        const made = /** @type {any} */ ({ result: database });
        queueMicrotask(() => {
          if (stores.size === 0) made.onupgradeneeded();
          made.onsuccess();
        });
        return made;
      },
    },
  });
  return {
    /** Forgets every row. */
    clear: () => stores.forEach((rows) => rows.clear()),
    /**
     * @param {string} name
     * @param {IDBValidKey} key
     */
    get: (name, key) => stores.get(name)?.get(key),
    /**
     * The rows of a store themselves.
     * @param {string} name
     */
    rows: (name) => stores.get(name) ?? new Map(),
    /** @param {string} name */
    all: (name) => [...(stores.get(name)?.values() ?? [])],
  };
}
