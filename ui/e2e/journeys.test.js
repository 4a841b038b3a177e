// The main job, from the first look to a listing that another member's people see: by mouse, by keyboard alone, and without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { address, enter, inPage, launch, patience, skip, world } from './browser.js';
import { check, watch } from './check.js';

const phone = { viewport: { width: 320, height: 720 } };
let browser;

before(async () => { if (!skip) browser = await launch(); });
after(async () => { await browser?.close(); });

// later asks for a page again and again until it says what is expected: another member's node hears of a listing when it does.
async function later(page, url, ok) {
  const until = Date.now() + 2 * patience;
  for (;;) {
    await page.goto(url);
    if (await ok()) return;
    assert.ok(Date.now() < until, `${url} does not come to say it`);
  }
}

test('a newcomer comes to an explained match across a border in two clicks', { skip }, () => inPage(browser, async (page, context) => {
  const said = await watch(context);
  await page.goto(world.VN);
  await page.locator('#found article h3 a[href^="/listings/TH/"]').first().click(); // one
  const foreign = page.locator('section[aria-labelledby=fits] article').filter({ hasText: 'Viet Nam' });
  await foreign.locator('.tmh-pairs li').first().waitFor(); // why it matches, in words
  await check(page, { said });
  await foreign.locator('h3 a').first().click(); // two
  await page.waitForURL(/\/listings\/VN\//);
}, phone));

test('search as one types, narrow down, why, the listing, and back', { skip }, () => inPage(browser, async (page, context) => {
  const said = await watch(context);
  await page.goto(world.TH);
  await page.locator('#q').pressSequentially('baled rice straw as cattle feed');
  await page.locator('#found .tmh-verdict').first().waitFor(); // nothing was sent by hand
  await check(page, { said });
  await page.getByRole('button', { name: 'Find matches' }).click();
  const first = page.locator('#found article').first();
  const offer = page.locator('#found article').filter({ has: page.locator('a[href="/listings/VN/TO-VN-20260219-004"]') });
  await offer.locator('.tmh-pairs').getByText('straw').first().waitFor();
  await offer.locator('.tmh-why summary').last().click(); // how the score comes about
  await offer.locator('.tmh-why table').waitFor();
  await page.locator('.tmh-facets a', { hasText: 'Technology offer' }).first().click();
  await page.locator('.tmh-chosen a').first().waitFor();
  assert.ok(await first.count());
  await check(page, { said });
  await offer.locator('h3 a').click();
  await page.locator('.tmh-proof li').first().waitFor();
  await check(page, { said });
}, phone));

// write a listing from nothing to the page that sends it, as somebody does who reads the page.
async function write(page, title, abstract, scripted) {
  await page.goto(address('/post', world.TH));
  await page.getByRole('button').and(page.locator('form[action="/post"] button')).click(); // nothing is chosen yet
  await page.locator('.govuk-error-summary').waitFor();
  await page.locator('input[name=kind][value=TO]').check();
  await page.locator('input[name=languages][value=en]').check();
  await page.locator('form[action="/post"] button').click();
  await page.waitForURL(/\/postings\/[^/]+\/edit/);
  const edit = page.url().replace(/[?#].*/, '');
  await page.locator('.tmh-tasks a[href$="/edit/words-en"]').click();
  await page.locator('input[name$="title"]').fill(title);
  await page.locator('input[name$="value"]').fill('Feed from what is burnt today');
  await page.locator('textarea[name$="abstract"]').fill(abstract);
  if (scripted) await page.locator('.tmh-saved').waitFor(); // by itself
  await page.locator('textarea[name$="keywords"]').fill('straw\nfeed\nfungus');
  if (scripted) {
    await page.reload(); // as if the power went
    assert.equal(await page.locator('input[name$="title"]').inputValue(), title);
    await page.locator('textarea[name$="keywords"]').fill('straw\nfeed\nfungus');
  }
  await page.locator('#section .tmh-actions button').click();
  await page.waitForURL(/\/edit([?#].*)?$/);
  return edit;
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? '' : ', without JavaScript';
  test(`sign in, post, review, seen at another member${how}`, { skip }, async () => {
    // It says what a listing of Viet Nam says, but for its title.
    const twin = (await (await fetch(address('/api/v1/listings/VN/TO-VN-20260219-004', world.TH))).json()).listing.texts.en;
    const title = `${twin.title.slice(0, 100)}, ${javaScriptEnabled ? 'second' : 'third'} model`;
    await inPage(browser, async (page, context) => {
      const said = await watch(context);
      const checked = async () => { if (javaScriptEnabled) await check(page, { said }); else assert.deepEqual(said, []); };
      await enter(page, world.TH, world.Editor, '/post');
      const edit = await write(page, title, twin.abstract, javaScriptEnabled);
      await checked();
      await page.locator('.tmh-notice--wait a', { hasText: twin.title }).first().waitFor(); // it looks like a duplicate
      await page.goto(edit.replace('/edit', '/edit/basics'));
      await page.locator('select[name=trl]').selectOption('6');
      await page.locator('#section .tmh-actions button').click();
      await page.goto(edit.replace('/edit', '/edit/fields'));
      await page.locator('details:has(input[name=ford][value="2.11"]) > summary').click();
      await page.locator('input[name=ford][value="2.11"]').check();
      await page.locator('#section .tmh-actions button').click();
      await page.waitForURL(/\/edit([?#].*)?$/);
      await page.goto(edit.replace('/edit', '/preview?as=public'));
      await page.getByText(title).first().waitFor();
      await page.goto(edit.replace('/edit', '/send'));
      await checked();
      await page.locator('form[action$="/send"] button').click();
      await page.getByRole('status').or(page.locator('.tmh-notice--good')).first().waitFor();
      await checked();
    }, { ...phone, javaScriptEnabled });
    await inPage(browser, async (page, context) => {
      const said = await watch(context);
      const checked = async () => { if (javaScriptEnabled) await check(page, { said }); else assert.deepEqual(said, []); };
      await enter(page, world.TH, 'reviewer@th.example', '/desk');
      await page.getByRole('link', { name: title }).first().click();
      await page.waitForURL(/\/desk\/[^/]+$/);
      await checked();
      await page.locator('form:has(input[value=take]) button').click();
      await page.locator('#review').waitFor();
      await page.locator('#review p button').click(); // no scores yet
      await page.locator('.govuk-error-summary').waitFor();
      await checked();
      for (const group of await page.locator('#scores fieldset').all()) await group.locator('input[value="3"]').check({ force: true });
      await page.locator('#review p button').click();
      await page.locator('.tmh-notice--good').waitFor();
      await checked();
    }, { ...phone, javaScriptEnabled });
    await inPage(browser, async (page) => {
      await later(page, address(`/?q=${encodeURIComponent(title)}`, world.VN), () => page.locator('#found').getByRole('link', { name: title }).count());
      await page.locator('#found').getByRole('link', { name: title }).first().click();
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
    }, { ...phone, javaScriptEnabled });
  });
}

// to moves by Tab alone until the focus is on what fits.
async function to(page, selector) {
  for (let i = 0; i < 400; i++) {
    if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not come to ${selector} at ${page.url()}`);
}

test('keyboard alone: search, why, sign in, write, submit', { skip }, () => inPage(browser, async (page) => {
  const key = (k) => page.keyboard.press(k);
  await page.goto(world.TH);
  await key('Tab');
  await key('Enter'); // skips to the content
  await to(page, '#q');
  await page.keyboard.type('straw for cattle');
  await to(page, '.tmh-search button');
  await key('Enter');
  await page.waitForURL(/q=straw/);
  await to(page, '.tmh-why summary');
  await key('Enter');
  await page.locator('.tmh-why details[open] table').first().waitFor();
  await page.goto(address('/sign-in?from=/post', world.TH));
  await to(page, 'input[name=email]');
  await page.keyboard.type(world.Editor);
  await to(page, 'input[name=password]');
  await page.keyboard.type(world.Password);
  await key('Enter');
  await page.waitForURL(address('/post', world.TH));
  await to(page, 'input[name=kind]');
  await key('Space');
  await to(page, 'input[name=languages][value=en]');
  if (!await page.locator('input[name=languages][value=en]').isChecked()) await key('Space');
  await to(page, 'form[action="/post"] button');
  await key('Enter');
  await page.waitForURL(/\/edit$/);
  await page.waitForLoadState();
  await to(page, 'a[href$="/edit/words-en"]');
  await key('Enter');
  await page.waitForURL(/words-en$/);
  await to(page, 'input[name$="title"]');
  await page.keyboard.type('Written with the keys alone');
  await to(page, 'input[name$="value"]');
  await page.keyboard.type('No mouse is needed');
  await to(page, 'textarea[name$="abstract"]');
  await page.keyboard.type('A listing that was begun, written and submitted by somebody who uses no mouse, from the first page on to the desk of the reviewers.');
  await to(page, '#section .tmh-actions button');
  await key('Enter');
  await page.waitForURL(/\/edit([?#].*)?$/);
  await page.getByText('Written with the keys alone').first().waitFor();
  await to(page, 'a[href$="/edit/basics"]');
  await key('Enter');
  await page.waitForURL(/basics$/);
  await to(page, 'select[name=trl]');
  await key('6');
  await to(page, '#section .tmh-actions button');
  await key('Enter');
  await page.waitForURL(/\/edit([?#].*)?$/);
  await to(page, 'a[href$="/edit/fields"]');
  await key('Enter');
  await page.waitForURL(/fields$/);
  await to(page, 'details:has(input[name=ford][value="2.11"]) > summary');
  await key('Enter');
  await to(page, 'input[name=ford][value="2.11"]');
  await key('Space');
  await to(page, '#section .tmh-actions button');
  await key('Enter');
  await page.waitForURL(/\/edit([?#].*)?$/);
  await to(page, 'a[href$="/send"]');
  await key('Enter');
  await page.waitForURL(/\/send$/);
  await to(page, 'form[action$="/send"] button');
  await key('Enter');
  await page.getByRole('status').or(page.locator('.tmh-notice--good')).first().waitFor();
  await page.getByText('Submitted', { exact: true }).first().waitFor();
}, phone));
