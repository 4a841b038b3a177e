// Passkeys in a real browser, against the server at TMH_E2E_URL (a Go test starts one and sets it).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inPage, launch } from './browser.js';
import { add, copied, journey, phone, signIn, words } from './passkey.js';

const base = process.env.TMH_E2E_URL;
const skip = base ? false : 'TMH_E2E_URL names no server';
let browser;

before(async () => { if (base) browser = await launch(); });
after(async () => { await browser?.close(); });

test('a passkey is added and opens the account', { skip }, () => inPage(browser, async (page) => {
  const { said } = await journey(page, base);
  assert.match(said, /Sok Dara/);
  assert.match(said, /My phone/);
  assert.match(said, /verified/);
}));

test('one device holds one passkey of an account', { skip }, () => inPage(browser, async (page) => {
  const device = await phone(page);
  await add(page, base, 'Key');
  await add(page, base, 'Key again', { expect: words.failed });
  assert.equal((await device.keys()).length, 1);
}));

test('a copied passkey opens nothing', { skip }, () => inPage(browser, (page) => copied(page, base)));

test('a page at another address cannot use it', { skip }, () => inPage(browser, async (page) => {
  await journey(page, base);
  const elsewhere = new URL(base);
  elsewhere.hostname = '127.0.0.1';
  await signIn(page, elsewhere.href, { expect: words.failed });
}));
