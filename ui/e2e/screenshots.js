// Pictures of every page of addresses.js, narrow and wide, light and dark:
//   TMH_SCREENSHOTS=/tmp/pictures go test ./ui -run TestBrowser -count 1
// ONLY=desk,welcome takes those alone whose address has one of these words; LOCALE=km takes them in that language.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { visitors } from './addresses.js';
import { address, enter, inPage, launch, skip, world } from './browser.js';

const to = process.argv[2];
if (!to || skip) throw new Error(skip || 'node screenshots.js FOLDER');
const only = process.env.ONLY?.split(',');
await mkdir(to, { recursive: true });
const browser = await launch();
for (const [who, { email, paths }] of Object.entries(visitors)) {
  const wanted = paths.filter((p) => !only || only.some((o) => p.includes(o)));
  if (!wanted.length) continue;
  await inPage(browser, async (page) => {
    if (email) await enter(page, world.TH, email);
    for (const path of wanted) {
      await page.goto(address(path, world.TH));
      for (const width of [320, 1280]) {
        for (const colorScheme of ['light', 'dark']) {
          await page.setViewportSize({ width, height: 900 });
          await page.emulateMedia({ colorScheme });
          const name = `${who}${path.replace(/[^a-z0-9]+/gi, '-')}`.slice(0, 80);
          await page.screenshot({ path: join(to, `${name}.${width}.${colorScheme}.png`), fullPage: true });
        }
      }
    }
  }, { locale: process.env.LOCALE || 'en' });
}
await browser.close();
