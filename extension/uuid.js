// Ids for events, made on the device so that a repeated delivery is recognised.

let last_ms = 0;
let counter = 0;

/**
 * A UUID of version 7 (RFC 9562): 48 bits of time, then a counter that keeps ids
 * of one millisecond in order, then 62 random bits.
 * @param {number} now_ms Unix epoch milliseconds.
 * @returns {string}
 */
export function uuidV7(now_ms) {
  const random = crypto.getRandomValues(new Uint8Array(10));
  if (now_ms > last_ms) {
    last_ms = now_ms;
    counter = (((random[0] ?? 0) << 8) | (random[1] ?? 0)) & 0x7ff;
  } else {
    counter += 1;
    if (counter > 0xfff) {
      last_ms += 1;
      counter = 0;
    }
  }
  const time = last_ms.toString(16).padStart(12, '0').slice(-12);
  const version = `7${counter.toString(16).padStart(3, '0')}`;
  const tail = [...random.slice(2)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = ((parseInt(tail.slice(0, 2), 16) & 0x3f) | 0x80).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}${tail.slice(2, 4)}-${tail.slice(4, 16)}`;
}
