// Every page of addresses.js in a real browser, in languages of five scripts: nothing that axe finds, nothing that scrolls sideways at
// 320 px, all of it in reach of the keyboard, and no complaint on the console.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { visitors } from './addresses.js';
import { address, enter, inPage, launch, skip, world } from './browser.js';
import { check, dull, faults, watch } from './check.js';

let browser;
const entered = {}; // sessions, by visitor: each signs in once

before(async () => {
  if (skip) return;
  browser = await launch();
  for (const [who, { email }] of Object.entries(visitors)) {
    if (email) entered[who] = await inPage(browser, async (page, context) => { await enter(page, world.TH, email); return context.storageState(); });
  }
});
after(async () => { await browser?.close(); });

// What differs from language to language is looked at in each. Colours are the same in all, and the mark of the focus in all of a script.
const scripts = { en: 'Latin', id: 'Latin', th: 'Thai', km: 'Khmer', my: 'Burmese', vi: 'Latin' };

describe('every page', { skip, concurrency: 2 }, () => {
  for (const [i, locale] of Object.keys(scripts).entries()) {
    const first = Object.values(scripts).indexOf(scripts[locale]) === i;
    for (const who of Object.keys(visitors ?? {})) {
      test(`what a ${who} sees in ${locale}`, () => inPage(browser, async (page, context) => {
        const said = await watch(context);
        const found = [];
        for (const path of visitors[who].paths) {
          await page.goto(address(path, world.TH));
          found.push(...await faults(page, { lang: locale, said, contrast: i === 0, focus: first }));
          if (i === 0) found.push(...await dull(page));
        }
        assert.ok(found.length === 0, found.join('\n'));
      }, { locale, viewport: { width: 320, height: 800 }, storageState: entered[who] }));
    }
  }
});

test('the pages have the same order of focus as Tab gives', { skip }, () => inPage(browser, async (page) => {
  for (const path of ['/', '/?q=drying+fish', `/listings/TH/${world.Listed}`, '/sign-in']) {
    await page.goto(address(path, world.TH));
    const want = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
      .filter((el) => !el.disabled && el.checkVisibility({ visibilityProperty: true })).length);
    const seen = new Set();
    for (;;) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const el = document.activeElement;
        if (el === document.body) return '';
        el.dataset.tabbed ??= String(Math.random());
        return el.matches(':focus-visible') ? el.dataset.tabbed : `unseen: ${el.outerHTML.slice(0, 120)}`;
      });
      if (!at || seen.has(at)) break;
      assert.ok(!at.startsWith('unseen'), `${path}: the focus is ${at}`);
      seen.add(at);
    }
    assert.equal(seen.size, want, `${path}: what Tab reaches`);
  }
}));

test('light and dark, and a language, are chosen with and without JavaScript', { skip }, async () => {
  for (const javaScriptEnabled of [true, false]) {
    await inPage(browser, async (page) => {
      await page.goto(address('/figures', world.TH));
      await page.getByRole('button', { name: 'Dark' }).click();
      await page.locator('html[data-theme=dark]').waitFor();
      await page.locator('.tmh-menu summary').click();
      await page.getByRole('link', { name: 'ខ្មែរ' }).click();
      await page.locator('html[lang=km]').waitFor();
      await page.goto(address('/federation', world.TH));
      await page.locator('html[lang=km][data-theme=dark]').waitFor();
      if (javaScriptEnabled) await check(page, { lang: 'km' }); // in the dark
    }, { javaScriptEnabled });
  }
});
