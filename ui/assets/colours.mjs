// The colours of both modes, and the pairs of them that stand on each other. A pair with too little contrast stops the build.
import { readFileSync } from 'node:fs';

const { colours, pairs } = JSON.parse(readFileSync('colours.json', 'utf8'));

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

export function check() {
  const faults = [];
  for (const [above, below, least] of pairs) {
    ['light', 'dark'].forEach((mode, i) => {
      const got = contrast(colours[above][i], colours[below][i]);
      if (got < least) faults.push(`${mode}: ${above} on ${below} has ${got.toFixed(2)}, needs ${least}`);
    });
  }
  if (faults.length) throw new Error(`too little contrast:\n${faults.join('\n')}`);
}

// The design system's own names, as ours. It draws everything with these, so that one table serves both.
const govuk = {
  brand: 'brand', text: 'ink', 'inverse-text': 'on-brand', 'template-background': 'page', 'body-background': 'page', 'secondary-text': 'soft',
  focus: 'focus', 'focus-text': 'on-focus', error: 'bad', success: 'good', border: 'line', 'input-border': 'edge', hover: 'line',
  link: 'link', 'link-visited': 'visited', 'link-hover': 'link-hover', 'link-active': 'ink',
  'surface-background': 'surface', 'surface-text': 'ink', 'surface-border': 'line',
};

// Dark is declared twice: for those whose system asks for it, and for those who chose it here.
export function properties() {
  const mode = (i) => Object.entries(colours).map(([name, both]) => `--tmh-${name}:${both[i]}`).join(';');
  const names = Object.entries(govuk).map(([theirs, ours]) => `--govuk-${theirs}-colour:var(--tmh-${ours})`).join(';');
  return `:root{color-scheme:light;${mode(0)};${names};--govuk-print-text-colour:#000}`
    + `@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${mode(1)}}}`
    + `@media screen{:root[data-theme=dark]{color-scheme:dark;${mode(1)}}}`;
}
