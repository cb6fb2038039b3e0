/**
 * Something that this browser keeps across reloads, for all its tabs.
 * @template T @param {string} key @param {T} none what is there when nothing was kept
 */
export function kept(key, none) {
  return {
    key,
    /** @returns {T} */
    get: () => JSON.parse(localStorage.getItem(key) ?? "null") ?? none,
    /** @param {T} value */
    set: (value) => localStorage.setItem(key, JSON.stringify(value)),
    forget: () => localStorage.removeItem(key),
  };
}
