// The server's clock as far as we know it, and one tick per second for everything that ages.

let offset = 0;
let known = false;
const listeners = new Set();

/** Learn from a server timestamp that has just arrived. The smallest delay seen wins. */
export function learn(iso) {
  const server = Date.parse(iso);
  if (Number.isNaN(server)) return;
  const found = server - Date.now();
  if (!known || found > offset) offset = found;
  known = true;
}

/** Milliseconds since the epoch, by the server's clock. */
export const now = () => Date.now() + offset;

/** How far the server's clock is ahead of ours (ms). */
export const skew = () => offset;

/** Age of a server timestamp in ms; NaN where there is none. */
export const age = (iso) => now() - Date.parse(iso);

/** Milliseconds until a server timestamp; negative afterwards. */
export const until = (iso) => Date.parse(iso) - now();

export const onTick = (listener) => listeners.add(listener);

setInterval(() => listeners.forEach((listener) => listener()), 1000);
