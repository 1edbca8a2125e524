/** The little that every page knows of an operator: a mark in this browser, or a secret in the address. */

const MARK = "aiimprove.operator";
const FRAGMENT = /^#operator=(.+)$/;

let secret: string | null = null;

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Takes a secret out of the address bar at once, before anything else can read or keep it. */
export function captureSecret(): void {
  const match = FRAGMENT.exec(window.location.hash);
  if (!match?.[1]) return;
  secret = decoded(match[1]);
  window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
}

/** The captured secret, once. */
export function takeSecret(): string | null {
  const taken = secret;
  secret = null;
  return taken;
}

/** Storage may be forbidden; then the browser just forgets. */
function tryStorage<T>(use: (storage: Storage) => T): T | null {
  try {
    return use(window.localStorage);
  } catch {
    return null;
  }
}

export const remember = (key: string, value: string) => tryStorage((storage) => storage.setItem(key, value));
export const recall = (key: string) => tryStorage((storage) => storage.getItem(key));
export const forget = (key: string) => tryStorage((storage) => storage.removeItem(key));

export const isMarked = (): boolean => recall(MARK) !== null;
export const setMark = (): void => void remember(MARK, "1");
export const removeMark = (): void => void forget(MARK);
