// Base64 of byte arrays (ECMAScript 2026, Chrome 140), which TypeScript 5.9 does not know.

interface Base64Options {
  alphabet?: 'base64' | 'base64url';
}

interface Uint8ArrayConstructor {
  fromBase64(text: string, options?: Base64Options): Uint8Array<ArrayBuffer>;
}

interface Uint8Array {
  toBase64(options?: Base64Options & { omitPadding?: boolean }): string;
}
