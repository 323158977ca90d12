// Starts a browser, says where it is and waits to be ended: the subject of the clean-up tests.

import path from 'node:path';

import { Chromium } from './chromium.mjs';

const chromium = await Chromium.start();
console.log(JSON.stringify({ group: chromium.group, folder: path.dirname(chromium.logFile) }));
setInterval(() => {}, 60_000);
