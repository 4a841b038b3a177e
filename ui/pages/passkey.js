// Asks the browser for a passkey, to add it or to sign in with it: options from the node, the browser's answer back to it. What it
// says stands in the page, in the page's language; what the node says comes in English.
const send = async (path, said, body) => {
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  const answer = await response.json().catch(() => ({}));
  if (response.ok && !answer.message) return answer;
  throw answer.message ? Object.assign(new Error(answer.message), { lang: 'en' }) : new Error(said.fault);
};

for (const note of document.querySelectorAll('[data-unscripted]')) note.hidden = true;
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const status = form.querySelector('[role=status]');
  const said = form.dataset;
  form.hidden = false;
  if (!globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    status.textContent = said.old;
    form.querySelector('button').disabled = true;
    continue;
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    status.removeAttribute('lang');
    status.textContent = said.asking;
    try {
      const { publicKey } = await send(said.begin, said);
      const credential = said.passkey === 'create'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
      const { next } = await send(`${said.finish}?${new URLSearchParams(new FormData(form))}`, said, JSON.stringify(credential));
      location.assign(next);
    } catch (error) {
      const why = { InvalidStateError: said.held, NotAllowedError: said.refused }[error.name] ?? error.message;
      const [before, after] = said.unused.split('{why}');
      const reason = document.createElement('span');
      if (error.lang) reason.lang = error.lang;
      reason.textContent = why;
      status.replaceChildren(before, reason, after ?? '');
    }
  });
}
