// Files that may not be downloaded in school hours (T54), by their name's ending and
// by what Chrome found them to be. The endings are the policy's.

import { cancelDownload, notify, uiLanguage } from './chrome.js';
import { now } from './clock.js';
import { standing } from './engine.js';
import { message } from './messages.js';

/** @typedef {{id: number, url: string, finalUrl?: string, filename?: string, mime?: string}} Download */

/** What Chrome calls files of these endings, whatever their names say. */
const KINDS = new Map(
  Object.entries({
    apk: ['application/vnd.android.package-archive'],
    appimage: ['application/x-appimage', 'application/vnd.appimage'],
    bat: ['application/x-bat', 'application/x-msdos-program'],
    crx: ['application/x-chrome-extension'],
    deb: ['application/vnd.debian.binary-package', 'application/x-debian-package', 'application/x-deb'],
    dmg: ['application/x-apple-diskimage'],
    exe: ['application/x-msdownload', 'application/x-msdos-program', 'application/vnd.microsoft.portable-executable', 'application/x-dosexec'],
    gz: ['application/gzip', 'application/x-gzip'],
    iso: ['application/x-iso9660-image', 'application/x-cd-image'],
    jar: ['application/java-archive', 'application/x-java-archive'],
    msi: ['application/x-msi', 'application/x-ms-installer'],
    '7z': ['application/x-7z-compressed'],
    rar: ['application/vnd.rar', 'application/x-rar-compressed', 'application/x-rar'],
    rpm: ['application/x-rpm', 'application/x-redhat-package-manager'],
    sh: ['application/x-sh', 'text/x-sh'],
    tar: ['application/x-tar'],
    zip: ['application/zip', 'application/x-zip-compressed'],
  }),
);

/**
 * Stops a download that is not allowed now.
 * @param {Download} download
 */
export async function checkDownload(download) {
  const { managed, download_types } = standing(now());
  if (!managed || !isRefused(download, download_types ?? [])) return;
  await cancelDownload(download.id);
  const language = uiLanguage();
  await notify('download', { title: message('download_title', {}, language), text: message('download_text', {}, language) });
}

/**
 * Whether a download is of one of these types.
 * @param {Download} download
 * @param {string[]} types Endings in lower case, without the dot.
 */
export function isRefused({ url, finalUrl, filename, mime }, types) {
  const names = [filename ?? '', pathOf(finalUrl ?? url), pathOf(url)].map((name) => name.toLowerCase());
  const kind = (mime ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return types.some((type) => names.some((name) => name.endsWith(`.${type}`)) || KINDS.get(type)?.includes(kind));
}

/** @param {string} url */
function pathOf(url) {
  return URL.canParse(url) && /^https?:/.test(url) ? new URL(url).pathname : '';
}
