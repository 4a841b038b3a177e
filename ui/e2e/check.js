// What holds for every page, whoever looks at it, in whatever language.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';

const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

// What messages are called by begins with one of these. A page that shows such a name lacks the message.
const texts = new URL('../lang/messages/en/', import.meta.url);
const groups = [...new Set(readdirSync(texts).flatMap((f) => Object.keys(JSON.parse(readFileSync(new URL(f, texts), 'utf8')))).map((k) => k.split('.')[0]))];

// watch collects what the pages of a context complain of. Call it before the first page is opened.
export async function watch(context) {
  const said = [];
  context.on('console', (m) => {
    // Chromium logs pages that come with 404 or 422: they are meant to.
    const meant = /Failed to load resource.*status of 4(03|04|09|22)/.test(m.text()) && !m.location().url.includes('/static/');
    if (m.type() === 'error' && !meant) said.push(`${m.location().url}: ${m.text()}`);
    if (m.type() === 'warning' && /csp|htmx|trusted/i.test(m.text())) said.push(`${m.location().url}: ${m.text()}`);
  });
  context.on('weberror', (e) => said.push(`${e.page()?.url()}: ${e.error()}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`refused by the policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
  });
  return said;
}

// faults of a page that is loaded. lang is what its language has to be, said what watch gave; contrast and focus say whether colours
// are looked at, and what each thing looks like that has the focus.
export async function faults(page, { lang = 'en', said = [], contrast = true, focus = true } = {}) {
  const { all, wide, scroll } = await page.evaluate(look, { lang, groups, focus });
  if (page.viewportSize().width <= 320) all.push(...wide.map((x) => `is ${scroll} wide: ${x}`));
  await page.evaluate(axe);
  all.push(...await page.evaluate(async (contrast) => {
    const { violations } = await globalThis.axe.run(document, {
      resultTypes: ['violations'], iframes: false,
      rules: { 'target-size': { enabled: true }, 'color-contrast': { enabled: contrast }, 'link-in-text-block': { enabled: contrast } },
    });
    const why = (n) => `${n.html.slice(0, 200)} (${n.failureSummary?.split('\n')[1]?.trim()})`;
    return violations.map((v) => `${v.id}, ${v.nodes.length} times: ${v.nodes.slice(0, 3).map(why).join(' | ')}`);
  }, contrast), ...said.splice(0));
  const at = new URL(page.url());
  return all.map((f) => `${lang} ${at.pathname}${at.search}: ${f}`);
}

// dull are the texts of a page that are hard to read in the dark. It follows faults.
export async function dull(page) {
  await page.emulateMedia({ colorScheme: 'dark' });
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'], runOnly: ['color-contrast'] }));
  await page.emulateMedia({ colorScheme: 'light' });
  return violations.flatMap((v) => v.nodes).map((n) => `dark ${new URL(page.url()).pathname}: ${n.html.slice(0, 200)} (${n.failureSummary?.split('\n')[1]?.trim()})`);
}

// check that a page has no faults, once it is loaded.
export async function check(page, o) {
  await page.waitForFunction(() => document.body && document.readyState === 'complete');
  const found = await faults(page, o);
  assert.ok(found.length === 0, found.join('\n'));
}

// look runs in the page.
function look({ lang, groups, focus }) {
  const all = [];
  const shown = (el) => el.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  const name = (el) => el.outerHTML.replace(/\s+/g, ' ').slice(0, 160);

  const root = document.documentElement;
  if (root.lang !== lang) all.push(`says that it is in ${root.lang}`);
  if (document.querySelectorAll('h1').length !== 1) all.push(`${document.querySelectorAll('h1').length} headings of the first level`);
  if (/\{\{|<no value>|%!|\[object /.test(document.body.innerText)) all.push('shows what a template did not fill in');

  // Scripts that name their language: text in them says that it is in it.
  const scripts = Object.entries({ Thai: 'th', Lao: 'lo', Khmer: 'km', Myanmar: 'my', Tamil: 'ta', Han: 'zh' })
    .map(([script, want]) => ({ script, want, found: new RegExp(`\\p{Script=${script}}{2}`, 'u') })); // a single character is a sign, as that of the baht
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let t = texts.nextNode(); t; t = texts.nextNode()) {
    if (t.parentElement.closest('script, style, code, pre')) continue;
    const [key] = t.data.trim().match(/^[a-z]+(\.[a-z0-9-]+)+$/) ?? [];
    if (key && groups.includes(key.split('.')[0])) all.push(`shows the name of a message: ${key}`);
    for (const { script, want, found } of scripts) {
      if (!found.test(t.data)) continue;
      const said = t.parentElement.closest('[lang]').lang; // texts without a translation have dates in the page's language in them
      if (!said.startsWith(want) && !(said === 'en' && want === lang && /[a-z]{3}/.test(t.data))) {
        all.push(`text in ${script} is said to be in “${said}”: ${t.data.trim().slice(0, 60)} in ${name(t.parentElement)}`);
      }
    }
  }

  // Whatever can be used is reached by Tab in the order of the page, and shows where the focus is.
  const before = document.activeElement;
  const usable = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [contenteditable], [tabindex]:not([tabindex^="-"])')];
  const plain = usable.filter((el) => !el.disabled && shown(el) && !el.closest('[aria-hidden=true]')); // what is hidden from all is for the Enter key
  const style = (el) => {
    const of = [el, el.nextElementSibling, el.parentElement, el.firstElementChild].filter(Boolean);
    return of.flatMap((x) => [null, '::before', '::after'].map((part) => {
      const s = getComputedStyle(x, part);
      return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.backgroundColor, s.borderColor, s.textDecorationLine, s.clipPath].join();
    })).join('\n');
  };
  for (const el of plain) {
    if (el.tabIndex < 0) {
      const group = el.type === 'radio';
      if (!group) all.push(`is not reached by Tab: ${name(el)}`);
      continue;
    }
    if (el.tabIndex > 0) all.push(`is out of order by Tab: ${name(el)}`);
    if (!focus) continue;
    document.activeElement?.blur();
    const unlit = style(el);
    el.focus({ focusVisible: true, preventScroll: true });
    if (document.activeElement !== el) all.push(`takes no focus: ${name(el)}`);
    else if (style(el) === unlit) all.push(`does not show its focus: ${name(el)}`);
  }
  if (focus) document.activeElement?.blur();
  if (focus && before && before !== document.body) before.focus({ preventScroll: true });

  const wide = [];
  const scroll = root.scrollWidth;
  if (scroll > innerWidth) {
    for (const el of document.body.querySelectorAll('*')) {
      if (shown(el) && el.getBoundingClientRect().right > innerWidth + 0.5 && wide.length < 3) wide.push(name(el));
    }
    if (!wide.length) wide.push('by something that is not seen');
  }
  return { all, wide, scroll };
}
