// The fonts that pages send: one family, "TMH Sans", cut into a file per script, so that a page draws only the scripts that it
// shows. Each is Noto Sans with weights 400 to 700. "TMH Menu" has the letters of the languages' own names and no others: the
// language menu is on every page, and must not draw every script.
import { readFile } from 'node:fs/promises';
import subset from 'subset-font';

const weights = { wght: { min: 400, max: 700 } };
const vietnamese = '0102-0103,0110-0111,0128-0129,0168-0169,01A0-01A1,01AF-01B0,0300-0301,0303-0304,0308-0309,0323,0329,1EA0-1EF9,20AB';

// Letters of other European languages come with names of people and places: the Latin letters of Extended-A are enough for them.
const faces = [
  { name: 'sans-latin', from: 'noto-sans', part: 'latin', range: '0000-00FF,0131,0152-0153,02BB-02BC,02C6,02DA,02DC,2000-206F,20AC,2122,2191,2193,2212,2215,FEFF,FFFD' },
  { name: 'sans-vietnamese', from: 'noto-sans', part: 'vietnamese', range: vietnamese },
  { name: 'sans-latin-ext', from: 'noto-sans', part: 'latin-ext', range: '0100-0101,0104-010F,0112-0127,012A-0130,0132-0151,0154-0167,016A-017F' },
  { name: 'sans-thai', from: 'noto-sans-thai', part: 'thai', range: '0E01-0E5B,200C-200D,25CC' },
  { name: 'sans-lao', from: 'noto-sans-lao', part: 'lao', range: '0E81-0EDF,200C-200D,25CC' },
  { name: 'sans-khmer', from: 'noto-sans-khmer', part: 'khmer', range: '1780-17FF,19E0-19FF,200C-200D,25CC' },
  { name: 'sans-myanmar', from: 'noto-sans-myanmar', part: 'myanmar', range: '1000-109F,200C-200D,25CC' },
  { name: 'sans-tamil', from: 'noto-sans-tamil', part: 'tamil', range: '0964-0965,0B82-0BFA,200C-200D,25CC' },
];

// Of Chinese there is its name alone: its fonts are megabytes, and every system that its readers use has one.
const names = { thai: 'ไทย', lao: 'ລາວ', khmer: 'ខ្មែរ ភាសាខ្មែរ', myanmar: 'မြန်မာ မြန်မာဘာသာ', tamil: 'தமிழ்' };
const chinese = [...'中文'];

const letters = (range) => range.split(',').map((part) => {
  const [first, last = first] = part.split('-').map((x) => parseInt(x, 16));
  return String.fromCodePoint(...Array.from({ length: last - first + 1 }, (_, i) => first + i));
}).join('');

const open = (from, part) => readFile(`node_modules/@fontsource-variable/${from}/files/${from}-${part}-wght-normal.woff2`);

const pointsOf = (text) => [...new Set(text)].filter((c) => c !== ' ').map((c) => c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')).sort().join(',');

// sliceOf finds which of the many files of Chinese has a letter.
async function sliceOf(from, letter) {
  const slices = JSON.parse(await readFile(`node_modules/@fontsource-variable/${from}/unicode.json`, 'utf8'));
  const has = (ranges, c) => ranges.split(',').some((r) => {
    const [first, last = first] = r.slice(2).split('-').map((x) => parseInt(x, 16));
    return c >= first && c <= last;
  });
  const found = Object.keys(slices).find((k) => has(slices[k], letter.codePointAt(0)));
  if (!found) throw new Error(`no file of ${from} has ${letter}`);
  return found.replace(/[[\]]/g, '');
}

// fonts are {name, family, range, from, body}, in the order in which the style sheet declares them.
export async function fonts() {
  const out = [];
  const cut = (body, text, variationAxes) => subset(body, text, { targetFormat: 'woff2', variationAxes, noHinting: true });
  for (const { name, from, part, range } of faces) {
    out.push({ name, family: 'TMH Sans', weight: '400 700', range, from, body: await cut(await open(from, part), letters(range), weights) });
  }
  const menu = async (name, from, part, text) => out.push({ name, family: 'TMH Menu', weight: '400', range: pointsOf(text), from, body: await cut(await open(from, part), text, { wght: 400 }) });
  for (const [script, text] of Object.entries(names)) await menu(`menu-${script}`, `noto-sans-${script}`, script, text);
  for (const [i, letter] of chinese.entries()) await menu(`menu-chinese-${i + 1}`, 'noto-sans-sc', await sliceOf('noto-sans-sc', letter), letter);
  return out;
}
