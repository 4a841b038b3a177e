// The doors of a node in a real browser. A Go test starts two nodes without an administrator; the second is looked at with JavaScript
// off.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inPage, launch, skip, world } from './browser.js';
import { add, copy, failed, journey, leave, phone, signIn } from './passkey.js';

const links = { scripted: world?.Setup, plain: world?.Plain };
const base = links.scripted && new URL('/', links.scripted).href;
const me = { name: 'Chan Dara', email: 'dara@agency.example.org', password: 'three green paper boats' };
let browser;

before(async () => { if (!skip) browser = await launch(); });
after(async () => { await browser?.close(); });

async function setUp(page, link) {
  await page.goto(link);
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByRole('link', { name: /^Your name: / }).click(); // the summary leads to the field
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'setup-name');
  await page.getByLabel('Your name').fill(me.name);
  await page.getByLabel('Email address', { exact: true }).fill(me.email);
  await page.getByLabel('New password').fill(me.password);
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByRole('status').filter({ hasText: 'This node is set up' }).waitFor();
}

async function byPassword(page, to = base) {
  await page.goto(new URL('/sign-in?from=/account', to).href);
  await page.getByLabel('Email address').fill(me.email);
  await page.getByLabel('Password').fill(me.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Your account' }).waitFor();
}

async function signOut(page) {
  await leave(page, me.name);
}

test('the first administrator sets the node up, adds a passkey, and signs in with it', { skip }, () => inPage(browser, async (page) => {
  await journey(page, base, () => setUp(page, links.scripted));
  await page.locator('.tmh-menu', { hasText: me.name }).waitFor();
  await page.getByText('with a passkey on').waitFor(); // in the list of sessions
}));

test('one device holds one passkey of an account', { skip }, () => inPage(browser, async (page) => {
  const device = await phone(page);
  await byPassword(page);
  await add(page, base, 'Key');
  await add(page, base, 'Key again', failed);
  assert.equal((await device.keys()).length, 1);
}));

test('a passkey is renamed and removed', { skip }, () => inPage(browser, async (page) => {
  await phone(page);
  await byPassword(page);
  await add(page, base, 'Old name');
  await page.getByText('Rename Old name').click();
  await page.getByRole('textbox', { name: 'New name' }).and(page.locator(':visible')).fill('Better name');
  await page.getByRole('button', { name: 'Save' }).and(page.locator(':visible')).last().click();
  await page.getByRole('status').filter({ hasText: 'renamed' }).waitFor();
  await page.getByRole('button', { name: 'Remove Better name' }).click();
  await page.getByRole('status').filter({ hasText: 'opens your account no more' }).waitFor();
  await signOut(page);
  await signIn(page, base, failed);
}));

// The key is used by two devices. The one that is behind is found out, and both are shut out.
test('a copied passkey opens nothing', { skip }, () => inPage(browser, async (page) => {
  const { device, made } = await journey(page, base, byPassword);
  await signOut(page);
  await device.put(made); // the counter falls back to what it was when the key was copied
  await signIn(page, base, copy);
  await signIn(page, base, copy);
  await byPassword(page);
  await page.getByText('A copy of it seemed to be in use').waitFor();
}));

test('a page at another address cannot use it', { skip }, () => inPage(browser, async (page) => {
  await journey(page, base, byPassword);
  await signOut(page);
  const elsewhere = new URL(base);
  elsewhere.hostname = '127.0.0.1';
  await signIn(page, elsewhere.href, failed);
}));

test('without JavaScript: setup, sign-in by password, a token', { skip }, async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  context.setDefaultTimeout(15_000);
  try {
    const page = await context.newPage();
    const there = new URL('/', links.plain).href;
    await setUp(page, links.plain);
    await page.goto(new URL('/account', there).href);
    await page.getByText('Adding a passkey needs JavaScript').waitFor();
    await signOut(page);
    await byPassword(page, there);
    await page.getByLabel('What it is for').fill('Nightly import');
    await page.getByLabel('Read: Full records').check();
    await page.getByRole('button', { name: 'Make a token' }).click();
    const token = await page.getByLabel('Token', { exact: true }).innerText();
    const answer = await fetch(new URL('/api/v1/health', there), { headers: { Authorization: `Bearer ${token}` } });
    assert.notEqual(answer.status, 401);
    const wrong = await fetch(new URL('/api/v1/health', there), { headers: { Authorization: `Bearer ${token}x` } });
    assert.equal(wrong.status, 401);
  } finally {
    await context.close();
  }
});
