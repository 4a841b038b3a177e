// One Chromium for a test file, the distribution's own: nothing is downloaded. CHROMIUM names another one.
import { chromium } from 'playwright-core';

export const patience = 20_000; // for any one step, in ms

// world is what the Go test started: see its type e2e.
export const world = process.env.TMH_E2E && JSON.parse(process.env.TMH_E2E);
export const skip = world ? false : 'TMH_E2E names no nodes: go test ./ui -run TestBrowser';

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [], // Chromium's sandbox refuses to run as root
    timeout: 2 * patience,
  });
}

// inPage gives f a page of a fresh profile, and closes the profile whatever happens.
export async function inPage(browser, f, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(patience);
  try {
    return await f(await context.newPage(), context);
  } finally {
    await context.close();
  }
}

export const address = (path, base) => new URL(path, base).href;

// enter signs a person in at a node by the form, and ends at a page.
export async function enter(page, base, email, to = '/account') {
  await page.goto(address(`/sign-in?from=${encodeURIComponent(to)}`, base));
  await page.locator('input[name=email]').fill(email);
  await page.locator('input[name=password]').fill(world.Password);
  await page.locator('form[action="/sign-in"] button').click();
  await page.waitForURL(address(to, base));
}
