// What people do beside the main job: import a file, save a search, take a node into use, look after it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { address, enter, inPage, launch, skip, world } from './browser.js';
import { check, watch } from './check.js';

const phone = { viewport: { width: 320, height: 720 } };
let browser;

before(async () => { if (!skip) browser = await launch(); });
after(async () => { await browser?.close(); });

for (const javaScriptEnabled of [true, false]) {
  test(`a file is imported${javaScriptEnabled ? '' : ', without JavaScript'}`, { skip }, () => inPage(browser, async (page, context) => {
    const said = await watch(context);
    const checked = async () => { if (javaScriptEnabled) await check(page, { said }); else assert.deepEqual(said, []); };
    // done waits for the job to end: the page changes by itself, or is looked at again
    const done = async () => {
      for (let i = 0; !javaScriptEnabled && i < 100 && await page.locator('#again').count(); i++) await page.locator('#again').click();
      await page.locator('#again').waitFor({ state: 'detached' });
    };
    const rows = Array.from({ length: 300 }, (_, i) => `B${javaScriptEnabled}-${i},TO,Husk briquettes number ${i},Pressed from rice husk without a binder on a screw press.,6`);
    rows.push(`B${javaScriptEnabled}-x,XX,Of no kind,Nothing,6`, `B${javaScriptEnabled}-y,TO,Too ready,Nothing,99`);
    const at = address(`/organisations/${world.Laboratory}/imports`, world.TH);
    await enter(page, world.TH, world.Editor);
    await page.goto(at);
    await page.locator('main a[href$="/imports/new"]').first().click();
    await page.locator('main form button').click(); // without a file
    await page.locator('.govuk-error-summary').waitFor();
    await checked();
    await page.locator('input[name=drafts]').check(); // or the reviewers have 300 to read
    await page.locator('input[type=file]').setInputFiles({ name: 'offers.csv', mimeType: 'text/csv', buffer: Buffer.from(`id,kind,title,abstract,trl\n${rows.join('\n')}\n`) });
    await page.locator('main form button').click();
    await page.waitForURL(/\/columns$/);
    await checked();
    await page.locator('main form button').click();
    await page.waitForURL(/\/imports\/[^/]+$/);
    await done();
    await checked();
    assert.match(await page.locator('.tmh-totals').innerText(), /300/); // would be created
    await page.locator('form[action$="/apply"] button').click();
    await done();
    await checked();
    assert.match(await page.locator('.tmh-totals').innerText(), /300/);
    const [errors] = await Promise.all([page.waitForEvent('download'), page.locator('main a[href$="/errors"]').click()]);
    const lines = (await readFile(await errors.path(), 'utf8')).trim().split('\n');
    assert.equal(lines.length, 3, lines.join('\n')); // its head and two rows
    assert.match(lines.join('\n'), /Of no kind/);
    await page.goto(at);
    await page.getByText('offers.csv').first().waitFor();
    await checked();
  }, { ...phone, javaScriptEnabled }));
}

test('a long check says how far it is, by itself, and is cancelled', { skip }, () => inPage(browser, async (page, context) => {
  const said = await watch(context);
  await enter(page, world.TH, world.Editor);
  await page.goto(address(`/organisations/${world.Laboratory}/imports/new`, world.TH));
  const rows = Array.from({ length: 30_000 }, (_, i) => `L-${i},TO,Husk briquettes number ${i},Pressed from rice husk without a binder on a screw press.,6`);
  await page.locator('input[type=file]').setInputFiles({ name: 'long.csv', mimeType: 'text/csv', buffer: Buffer.from(`id,kind,title,abstract,trl\n${rows.join('\n')}\n`) });
  await page.locator('main form button').click();
  await page.waitForURL(/\/columns$/);
  await page.locator('main form button').click();
  const bar = page.locator('#progress');
  await bar.waitFor();
  await check(page, { said });
  const first = await bar.evaluate((x) => x.value);
  await page.waitForFunction((v) => document.querySelector('#progress')?.value > v, first); // nothing was pressed
  const { value, max } = await bar.evaluate((x) => ({ value: x.value, max: x.max }));
  assert.ok(value < max, `${value} of ${max}`);
  await page.locator('#cancel').click();
  await check(page, { said });
  await page.locator('main form button').click();
  await bar.waitFor({ state: 'detached' });
  await page.locator('#again').waitFor({ state: 'detached' });
  await check(page, { said });
}, phone));

test('a search is saved, run, renamed, deleted and brought back', { skip }, () => inPage(browser, async (page, context) => {
  const said = await watch(context);
  await enter(page, world.TH, 'scout@th.example', '/saved');
  await page.goto(address('/?q=rice+straw+as+feed', world.TH));
  await page.locator('a[href^="/saved/new"]').first().click();
  await check(page, { said });
  await page.locator('main form input[name=name]').fill('Straw for cattle');
  await page.locator('main form button').first().click();
  await page.goto(address('/saved', world.TH));
  await check(page, { said });
  await page.getByRole('link', { name: 'Straw for cattle', exact: false }).first().click();
  await page.locator('#found article').first().waitFor();
  await page.goto(address('/saved', world.TH));
  await page.getByRole('link', { name: /^Rename/ }).click();
  await page.locator('main form input[name=name]').fill('Straw');
  await page.locator('main form button').first().click();
  await page.goto(address('/saved', world.TH));
  await page.getByRole('button', { name: 'Delete Straw' }).click();
  await check(page, { said });
  await page.locator('form[action$="/restore"] button').click();
  await page.getByRole('heading', { name: 'Straw' }).waitFor();
}, phone));

test('a new node is taken into use', { skip }, () => inPage(browser, async (page, context) => {
  const said = await watch(context);
  await page.goto(world.First);
  await check(page, { said });
  await page.getByLabel('Your name').fill('Chan Dara');
  await page.getByLabel('Email address', { exact: true }).fill('dara@agency.example.org');
  await page.getByLabel('New password').fill('three green paper boats');
  await page.getByRole('button', { name: 'Set up' }).click();
  const welcome = address('/welcome', world.First);
  await page.goto(welcome);
  const steps = await page.locator('.tmh-tasks a').evaluateAll((all) => all.map((a) => a.href));
  assert.ok(steps.length >= 6, steps.join());
  await check(page, { said });
  for (const step of steps) {
    await page.goto(step);
    await check(page, { said });
  }
  await page.goto(welcome);
  const before = await page.locator('#steps').getAttribute('value');
  await page.goto(address('/administration/organisations/new', world.First));
  await page.locator('main input[name=name]').fill('University of the delta');
  for (const name of ['type', 'country']) {
    const select = page.locator(`main select[name=${name}]`);
    if (await select.count()) await select.selectOption(name === 'type' ? 'university' : 'KH');
  }
  await page.locator('main form:has(input[name=name]) button').first().click();
  await page.getByText('University of the delta').first().waitFor();
  await page.goto(welcome);
  assert.ok(Number(await page.locator('#steps').getAttribute('value')) > Number(before), 'the organisation is a step done');
  await page.locator('form[action="/welcome/finish"] button').click();
  await page.waitForURL(/\/administration/);
  await check(page, { said });
}, phone));

test('administration: invite, accept, another role, disable, and the log tells it', { skip }, () => inPage(browser, async (page, context) => {
  const said = await watch(context);
  const email = 'malee@office.example';
  await enter(page, world.TH, 'admin@th.example', '/administration');
  await page.goto(address('/administration/people/invite', world.TH));
  await page.locator('main form input[name=email]').fill('not an address');
  await page.locator('main form:has(input[name=email]) button').last().click();
  await page.locator('.govuk-error-summary').waitFor();
  await check(page, { said });
  await page.locator('main form input[name=email]').fill(email);
  await page.locator('main form select[name=organisation]').selectOption(world.Laboratory);
  await page.locator('main form input[name=roles][value=editor]').check();
  await page.locator('main form:has(input[name=email]) button').last().click();
  const link = (await page.locator('main pre').innerText()).trim();
  await check(page, { said });
  const key = new URL(link, world.TH);
  await inPage(browser, async (guest, of) => {
    const heard = await watch(of);
    await guest.goto(address(key.pathname + key.search, world.TH));
    await check(guest, { said: heard });
    await guest.locator('main input[name=name]').fill('Malee');
    await guest.locator('main input[name=password]').fill(world.Password);
    await guest.locator('main form[action="/invitation"] button').click();
    await guest.locator('.tmh-menu', { hasText: 'Malee' }).waitFor({ state: 'attached' });
    await page.goto(address('/administration/people?text=malee', world.TH));
    await page.locator('.tmh-table a', { hasText: 'Malee' }).click();
    const person = page.url();
    await check(page, { said });
    await page.locator('form[action$="/roles"] input[name=roles][value=scout]').check();
    await page.locator('form[action$="/roles"] button').click();
    await page.getByRole('status').first().waitFor();
    await page.goto(person);
    await page.locator('form[action$="/disable"] button').click();
    await page.locator('.tmh-notice--bad').waitFor();
    await check(page, { said });
    await guest.goto(address('/account', world.TH));
    await guest.waitForURL(/\/sign-in/); // at once
  }, phone);
  await page.goto(address('/administration/audit', world.TH));
  const log = await page.locator('.tmh-log').innerText();
  for (const code of ['invit', 'role', 'disable']) assert.match(log, new RegExp(code, 'i'));
  await page.locator('form[action="/administration/audit/verify"] button').click();
  await page.locator('.tmh-notice--good').waitFor();
  await check(page, { said });
  await page.goto(address('/administration/checks', world.TH));
  await page.locator('form[action="/administration/checks"] button').click();
  await check(page, { said });
}, phone));
