// The public pages in a real browser, in languages of four scripts: nothing that axe finds, nothing that scrolls sideways at 320 px, no
// complaint on the console, and all of it without JavaScript too. TMH_E2E_PLAIN names a node.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, patience } from './browser.js';

const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const base = process.env.TMH_E2E_PLAIN && new URL('/', process.env.TMH_E2E_PLAIN).href;
const skip = base ? false : 'TMH_E2E_PLAIN names no node';
const paths = ['/', '/?q=drying+fish', '/?kind=TO', '/federation', '/figures', '/nowhere', '/sign-in', '/reset'];
let browser;

before(async () => { if (!skip) browser = await launch(); });
after(async () => { await browser?.close(); });

for (const locale of ['en', 'th', 'km', 'my']) {
  test(`public pages in ${locale}`, { skip }, async () => {
    const context = await browser.newContext({ locale, viewport: { width: 320, height: 800 } });
    context.setDefaultTimeout(patience);
    try {
      const page = await context.newPage();
      const said = [];
      page.on('console', (m) => { if (m.type() === 'error' && !m.text().includes('404')) said.push(m.text()); });
      page.on('pageerror', (e) => said.push(String(e)));
      for (const path of paths) {
        await page.goto(new URL(path, base).href);
        assert.equal(await page.locator('html').getAttribute('lang'), locale);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 320, `${path} scrolls sideways`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        assert.deepEqual(violations.map((v) => `${path} ${v.id}: ${v.nodes[0].html}`), []);
      }
      assert.deepEqual(said, []);
    } finally {
      await context.close();
    }
  });
}

test('light and dark, and a language, are chosen with and without JavaScript', { skip }, async () => {
  for (const javaScriptEnabled of [true, false]) {
    const context = await browser.newContext({ javaScriptEnabled });
    context.setDefaultTimeout(patience);
    try {
      const page = await context.newPage();
      await page.goto(new URL('/figures', base).href);
      await page.getByRole('button', { name: 'Dark' }).click();
      await page.locator('html[data-theme=dark]').waitFor();
      await page.locator('.tmh-menu summary').click();
      await page.getByRole('link', { name: 'ខ្មែរ' }).click();
      await page.locator('html[lang=km]').waitFor();
      await page.goto(new URL('/federation', base).href);
      await page.locator('html[lang=km][data-theme=dark]').waitFor();
    } finally {
      await context.close();
    }
  }
});
