// One Chromium for a test file, the distribution's own: nothing is downloaded. CHROMIUM names another one.
import { chromium } from 'playwright-core';

export const patience = 15_000; // for any one step, in ms

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [], // Chromium's sandbox refuses to run as root
    timeout: 2 * patience,
  });
}

// inPage gives f a page of a fresh profile, and closes the profile whatever happens.
export async function inPage(browser, f) {
  const context = await browser.newContext();
  context.setDefaultTimeout(patience);
  try {
    return await f(await context.newPage(), context);
  } finally {
    await context.close();
  }
}
