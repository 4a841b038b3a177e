// What pages do with script beyond htmx: a form is sent once, a summary of errors takes the focus, texts count their letters, a form
// that cannot be saved says so, and a choice of light or dark holds at once. Everything works without it.
import { Button } from 'govuk-frontend/dist/govuk/components/button/button.mjs';
import { CharacterCount } from 'govuk-frontend/dist/govuk/components/character-count/character-count.mjs';
import { ErrorSummary } from 'govuk-frontend/dist/govuk/components/error-summary/error-summary.mjs';

const parts = { 'govuk-button': Button, 'govuk-character-count': CharacterCount, 'govuk-error-summary': ErrorSummary };

document.body.classList.add('js-enabled');
if ('noModule' in HTMLScriptElement.prototype) document.body.classList.add('govuk-frontend-supported');

// start gives behaviour to what is in root; what has it already is left alone.
function start(root) {
  for (const [name, Part] of Object.entries(parts)) {
    for (const el of root.querySelectorAll(`[data-module="${name}"]:not([data-${name}-init])`)) new Part(el);
  }
}
start(document);
document.addEventListener('htmx:after:process', (e) => start(e.target instanceof Element ? e.target : document));

// <form hx-post data-unsaved="id">: what has that id is shown while the form, which is saved as one writes, cannot be saved.
function saved(e, is) {
  const form = e.target instanceof Element && e.target.closest('[data-unsaved]');
  const said = form && document.getElementById(form.dataset.unsaved);
  if (said) said.hidden = is;
}
document.addEventListener('htmx:error', (e) => saved(e, false));
document.addEventListener('htmx:after:request', (e) => saved(e, e.detail.ctx.response.status < 400));

// <form class="tmh-theme" method="post"><button name="theme" value="dark" aria-pressed="false">…</form>
document.addEventListener('click', (e) => {
  const button = e.target instanceof Element && e.target.closest('.tmh-theme button[name=theme]');
  if (!button) return;
  e.preventDefault();
  const { value } = button;
  if (value === 'light' || value === 'dark') document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
  document.cookie = `theme=${encodeURIComponent(value)}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === 'https:' ? '; Secure' : ''}`;
  for (const other of button.form.querySelectorAll('button[name=theme]')) other.setAttribute('aria-pressed', String(other === button));
});

// One menu at a time; Escape closes it and gives the focus back.
document.addEventListener('click', (e) => {
  for (const menu of document.querySelectorAll('.tmh-menu[open]')) if (!menu.contains(e.target)) menu.open = false;
});
document.addEventListener('keydown', (e) => {
  const menu = e.key === 'Escape' && document.querySelector('.tmh-menu[open]');
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
});
