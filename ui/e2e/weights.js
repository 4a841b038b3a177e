// What the first page weighs on a cold cache, in every language: bytes on the wire, with headers, as Chromium counts them.
//   node weights.js http://localhost:8080/
import { inPage, launch } from './browser.js';

const base = process.argv[2];
const tags = ['en', 'id', 'ms', 'th', 'vi', 'fil', 'km', 'lo', 'my', 'zh', 'ta', 'pt', 'tet'];
const kb = (n) => (n / 1000).toFixed(1).padStart(7);
const browser = await launch();
console.log('language     page  style script fonts-latin  fonts-other  pictures     all');
for (const tag of tags) {
  await inPage(browser, async (page, context) => {
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    const kinds = new Map();
    const sum = { page: 0, style: 0, script: 0, latin: 0, other: 0, picture: 0 };
    session.on('Network.responseReceived', ({ requestId, response }) => kinds.set(requestId, response.url));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength: n }) => {
      const url = kinds.get(requestId) ?? '';
      const kind = url.endsWith('.css') ? 'style' : url.endsWith('.js') ? 'script' : /sans-latin-[0-9a-f]/.test(url) ? 'latin' : url.endsWith('.woff2') ? 'other' : url.endsWith('.svg') ? 'picture' : 'page';
      sum[kind] += n;
    });
    await page.setExtraHTTPHeaders({ 'Accept-Language': tag });
    await page.goto(base, { waitUntil: 'networkidle' });
    const all = Object.values(sum).reduce((a, b) => a + b);
    console.log(`${tag.padEnd(8)}${kb(sum.page)}${kb(sum.style)}${kb(sum.script)}     ${kb(sum.latin)}      ${kb(sum.other)}   ${kb(sum.picture)} ${kb(all)}`);
  });
}
await browser.close();
